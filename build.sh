#!/usr/bin/env bash
# The one door to building, trying and testing RoutineTemplate. `./build.sh help` lists what it can do.
# `sh build.sh` is a common habit; this script needs bash.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -euo pipefail

caller_dir=$PWD
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd -P)
build_dir=$root/build
oldest_php=8.1
# Debian keeps daemons out of an ordinary user's PATH, and rustup may not have touched it yet.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin
export PATH

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
    bold='' green='' red='' plain=''
fi

step() { printf '%s==> %s%s\n' "$bold" "$*" "$plain"; }
note() { printf '    %s\n' "$*"; }
done_line() { printf '%s%s%s\n' "$green" "$*" "$plain"; }

# fail REASON REMEDY...: says why, says what to do, ends.
fail() {
    printf '%sbuild.sh: %s%s\n' "$red" "$1" "$plain" >&2
    shift
    [ $# -eq 0 ] || printf '  -> %s\n' "$@" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# version_at_least FOUND WANTED
version_at_least() { printf '%s\n%s\n' "$2" "$1" | sort -V -C; }

# ---------------------------------------------------------------------------------------------------------------- Rust

need_rust() {
    local wanted found
    wanted=$(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' "$root/Cargo.toml")
    if ! have cargo || ! have rustc; then
        [ -z "${SUDO_USER:-}" ] || fail "Rust is not installed for root." "Run this command as $SUDO_USER: it calls sudo itself where it must."
        fail "Rust is not installed (cargo is neither in PATH nor in ~/.cargo/bin)." \
            "Install Rust $wanted or newer with the one line that https://rustup.rs shows, then run this command again."
    fi
    found=$(cd "$root" && rustc --version 2>/dev/null | cut -d' ' -f2) || found=''
    [ -n "$found" ] || fail "Rust is installed but has no working toolchain." "Run: rustup default stable"
    # "1.95.0-nightly" counts as 1.95.0.
    version_at_least "${found%%-*}" "$wanted" || fail "Rust $found ($(command -v rustc)) is too old: $wanted or newer is needed." \
        "With rustup: rustup update stable" \
        "A distribution's own Rust is often too old: use the one line that https://rustup.rs shows."
    # rust-lang's tools read a relative path from where they run; ours is the caller's directory.
    case ${CARGO_TARGET_DIR:-/} in
        /*) ;;
        *) export CARGO_TARGET_DIR=$caller_dir/$CARGO_TARGET_DIR ;;
    esac
}

in_root() { (cd "$root" && "$@"); }

# Cargo's target directory, whatever the environment or a cargo configuration says.
target_dir() {
    local target
    target=$(in_root cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
    printf '%s\n' "${target:-$root/target}"
}

# ----------------------------------------------------------------------------------------------------------------- PHP

php='' php_config='' php_version=''

php_version_of() { "$1" -n -r 'echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION;' 2>/dev/null || true; }

# The PHP that belongs to a php-config; nothing if there is none.
php_binary_of() {
    local binary
    for binary in "$("$1" --php-binary 2>/dev/null || true)" "$("$1" --prefix 2>/dev/null || true)/bin/php"; do
        if [ -x "$binary" ]; then
            printf '%s\n' "$binary"
            return
        fi
    done
}

# Sets php, php_config and php_version to the first PHP that is new enough; leaves empty what is not there.
find_php() {
    local candidate binary version
    php='' php_config='' php_version=''
    if [ -n "${PHP_CONFIG:-}" ]; then
        php_config=$(cd "$caller_dir" && command -v -- "$PHP_CONFIG") || php_config=''
        case $php_config in
            '' | /*) ;;
            *) php_config=$caller_dir/$php_config ;;
        esac
        [ -x "$php_config" ] || fail "PHP_CONFIG=$PHP_CONFIG cannot be run." "Set PHP_CONFIG to the php-config of the PHP to build for."
        php=$(php_binary_of "$php_config")
        [ -n "$php" ] || fail "$php_config names no PHP command line program." "Install the CLI of that PHP."
        php_version=$(php_version_of "$php")
        version_at_least "${php_version:-0}" "$oldest_php" || fail "$php is PHP ${php_version:-unknown}: $oldest_php or newer is needed." \
            "Choose another one: PHP_CONFIG=/path/to/php-config $0"
        return
    fi
    # The last place is where the BT panel (宝塔), which many shops use, puts its versions.
    for candidate in "$(command -v php-config || true)" /usr/bin/php-config[89].* /usr/local/bin/php-config /www/server/php/8*/bin/php-config; do
        [ -x "$candidate" ] || continue
        binary=$(php_binary_of "$candidate")
        [ -n "$binary" ] || continue
        version=$(php_version_of "$binary")
        if version_at_least "${version:-0}" "$oldest_php"; then
            php=$binary php_config=$candidate php_version=$version
            return
        fi
    done
    for candidate in "$(command -v php || true)" /usr/bin/php[89].*; do
        [ -x "$candidate" ] || continue
        version=$(php_version_of "$candidate")
        if version_at_least "${version:-0}" "$oldest_php"; then
            php=$candidate php_version=$version
            return
        fi
    done
}

has_php_headers() { [ -n "$php_config" ] && [ -f "$("$php_config" --include-dir)/main/php.h" ]; }
# shellcheck disable=SC2016  # PHP expands it
has_php_module() { [ -n "$php" ] && "$php" -r 'exit(extension_loaded($argv[1]) ? 0 : 1);' -- "$1" 2>/dev/null; }

# The php-fpm of the same version; nothing if there is none.
find_fpm() {
    local candidate version
    for candidate in ${php_config:+"$("$php_config" --prefix)/sbin/php-fpm"} "$(command -v "php-fpm$php_version" || true)" "$(command -v php-fpm || true)"; do
        [ -x "$candidate" ] || continue
        version=$("$candidate" -n -v 2>/dev/null | sed -n '1s/^PHP \([0-9]*\.[0-9]*\).*/\1/p') || continue
        if [ "$version" = "$php_version" ]; then
            printf '%s\n' "$candidate"
            return
        fi
    done
}

find_phpunit() {
    if [ -n "${PHPUNIT:-}" ]; then
        (cd "$caller_dir" && readlink -f "$PHPUNIT")
    else
        type -P phpunit || true
    fi
}

# ---------------------------------------------------------------------------------------------------------- the system

has_c_compiler() { have cc && printf '#include <stdio.h>\n' | cc -E -x c - >/dev/null 2>&1; }

# bindgen, which reads PHP's headers, needs libclang and the headers that come with it.
has_libclang() {
    [ -z "${LIBCLANG_PATH:-}" ] || return 0
    local found
    found=$(find /usr/lib /usr/lib64 /usr/local/lib /opt/homebrew/opt/llvm/lib -maxdepth 3 \( -name 'libclang.so*' -o -name 'libclang-*.so*' \) 2>/dev/null || true)
    [ -n "$found" ] || return 1
    found=$(find -L /usr/lib/clang /usr/lib64/clang /usr/lib/llvm-* /usr/local/lib/clang -maxdepth 5 -name stddef.h 2>/dev/null || true)
    [ -n "$found" ]
}

has_ca_certificates() { [ -s /etc/ssl/certs/ca-certificates.crt ] || [ -s /etc/pki/tls/certs/ca-bundle.crt ] || [ -s /etc/ssl/cert.pem ]; }

missing=() # what is not there, as Debian's package names

# What `./build.sh build` cannot do without.
look_for_build_needs() {
    local prefix=php${php_version}
    has_c_compiler || missing+=(gcc libc6-dev)
    has_libclang || missing+=(libclang-dev)
    has_ca_certificates || missing+=(ca-certificates)
    [ -n "$php" ] || missing+=("$prefix-cli")
    has_php_headers || missing+=("$prefix-dev")
}

# What the tests and benchmarks need beyond that.
look_for_test_needs() {
    local prefix=php${php_version}
    [ -n "$(find_fpm)" ] || missing+=("$prefix-fpm")
    have nginx || missing+=(nginx)
    { have redis-server && have redis-cli; } || missing+=(redis-server)
    { has_php_module dom && has_php_module xmlwriter; } || missing+=("$prefix-xml")
    has_php_module mbstring || missing+=("$prefix-mbstring")
    # The tests open the store's file as a shop's own code might, and make time pass in it.
    { has_php_module pdo_sqlite && has_php_module sqlite3; } || missing+=("$prefix-sqlite3")
    has_php_module curl || missing+=("$prefix-curl")
    has_php_module ffi || missing+=("$prefix-common")
    [ -n "$(find_phpunit)" ] || missing+=(phpunit)
}

# What a command needs: build, test or valgrind, each with what the one before it needs.
look_for_needs() {
    missing=()
    look_for_build_needs
    [ "$1" = build ] || look_for_test_needs
    [ "$1" != valgrind ] || have valgrind || missing+=(valgrind)
}

is_root() { [ "$(id -u)" -eq 0 ]; }

privileged() {
    if is_root; then
        "$@"
    else
        sudo "$@"
    fi
}

apt_candidate() { apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: *//p' | sed 's/^[0-9]*://; s/^(none)$//'; }

apt_update() {
    step "Reading the package lists (apt-get update)"
    privileged apt-get update -q || note "apt-get update reported errors; going on with the lists that are there"
}

install_missing() {
    local package version updated=no
    if ! have apt-get; then
        fail "Missing, by their Debian names: ${missing[*]}" \
            "Only apt is supported here: install what these are called on your system, then run this command again."
    fi
    if ! is_root && ! have sudo; then
        fail "Missing: ${missing[*]}" "Run as root: apt-get install ${missing[*]}"
    fi
    if [ -n "$php" ] && ! dpkg -S "$(readlink -f "$php")" >/dev/null 2>&1; then
        for package in "${missing[@]}"; do
            case $package in
                "php$php_version"-*) fail "The PHP at $php is not from a package and has no ${package#"php$php_version"-}." \
                    "Add it to that PHP, or choose another one: PHP_CONFIG=/path/to/php-config $0" ;;
            esac
        done
    fi
    for package in "${missing[@]}"; do
        if [ -z "$(apt_candidate "$package")" ]; then
            apt_update
            updated=yes
            break
        fi
    done
    if [ -z "$php" ]; then
        version=$(apt_candidate php-cli)
        version_at_least "${version:-0}" "$oldest_php" || fail "This system offers PHP ${version:-none}: $oldest_php or newer is needed." \
            "Debian: add the PHP packages of Ondřej Surý.   Ubuntu: add-apt-repository ppa:ondrej/php" \
            "Or point to a PHP of your own: PHP_CONFIG=/path/to/php-config $0"
    fi
    step "Installing ${missing[*]}"
    if ! apt_install "${missing[@]}"; then
        # Lists from before a security update name files that the mirrors no longer have.
        [ "$updated" = no ] || fail "apt-get could not install: ${missing[*]}" "The reason stands above, in apt-get's own words."
        apt_update
        apt_install "${missing[@]}" || fail "apt-get could not install: ${missing[*]}" "The reason stands above, in apt-get's own words."
    fi
}

# Installs packages; their services are neither started now nor at boot, so ports 80 and 6379 stay as they were.
apt_install() {
    # shellcheck disable=SC2016  # the inner shell expands it
    privileged env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l sh -c '
        set -eu
        services() { ls /lib/systemd/system /usr/lib/systemd/system 2>/dev/null | grep -E "^(nginx|apache2|redis-server|php.*-fpm)\.service$" | sort -u || true; }
        policy=/usr/sbin/policy-rc.d
        before=$(services)
        if [ ! -e "$policy" ]; then
            trap "rm -f $policy" EXIT
            trap "exit 130" INT TERM HUP
            printf "%s\n" "#!/bin/sh" "for word; do case \$word in nginx|apache2|redis-server|php*-fpm) exit 101 ;; esac; done" "exit 0" >"$policy"
            chmod 755 "$policy"
        fi
        apt-get install -y -q --no-install-recommends "$@"
        for service in $(services); do
            case " $(echo $before) " in
                *" $service "*) ;;
                *) ! command -v systemctl >/dev/null 2>&1 || systemctl disable "$service" >/dev/null 2>&1 || true ;;
            esac
        done
    ' sh "$@"
}

# setup build | test | valgrind: installs what is missing; without a network and without a word where nothing is.
setup() {
    need_rust
    find_php
    look_for_needs "$1"
    if [ ${#missing[@]} -gt 0 ]; then
        install_missing
        find_php
        look_for_needs "$1"
        [ ${#missing[@]} -eq 0 ] || fail "Still missing after the installation: ${missing[*]}" "Look above for what apt-get said about them."
    fi
    note "Rust $(in_root rustc --version | cut -d' ' -f2), PHP $("$php" -n -r 'echo PHP_VERSION, PHP_ZTS ? " ZTS" : " NTS";') ($php)"
}

# --------------------------------------------------------------------------------------------------------------- build

# Replaces a file in one step: a running PHP keeps the copy that it has mapped.
place() {
    cp -- "$1" "$2.new"
    mv -f -- "$2.new" "$2"
}

build() {
    local target release=${CARGO_BUILD_TARGET:+$CARGO_BUILD_TARGET/}release
    need_rust
    find_php
    missing=()
    look_for_build_needs
    [ ${#missing[@]} -eq 0 ] || fail "Not everything that building needs is there; missing: ${missing[*]}" "Run: $0 setup"
    export PHP=$php PHP_CONFIG=$php_config
    target=$(target_dir)
    mkdir -p "$build_dir"

    # shellcheck source=packaging/builder-paths.sh
    . "$root/packaging/builder-paths.sh"
    step "Building the extension for PHP $php_version"
    # A target directory for each: both write libroutine_template.so, and what is built by hand has other flags; they would redo each
    # other's work.
    in_root without_builder_paths cargo build --release --target-dir "$target/php" || fail "The extension could not be built." "The first error above is the reason; '$0 setup' installs what the build needs."
    place "$target/php/$release/libroutine_template.so" "$build_dir/routine_template.so"

    step "Building the command line with the fake WeChat, and the library for PHP's FFI"
    in_root without_builder_paths cargo build --release --target-dir "$target/ffi" --no-default-features --features cli,ffi,bundled-sqlite ||
        fail "The command line and the library could not be built." "The first error above is the reason."
    place "$target/ffi/$release/routine-template" "$build_dir/routine-template"
    place "$target/ffi/$release/libroutine_template.so" "$build_dir/libroutine_template.so"

    "$php" -n -d extension="$build_dir/routine_template.so" -r 'exit(class_exists("RoutineTemplate", false) ? 0 : 1);' ||
        fail "PHP $php_version cannot load $build_dir/routine_template.so." "PHP's own words stand above."
    note "build/routine-template"
    note "build/libroutine_template.so; with ffi/RoutineTemplate.php it serves a PHP that has no extension"
    note "build/routine_template.so; to use it, add this line to php.ini:"
    note "extension=$build_dir/routine_template.so"
}

# ---------------------------------------------------------------------------------------------------------------- demo

demo_dir='' sandbox_pid=''

stop_demo() {
    local waited=0
    if [ -n "$sandbox_pid" ]; then
        kill "$sandbox_pid" 2>/dev/null || true
        while kill -0 "$sandbox_pid" 2>/dev/null && [ $waited -lt 50 ]; do
            sleep 0.1
            waited=$((waited + 1))
        done
        kill -KILL "$sandbox_pid" 2>/dev/null || true
        wait "$sandbox_pid" 2>/dev/null || true
    fi
    [ -z "$demo_dir" ] || rm -rf -- "$demo_dir"
}

# Looking at the page takes a person, so the fake WeChat stays up only where there is one: at a terminal until Enter is
# pressed, at most ten minutes; with --open until Ctrl-C. Scripts and CI get the result and the end.
keep_page_open() {
    local page=$1 open=$2
    if [ -n "$open" ]; then
        note "浏览器打开 $page 查看手机上的样子；按 Ctrl-C 结束。"
        note "Open $page in a browser to see the phone; Ctrl-C ends it."
        wait "$sandbox_pid" || true
    elif [ -t 0 ] && [ -t 1 ] && [ -z "${CI:-}" ]; then
        note "浏览器打开 $page 查看手机上的样子；按回车结束（十分钟后自动结束）。"
        note "Open $page in a browser to see the phone; Enter ends it (it ends by itself after ten minutes)."
        read -r -t 600 || true
    else
        note "模拟微信随即关闭；要在浏览器里看页面：$0 demo --open"
        note "The fake WeChat ends now; to see its page in a browser: $0 demo --open"
    fi
}

demo() {
    local waited=0 sandbox page open=''
    if [ "${1:-}" = --open ]; then
        open=1
        shift
    fi
    [ $# -eq 0 ] || fail "demo does not know '$1'." "It has one option: --open keeps the fake WeChat and its page up until Ctrl-C."
    setup build
    build
    trap stop_demo EXIT
    trap 'exit 130' INT TERM HUP
    demo_dir=$(mktemp -d)

    step "Starting the fake WeChat (HTTPS, with a certificate authority of its own)"
    "$build_dir/routine-template" sandbox --http 127.0.0.1:0 --https 127.0.0.1:0 \
        --ca-file "$demo_dir/ca.pem" --ready-file "$demo_dir/ready.json" >"$demo_dir/sandbox.log" 2>&1 &
    sandbox_pid=$!
    until [ -s "$demo_dir/ready.json" ]; do
        if ! kill -0 "$sandbox_pid" 2>/dev/null || [ $waited -ge 100 ]; then
            cat "$demo_dir/sandbox.log" >&2
            fail "The fake WeChat did not start within 10 seconds." "Its own words stand above."
        fi
        sleep 0.1
        waited=$((waited + 1))
    done
    # shellcheck disable=SC2016  # PHP expands it
    sandbox=$("$php" -n -r 'echo json_decode(file_get_contents($argv[1]), true)["https"] ?? "";' -- "$demo_dir/ready.json")
    [ -n "$sandbox" ] || fail "The fake WeChat did not say where it listens." "Its words: $(cat "$demo_dir/ready.json")"
    # shellcheck disable=SC2016  # PHP expands it
    page=$("$php" -n -r 'echo json_decode(file_get_contents($argv[1]), true)["http"] ?? "";' -- "$demo_dir/ready.json")/
    note "$sandbox"
    note "页面 / its page: $page"

    step "Running examples/order_paid.php"
    "$php" -n -d extension="$build_dir/routine_template.so" -d routine_template.base_url="$sandbox" \
        -d routine_template.ca_file="$demo_dir/ca.pem" -d routine_template.store="$demo_dir/store" -d date.timezone=Asia/Shanghai "$root/examples/order_paid.php" ||
        fail "The order-paid message was not delivered." "What happened stands above."

    step "What the fake WeChat received / 模拟微信服务器收到的内容"
    "$php" -n "$root/examples/received.php" "$demo_dir/ready.json" || fail "The fake WeChat has no such message." "Its log: $(tail -n 5 "$demo_dir/sandbox.log")"

    done_line "成功：订单支付通知已由 PHP 扩展经 HTTPS 发出，并被严格校验的模拟微信接收。"
    done_line "It works: the PHP extension sent the order-paid message over HTTPS and the strict fake WeChat accepted it."
    keep_page_open "$page" "$open"
}

# --------------------------------------------------------------------------------------------------------------- tests

phpunit_said=() # the closing lines of each run

# run_phpunit FACE [PHPUnit argument...]: in a process of its own, so that neither face sees what the other was given.
run_phpunit() {
    local face=$1 log=$build_dir/phpunit-$1.log
    shift
    ROUTINE_TEMPLATE_EXTENSION=$build_dir/routine_template.so ROUTINE_TEMPLATE_LIBRARY=$build_dir/libroutine_template.so \
        ROUTINE_TEMPLATE_COMMAND=$build_dir/routine-template ROUTINE_TEMPLATE_FPM=$(find_fpm) ROUTINE_TEMPLATE_NGINX=$(command -v nginx || true) \
        "$root/php-tests/run.sh" "$face" "$php" "$(find_phpunit)" "$@" 2>&1 | tee "$log" || return 1
    phpunit_said+=("PHP $php_version, $face: $(sed -n '/^OK/,$p' "$log" | tr '\n' ' ')")
}

lint_php() {
    local file count=0
    step "php -l"
    while IFS= read -r -d '' file; do
        "$php" -n -d display_errors=stderr -l "$file" >/dev/null || fail "$file does not parse." "PHP's own words stand above."
        count=$((count + 1))
    done < <(find "$root" \( -name target -o -name build -o -name vendor -o -name .git \) -prune -o -type f -name '*.php' -print0)
    note "$count files parse"
}

# The tests of kills, races and deadlines use real processes and real time, and a machine that stands still for seconds breaks one of
# them now and then. What failed is named and run once more, by itself: it must pass then.
cargo_test() {
    local log failed target
    log=$(mktemp)
    if in_root cargo test --no-fail-fast "$@" 2>&1 | tee "$log"; then
        rm -f -- "$log"
        return 0
    fi
    failed=$(sed -n 's/^error: test failed, to rerun pass `\(.*\)`$/\1/p' "$log")
    rm -f -- "$log"
    [ -n "$failed" ] || return 1
    while read -r target; do
        step "cargo test $target, once more"
        # shellcheck disable=SC2086 # an option and its value
        in_root cargo test "$@" $target </dev/null || return 1
        note "cargo test $target failed once and passed when it ran again: its first failure stands above"
    done <<<"$failed"
}

test_rust() {
    step "cargo test"
    cargo_test --no-default-features --features cli,ffi,bundled-sqlite,failpoints || fail "A Rust test failed." "Its name and reason stand above."
    if in_root cargo clippy --version >/dev/null 2>&1; then
        step "cargo clippy"
        in_root cargo clippy --no-default-features --features cli,ffi,bundled-sqlite,failpoints --all-targets -- -D warnings || fail "clippy has remarks." "They stand above."
        in_root cargo clippy --lib -- -D warnings || fail "clippy has remarks on the extension." "They stand above."
    else
        note "clippy is not installed (rustup component add clippy): left out"
    fi
    if in_root cargo fmt --version >/dev/null 2>&1; then
        step "cargo fmt --check"
        in_root cargo fmt --check || fail "The code is not formatted." "Run: cargo fmt"
    else
        note "rustfmt is not installed (rustup component add rustfmt): left out"
    fi
}

# need_nightly WHAT: installs a nightly Rust if there is none.
need_nightly() {
    need_rust
    if ! in_root cargo +nightly --version >/dev/null 2>&1; then
        have rustup || fail "$1 needs a nightly Rust, and rustup is not there to install one." \
            "Install rustup as https://rustup.rs shows, then run this command again."
        step "Installing a nightly Rust"
        rustup toolchain install nightly --profile minimal || fail "rustup could not install a nightly Rust." "Its own words stand above."
    fi
}

fuzz() {
    local seconds=60
    if [[ ${1:-} =~ ^[1-9][0-9]*$ ]]; then
        seconds=$1
        shift
    fi
    need_nightly "Fuzzing"
    have c++ || fail "Fuzzing needs a C++ compiler, for libFuzzer." "Debian, Ubuntu: apt-get install g++"
    printf 'int main(void) { return 0; }\n' | cc -x c - -lsqlite3 -o /dev/null 2>/dev/null ||
        fail "Fuzzing links the system's SQLite, which is not there." "Debian, Ubuntu: apt-get install gcc libsqlite3-dev"
    if ! in_root cargo fuzz --version >/dev/null 2>&1; then
        step "Installing cargo-fuzz"
        in_root cargo install --locked cargo-fuzz || fail "cargo-fuzz could not be installed." "The first error above is the reason."
    fi
    step "Fuzzing: $seconds seconds of CPU time each"
    "$root/fuzz/run.sh" "$seconds" "$@" || fail "A fuzz target failed." "Its last words stand above; the input is in fuzz/artifacts/."
}

miri() {
    need_nightly "Miri"
    if ! in_root cargo +nightly miri --version >/dev/null 2>&1; then
        step "Installing Miri"
        rustup component add --toolchain nightly miri rust-src || fail "Miri could not be installed." "rustup's own words stand above."
    fi
    step "Unit tests in Miri"
    "$root/tests/miri.sh" "$@" || fail "A test failed in Miri." "Its name and reason stand above."
}

test_php() {
    lint_php
    step "PHPUnit: the extension, on the command line and in php-fpm behind nginx"
    run_phpunit extension "$@" || fail "A PHP test of the extension failed." "Its name and reason stand above."
    step "PHPUnit: the FFI face, on the same PHP"
    run_phpunit ffi "$@" || fail "A PHP test of the FFI face failed." "Its name and reason stand above."
}

run_tests() {
    local which=all other_versions='' said
    while [ $# -gt 0 ]; do
        case $1 in
            --php-only) which=php ;;
            --rust-only) which=rust ;;
            --all) other_versions=1 ;;
            *) break ;;
        esac
        shift
    done
    [ "$which$other_versions" != rust1 ] || fail "--rust-only and --all exclude each other." "--all adds other versions of PHP."
    setup test
    export PHP=$php PHP_CONFIG=$php_config
    [ "$which" = rust ] || build
    [ "$which" = php ] || test_rust
    [ "$which" = rust ] || test_php "$@"
    if [ -n "$other_versions" ]; then
        step "Other versions of PHP"
        "$root/php-tests/other-versions.sh" "$@" || fail "Not every version of PHP was tested and passed." "The reason stands above."
        fuzz 60
    fi
    for said in ${phpunit_said[@]+"${phpunit_said[@]}"}; do
        note "$said"
    done
    done_line "All tests passed."
}

check_stubs() {
    setup test
    build
    local face
    for face in extension ffi; do
        step "Comparing stubs/ with the classes of the face: $face"
        run_phpunit "$face" --group stubs || fail "stubs/routine_template.stub.php and these classes differ." "The differences stand above."
    done
    done_line "The stubs and both faces agree."
}

# The tests of the group smoke under valgrind, on debug builds: traces and php-tests/valgrind.supp need the names of functions.
valgrind_smoke() {
    local target profile=${CARGO_BUILD_TARGET:+$CARGO_BUILD_TARGET/}debug face log php_under_valgrind=$build_dir/php-under-valgrind
    setup valgrind
    export PHP=$php PHP_CONFIG=$php_config
    target=$(target_dir)
    mkdir -p "$build_dir"
    step "Debug builds of both faces"
    in_root cargo build --target-dir "$target/php" || fail "The extension could not be built." "The first error above is the reason."
    in_root cargo build --no-default-features --features cli,ffi,bundled-sqlite || fail "The library could not be built." "The first error above is the reason."
    for face in extension ffi; do
        log=$build_dir/valgrind-$face.log
        step "PHPUnit's group smoke under valgrind: $face"
        # PCRE's machine code reads beyond its strings on purpose.
        cat >"$php_under_valgrind" <<SCRIPT
#!/bin/sh
exec valgrind --error-exitcode=99 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite --num-callers=40 \\
    --child-silent-after-fork=yes --suppressions='$root/php-tests/valgrind.supp' --log-file='$log' '$php' -d pcre.jit=0 "\$@"
SCRIPT
        chmod +x "$php_under_valgrind"
        USE_ZEND_ALLOC=0 ZEND_DONT_UNLOAD_MODULES=1 ROUTINE_TEMPLATE_PATIENCE=20 \
            ROUTINE_TEMPLATE_EXTENSION=$target/php/$profile/libroutine_template.so ROUTINE_TEMPLATE_LIBRARY=$target/$profile/libroutine_template.so \
            ROUTINE_TEMPLATE_COMMAND=$target/$profile/routine-template \
            "$root/php-tests/run.sh" "$face" "$php_under_valgrind" "$(find_phpunit)" --group smoke "$@" ||
            fail "A test failed under valgrind, or valgrind found a fault of memory." "PHPUnit's words stand above, valgrind's in $log."
        note "$(sed -n 's/^==[0-9]*== *ERROR SUMMARY: //p' "$log" | tail -n 1)"
    done
    done_line "valgrind found no fault of memory in either face."
}

bench() {
    setup test
    build
    step "cargo bench"
    if [ "${1:-}" = --quick ]; then
        in_root cargo bench --no-default-features --features cli,bundled-sqlite --bench core_stages -- --quick ||
            fail "A benchmark failed." "The reason stands above."
    else
        in_root cargo bench --no-default-features --features cli,bundled-sqlite || fail "A benchmark failed." "The reason stands above."
    fi
    step "benches/run.sh"
    ROUTINE_TEMPLATE_EXTENSION=$build_dir/routine_template.so ROUTINE_TEMPLATE_LIBRARY=$build_dir/libroutine_template.so \
        ROUTINE_TEMPLATE_COMMAND=$build_dir/routine-template ROUTINE_TEMPLATE_FPM=$(find_fpm) \
        ROUTINE_TEMPLATE_NGINX=$(command -v nginx) ROUTINE_TEMPLATE_PHP=$php \
        bash "$root/benches/run.sh" "$@" || fail "benches/run.sh failed." "The reason stands above."
    done_line "benches/publish.sh 把结果写入 docs/benchmarks.md。"
    done_line "benches/publish.sh puts the results into docs/benchmarks.md."
}

# need_cargo_tool NAME VERSION: it, or one of our own under build/.
need_cargo_tool() {
    PATH=$PATH:$build_dir/tools/bin
    export PATH
    if ! have "$1"; then
        step "Installing $1 $2 into build/tools"
        cargo install --quiet --locked --debug --root "$build_dir/tools" "$1" --version "$2" || fail "$1 could not be installed." "The reason stands above."
    fi
}

# Licences, advisories and sources of everything that is linked or that tests are built with. ADVISORY_DB=DIR takes a clone of
# https://github.com/rustsec/advisory-db in place of the newest one.
audit() {
    local lock deny=() fetch=()
    need_rust
    need_cargo_tool cargo-deny 0.20.2
    need_cargo_tool cargo-audit 0.22.2
    if [ -n "${ADVISORY_DB:-}" ]; then
        deny=(env GIT_CONFIG_COUNT=1 "GIT_CONFIG_KEY_0=url.$ADVISORY_DB.insteadOf" GIT_CONFIG_VALUE_0=https://github.com/RustSec/advisory-db)
        fetch=(--db "$ADVISORY_DB" --no-fetch)
    fi
    for lock in Cargo.lock fuzz/Cargo.lock; do
        step "cargo deny: $lock"
        (cd "$root" && ${deny[@]+"${deny[@]}"} cargo deny --locked --manifest-path "${lock%.lock}.toml" --config "$root/deny.toml" check) ||
            fail "A dependency is not as deny.toml wants it." "cargo-deny's words stand above."
        step "cargo audit: $lock"
        (cd "$root" && cargo audit ${fetch[@]+"${fetch[@]}"} --deny warnings --file "$lock") ||
            fail "An advisory concerns a dependency." "cargo-audit's words stand above."
    done
    done_line "Licences, advisories and sources are as they should be."
}

package() {
    if [ $# -gt 0 ] && [ "$1" != --try ]; then
        fail "package does not know '$1'." "It has one option: --try installs the packages on bare Debians (root only)."
    fi
    need_rust
    "$root/packaging/package.sh" || fail "The packages could not be built." "The reason stands above."
    if [ "${1:-}" = --try ]; then
        step "Installing the packages on bare Debians"
        "$root/packaging/try.sh" "$build_dir/packages" || fail "A package cannot be installed, used and removed." "The reason stands above."
    fi
    done_line "安装包在 build/packages/。"
    done_line "The packages are in build/packages/."
}

# The long trials: a soak, memory over a million messages, threads over reloads, a thousand rounds of kills.
endure() {
    local trial=${1:-} rounds
    [ $# -eq 0 ] || shift
    case $trial in
        soak | memory | fpm | kills) ;;
        *) fail "endure does not know '$trial'." "It tries: soak [MINUTES], memory [COUNT], fpm [RELOADS], kills [ROUNDS]." ;;
    esac
    setup test
    export PHP=$php PHP_CONFIG=$php_config
    if [ "$trial" = kills ]; then
        rounds=${1:-1000}
        step "Killing at any moment, $rounds rounds: workers that send, that queue and that deliver, on SQLite and on Redis"
        in_root env HERD_ROUNDS="$rounds" QUEUE_KILL_ROUNDS="$rounds" STORE_KILL_ROUNDS="$rounds" \
            cargo test --no-default-features --features cli,ffi,bundled-sqlite,failpoints --test store_processes --test herd --test kills -- \
            --nocapture --test-threads=1 crash:: killed_workers_leave whatever_was_accepted || fail "Something was lost, or came twice." "What it is stands above."
    else
        build
        endure_php extension "$trial" "$@"
        [ "$trial" = soak ] || endure_php ffi "$trial" "$@"
    fi
    done_line "It endured."
}

# endure_php FACE TRIAL [argument...]
endure_php() {
    local face=$1 trial=$2
    shift 2
    step "$trial: $face"
    ROUTINE_TEMPLATE_EXTENSION=$build_dir/routine_template.so ROUTINE_TEMPLATE_LIBRARY=$build_dir/libroutine_template.so \
        ROUTINE_TEMPLATE_COMMAND=$build_dir/routine-template ROUTINE_TEMPLATE_FPM=$(find_fpm) ROUTINE_TEMPLATE_NGINX=$(command -v nginx || true) \
        "$root/php-tests/endurance/run.sh" "$face" "$php" "$trial" "$@" || fail "The trial '$trial' found something." "It stands above."
}

usage() {
    cat <<HELP
RoutineTemplate: WeChat subscribe messages from PHP (微信小程序订阅消息)

  ./build.sh demo     see a CRMEB order-paid message go out over HTTPS to a fake WeChat
                      把一条 CRMEB 订单支付消息经 HTTPS 发给模拟微信
                      (--open: keep the page that shows the phone up / 保留显示手机的页面)
  ./build.sh test     run every test (options: --php-only, --rust-only; --all: on PHP 7.4 and 8.4 too, in a Debian
                      of their own, as root, and a minute of each fuzz target; further words go to PHPUnit)
                      运行全部测试（选项：--php-only、--rust-only；--all：另在独立的 Debian 中用 PHP 7.4 和 8.4 测试，
                      需要 root，并对每个模糊测试目标运行一分钟；其余参数传给 PHPUnit）
  ./build.sh fuzz     run the fuzz targets (further words: seconds of CPU time each, 60; names of targets)
                      模糊测试（参数：每个目标的 CPU 秒数，默认 60；目标名）
  ./build.sh miri     run unit tests in Miri, which finds undefined behaviour
                      用 Miri 运行单元测试，检查未定义行为
  ./build.sh build    build build/routine_template.so, build/libroutine_template.so (for FFI) and build/routine-template
                      编译 build/routine_template.so、build/libroutine_template.so（供 FFI 使用）和 build/routine-template
  ./build.sh setup    install what is missing (Debian, Ubuntu; as root or with sudo)
                      安装缺少的软件（Debian、Ubuntu；root 或 sudo）
  ./build.sh bench    run the benchmarks (--quick: a minute of rough figures)
                      运行性能测试（--quick：一分钟的粗略数据）
  ./build.sh endure   the long trials: soak [MINUTES], memory [COUNT], fpm [RELOADS], kills [ROUNDS]
                      长时间试验：soak [分钟]、memory [条数]、fpm [重载次数]、kills [轮数]
  ./build.sh package  build what users install from, into build/packages/ (--try: install it on bare Debians, as root)
                      生成安装包到 build/packages/（--try：在全新的 Debian 里试装，需要 root）
  ./build.sh audit    check licences, known vulnerabilities and sources of all dependencies (cargo-deny, cargo-audit)
                      检查全部依赖的许可证、已知漏洞和来源（cargo-deny、cargo-audit）
  ./build.sh stubs    compare stubs/ with the built extension and with ffi/
                      核对 stubs/ 与编译出的扩展、与 ffi/
  ./build.sh valgrind run PHPUnit's smoke set under valgrind, on both faces (further words go to PHPUnit)
                      在 valgrind 下运行两种接口的 PHPUnit 冒烟测试（其余参数传给 PHPUnit）
  ./build.sh help     this page
                      本页

demo, test, bench, endure, stubs and valgrind do setup and build themselves.
demo、test、bench、endure、stubs、valgrind 会自动完成 setup 和 build。
PHP_CONFIG=/path/to/php-config chooses the PHP ($oldest_php or newer), PHPUNIT=/path/to/phpunit the PHPUnit (9.5 or newer).
PHP_CONFIG=/路径/php-config 指定 PHP（$oldest_php 或更新），PHPUNIT=/路径/phpunit 指定 PHPUnit（9.5 或更新）。
HELP
}

main() {
    local command=${1:-help}
    [ $# -eq 0 ] || shift
    case $command in
        setup)
            setup test
            done_line "Everything that building and testing needs is here."
            ;;
        build) build ;;
        demo) demo "$@" ;;
        test) run_tests "$@" ;;
        bench) bench "$@" ;;
        fuzz) fuzz "$@" ;;
        miri) miri "$@" ;;
        endure) endure "$@" ;;
        package) package "$@" ;;
        audit) audit ;;
        stubs) check_stubs ;;
        valgrind) valgrind_smoke "$@" ;;
        help | -h | --help) usage ;;
        *)
            usage >&2
            fail "There is no command '$command'."
            ;;
    esac
}

main "$@"
