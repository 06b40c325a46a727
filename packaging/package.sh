#!/usr/bin/env bash
# Builds everything that users install from, into build/packages/ (`./build.sh package` calls it):
#
#   php_routine_template-VERSION_phpX.Y-…-glibc.zip   what PIE looks for among the assets of the release tagged VERSION
#   routine-template-VERSION-phpX.Y-linux-….tar.gz    extension, command, stubs and install.sh, for one PHP
#   routine-template-VERSION-ffi-linux-….tar.gz       the same for PHP 7.4 and 8.0, through PHP's FFI
#   *.deb                                             for Debian's own PHP
#   *.cdx.json, SHA256SUMS                            what is inside (CycloneDX), and checksums of everything
set -euo pipefail

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd -P)
root=$(dirname "$here")
output=$root/build/packages
staging=$root/build/packages.staging
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
architecture=x86_64
# The same source gives the same archives, whenever they are made.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
# Not for the builds: cc would compile every C source again after each commit.
compile() { env -u SOURCE_DATE_EPOCH "$@"; }

step() { printf '==> %s\n' "$*"; }
note() { printf '    %s\n' "$*"; }
fail() {
    printf 'package: %s\n' "$1" >&2
    shift
    [ $# -eq 0 ] || printf '  -> %s\n' "$@" >&2
    exit 1
}

# shellcheck source=packaging/old-glibc.sh
. "$here/old-glibc.sh"
# shellcheck source=packaging/archives.sh
. "$here/archives.sh"
# shellcheck source=packaging/debian.sh
. "$here/debian.sh"

for tool in readelf zip unzip dpkg-deb python3; do
    command -v "$tool" >/dev/null || fail "$tool is not installed." "Run: apt-get install binutils zip unzip dpkg python3"
done
[ "$(uname -s) $(uname -m)" = "Linux $architecture" ] || fail "Packages are made on Linux $architecture only: this is $(uname -s) $(uname -m)."

rm -rf -- "$output" "$staging"
mkdir -p "$output" "$staging"

step "Collecting the licences of what is linked in"
"$here/third-party.py" "$staging/THIRD-PARTY.txt" || fail "The licences could not be collected." "The reason stands above."

step "Building the FFI library and the command line"
compile "$here/ffi-library.sh" "$staging/ffi" || fail "The FFI library or the command could not be built." "The first error above is the reason."
mv -- "$staging/ffi/routine-template" "$staging/routine-template"
note "FFI library: glibc $(needed_glibc "$staging/ffi/libroutine_template.so"), command: glibc $(needed_glibc "$staging/routine-template")"
ffi_archive
debian_base

while read -r php suite api; do
    case $php in '' | '#'*) continue ;; esac
    step "Building the extension for PHP $php"
    compile "$here/extension.sh" "$php" "$staging/php$php/routine_template.so" </dev/null || fail "The extension for PHP $php could not be built." "The first error above is the reason."
    grep -qaF "API$api,NTS" "$staging/php$php/routine_template.so" || fail "The extension for PHP $php was not built for extension API $api, which packaging/php-versions names for Debian $suite."
    note "extension: glibc $(needed_glibc "$staging/php$php/routine_template.so")"
    pie_archive "$php"
    extension_archive "$php" "$api"
    debian_extension "$php" "$api"
done <"$here/php-versions"
debian_ffi_settings 7.4

step "Listing what is inside (CycloneDX)"
"$here/sbom.sh" "$output" "$version" || fail "The list of what is inside could not be made." "The reason stands above."

(cd "$output" && sha256sum -- * >SHA256SUMS.new && mv SHA256SUMS.new SHA256SUMS)
"$here/check.sh" "$output" || fail "The packages are not as they should be." "What is wrong stands above."
rm -rf -- "$staging"

step "build/packages/"
(cd "$output" && for file in *; do note "$(printf '%9d  %s' "$(stat -c %s "$file")" "$file")"; done)
