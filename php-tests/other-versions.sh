#!/usr/bin/env bash
# Runs PHPUnit with the PHPs that this machine does not have, each in the Debian that has it, with its php-fpm, nginx and Redis:
# the FFI face with PHP 7.4 (Debian 11), both faces with PHP 8.4 (Debian 13). Root only. The two systems stay under build/chroot/.
#
#   php-tests/other-versions.sh [PHPUnit argument...]
#
# What is tested is what is packaged: both builds are those for an old glibc. BUNDLE=DIR takes one that packaging/ffi-library.sh has made.
set -euo pipefail

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd -P)
root=$(dirname "$here")
# shellcheck source=packaging/chroot.sh
. "$root/packaging/chroot.sh"
# Of both: what the tests run beside PHP.
services=(nginx redis-server phpunit ca-certificates procps)

step() { printf '==> %s\n' "$*"; }

# left_out REASON: nothing of this may be taken for done.
left_out() {
    printf 'other-versions.sh: PHP 7.4 and PHP 8.4 are left out: %s\n' "$1" >&2
    exit 1
}
[ "$(id -u)" -eq 0 ] || left_out "another Debian can only be made by root."
command -v debootstrap >/dev/null || left_out "debootstrap is not installed (apt-get install debootstrap)."

# php_of_debian SUITE VERSION PACKAGE...: makes the system with this PHP; $debian is its directory.
php_of_debian() {
    local suite=$1 version=$2 module packages=()
    shift 2
    for module in cli fpm xml mbstring sqlite3 curl opcache "$@"; do
        packages+=("php$version-$module")
    done
    debian=$chroot_directory/$suite-tests
    step "PHP $version: Debian $suite in $debian"
    make_chroot "$suite" "$debian" "${packages[@]}" "${services[@]}"
}

# Everything that a shop's own PHP reads.
lint() {
    step "php -l with PHP $1: ffi/, crmeb/, examples/, php-tests/"
    # shellcheck disable=SC2016 # the inner shell expands it
    in_chroot "$debian" bash -c '
        set -euo pipefail
        cd "$1"
        for directory in ffi crmeb examples php-tests; do
            [ ! -d "$directory" ] || find "$directory" -type f -name "*.php" -print0
        done | xargs -0 -n 1 "$2" -n -d display_errors=stderr -d error_reporting=-1 -l >/dev/null
    ' bash "$root" "/usr/bin/php$1"
}

# phpunit VERSION FACE [PHPUnit argument...]
phpunit() {
    local version=$1 face=$2 log=$root/build/phpunit-php$1-$2.log
    shift 2
    step "PHPUnit with PHP $version: $face"
    in_chroot "$debian" env ROUTINE_TEMPLATE_EXTENSION="$extension" ROUTINE_TEMPLATE_LIBRARY="$bundle/libroutine_template.so" \
        ROUTINE_TEMPLATE_FFI="$bundle/RoutineTemplate.php" ROUTINE_TEMPLATE_COMMAND="$bundle/routine-template" \
        ROUTINE_TEMPLATE_FPM="/usr/sbin/php-fpm$version" ROUTINE_TEMPLATE_NGINX=/usr/sbin/nginx \
        "$here/run.sh" "$face" "/usr/bin/php$version" /usr/bin/phpunit "$@" 2>&1 | tee "$log" || {
        failed+=("PHP $version, $face")
        return 0
    }
    phpunit_said+=("PHP $version, $face: $(sed -n '/^OK/,$p' "$log" | tr '\n' ' ')")
}

bundle=$root/build/old-glibc
if [ -n "${BUNDLE:-}" ]; then
    # The other Debians see this tree and nothing else of the machine.
    if [ "$(readlink -f "$BUNDLE")" != "$bundle" ]; then
        rm -rf -- "$bundle"
        mkdir -p "$root/build"
        cp -rL -- "$BUNDLE" "$bundle"
    fi
else
    step "Building the library and the command for an old glibc"
    "$root/packaging/ffi-library.sh" "$bundle"
fi

failed=() phpunit_said=()
extension='' # no other face in this one
php_of_debian bullseye 7.4 json
lint 7.4
phpunit 7.4 ffi "$@"

extension=$root/build/routine_template-php8.4.so
step "Building the extension for PHP 8.4"
"$root/packaging/extension.sh" 8.4 "$extension"
php_of_debian trixie 8.4
phpunit 8.4 extension "$@"
phpunit 8.4 ffi "$@"

[ ${#phpunit_said[@]} -eq 0 ] || printf '    %s\n' "${phpunit_said[@]}"
if [ ${#failed[@]} -gt 0 ]; then
    printf 'other-versions.sh: failed with %s\n' "${failed[@]}" >&2
    exit 1
fi
