#!/usr/bin/env bash
# Builds the extension for one PHP, for any Linux with glibc 2.17 or newer:
#
#   packaging/extension.sh PHP_VERSION OUTPUT_FILE      (one of packaging/php-versions)
#
# The headers come from this machine's php-config of that version, else from the Debian that has it, in a chroot (root only).
set -euo pipefail

[ $# -eq 2 ] || {
    printf 'usage: %s PHP_VERSION OUTPUT_FILE\n' "$0" >&2
    exit 2
}
version=$1
mkdir -p "$(dirname "$2")"
output=$(cd "$(dirname "$2")" && pwd -P)/$(basename "$2")
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd -P)
root=$(dirname "$here")
# shellcheck source=packaging/old-glibc.sh
. "$here/old-glibc.sh"
# shellcheck source=packaging/chroot.sh
. "$here/chroot.sh"

# A program of a chroot, as a program of this machine; paths that it prints are those of this machine.
program_of_chroot() {
    local wrapper
    wrapper=$1.$(basename "$2")
    printf '#!/bin/sh\nchroot %s %s "$@" | sed "s#-I/#-I%s/#g"\n' "$1" "$2" "$1" >"$wrapper"
    chmod 755 "$wrapper"
    printf '%s\n' "$wrapper"
}

if [ -x "/usr/bin/php$version" ] && [ -f "$("/usr/bin/php-config$version" --include-dir 2>/dev/null)/main/php.h" ]; then
    PHP=/usr/bin/php$version
    PHP_CONFIG=/usr/bin/php-config$version
else
    suite=$(sed -n "s/^$version \([a-z]*\) .*/\1/p" "$here/php-versions")
    [ -n "$suite" ] || {
        printf 'packaging: packaging/php-versions has no PHP %s\n' "$version" >&2
        exit 1
    }
    chroot=$chroot_directory/$suite-php-dev
    make_chroot "$suite" "$chroot" "php$version-cli" "php$version-dev"
    PHP=$(program_of_chroot "$chroot" "/usr/bin/php$version")
    PHP_CONFIG=$(program_of_chroot "$chroot" "/usr/bin/php-config$version")
fi
export PHP PHP_CONFIG

need_zigbuild
target=${CARGO_TARGET_DIR:-$root/target}/old-glibc/php$version
cargo_old_glibc_bindgen "$target" --lib
library=$target/$old_glibc_target/release/libroutine_template.so
check_glibc "$library" "$oldest_glibc"
check_nodelete "$library"
install -m 644 -- "$library" "$output.new"
mv -f -- "$output.new" "$output"
