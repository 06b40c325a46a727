# shellcheck shell=bash
# Building for machines older than this one. To be sourced (bash).
#
# A library that cargo links on a Debian 12 needs glibc 2.34 and does not load on CentOS 7 (2.17), where much of the BT panel (宝塔)
# still runs. zig brings the link tables of every glibc, and cargo-zigbuild hands them to cargo.

oldest_glibc=2.17
old_glibc_target=x86_64-unknown-linux-gnu
old_glibc_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

# shellcheck source=packaging/builder-paths.sh
. "$(dirname "${BASH_SOURCE[0]}")/builder-paths.sh"

old_glibc_fail() {
    printf 'packaging: %s\n' "$1" >&2
    shift
    [ $# -eq 0 ] || printf '  -> %s\n' "$@" >&2
    return 1
}

# Puts cargo-zigbuild and zig into PATH: those that are there, or a copy of our own under build/.
need_zigbuild() {
    local own=$old_glibc_root/build/zigbuild
    if [ ! -x "$own/bin/cargo-zigbuild" ]; then
        if cargo-zigbuild --version >/dev/null 2>&1 && { zig version >/dev/null 2>&1 || python3 -m ziglang version >/dev/null 2>&1; }; then
            return 0
        fi
        command -v python3 >/dev/null || old_glibc_fail "Building for an old glibc needs zig, which comes by Python's pip." "Run: apt-get install python3-venv" || return 1
        { python3 -m venv "$own" && "$own/bin/pip" install -q ziglang==0.17.1 cargo-zigbuild==0.24.0; } >&2 ||
            old_glibc_fail "cargo-zigbuild and zig could not be installed in $own." "The reason stands above." \
                "By hand: pip install ziglang cargo-zigbuild" || return 1
    fi
    PATH=$own/bin:$PATH
    export PATH
}

# cargo_old_glibc TARGET_DIR BUILD_ARGUMENT...
cargo_old_glibc() {
    local target_dir=$1
    shift
    (cd "$old_glibc_root" && without_builder_paths cargo zigbuild --release --locked --target-dir "$target_dir" --target "$old_glibc_target.$oldest_glibc" "$@")
}

# The same for a crate that runs bindgen: `cargo zigbuild` hands zig's C headers to libclang, and the one of Debian 12 crashes on them.
# bindgen reads this machine's headers here; only compiling and linking go through zig.
cargo_old_glibc_bindgen() {
    local target_dir=$1 wrapper=$1/zigcc
    shift
    mkdir -p "$target_dir"
    printf '#!/bin/sh\nexec cargo-zigbuild zig cc -- -fno-sanitize=all -target x86_64-linux-gnu.%s "$@"\n' "$oldest_glibc" >"$wrapper"
    chmod 755 "$wrapper"
    (cd "$old_glibc_root" && CC_x86_64_unknown_linux_gnu=$wrapper CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=$wrapper \
        without_builder_paths cargo build --release --locked --target-dir "$target_dir" --target "$old_glibc_target" "$@")
}

# The newest glibc that a binary asks for; nothing if it asks for none.
needed_glibc() { readelf -W --dyn-syms "$1" | sed -n 's/.*@\{1,2\}GLIBC_\([0-9.]*\).*/\1/p' | sort -uV | tail -n 1; }

# check_glibc FILE NEWEST: says so and fails where FILE asks for a newer one.
check_glibc() {
    local needed
    needed=$(needed_glibc "$1")
    printf '%s\n%s\n' "${needed:-0}" "$2" | sort -CV || old_glibc_fail "$1 needs glibc $needed; $2 was promised." "A symbol of it: $(readelf -W --dyn-syms "$1" | grep -m 1 "GLIBC_$needed")"
}

# A PHP that ends unloads its libraries while a thread of ours may still run; and PHP's FFI does so at the end of every request.
check_nodelete() {
    readelf -d "$1" | grep -q 'FLAGS_1.*NODELETE' || old_glibc_fail "$1 is not linked with -z nodelete." "build.rs asks for it: what did the linker say?"
}
