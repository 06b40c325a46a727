#!/usr/bin/env bash
# Looks at built packages: are they complete, do their names and contents agree, do they run on what they promise?
#
#   packaging/check.sh PACKAGES_DIR
#
# What it cannot see, packaging/try.sh tries: installing them.
set -euo pipefail

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd -P)
root=$(dirname "$here")
packages=$(cd "$1" && pwd -P)
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
# shellcheck source=packaging/old-glibc.sh
. "$here/old-glibc.sh"
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
wrong=0

# expect WHAT COMMAND...
expect() {
    local what=$1
    shift
    if ! "$@" >"$work/said" 2>&1; then
        wrong=$((wrong + 1))
        printf '    WRONG: %s\n' "$what" >&2
        sed 's/^/           /' "$work/said" >&2
    fi
}
is() { [ "$1" = "$2" ] || { printf 'expected: %s\nfound:    %s\n' "$2" "$1" && false; }; }
missing_in() { ! printf '%s\n' "$1" | grep -E "$2"; }
stripped() { ! readelf -SW "$1" | grep -E ' \.(symtab|debug_)'; }

# binary FILE: what every binary of ours promises.
binary() {
    expect "$1 runs with glibc $oldest_glibc" check_glibc "$1" "$oldest_glibc"
    expect "$1 is stripped" stripped "$1"
    # The names of the machine that built it are nobody's business, and would differ from build to build.
    expect "$1 does not name the directory it was built in" missing_in "$(grep -aoF "$root" "$1" | head -n 1)" .
    expect "$1 does not name the home directory of who built it" missing_in "$(grep -aoF "${CARGO_HOME:-$HOME/.cargo}/" "$1" | head -n 1)" .
    case $1 in *.so) expect "$1 stays mapped" check_nodelete "$1" ;; esac
}

expect "SHA256SUMS agrees" sh -c "cd '$packages' && sha256sum -c --quiet SHA256SUMS"
expect "SHA256SUMS names every file" is "$(cut -c 67- "$packages/SHA256SUMS" | sort)" "$(cd "$packages" && find . -type f ! -name SHA256SUMS -printf '%P\n' | sort)"

for archive in "$packages"/*.tar.gz; do
    name=$(basename "$archive" .tar.gz)
    tar -C "$work" -xzf "$archive"
    expect "$name holds one directory of its own name" test -d "$work/$name"
    expect "$name agrees with its own SHA256SUMS" sh -c "cd '$work/$name' && sha256sum -c --quiet SHA256SUMS"
    expect "$name names every file in SHA256SUMS" is "$(cut -c 67- "$work/$name/SHA256SUMS" | sort)" "$(cd "$work/$name" && find . -type f ! -name SHA256SUMS -printf '%P\n' | sort)"
    for file in install.sh routine-template PACKAGE LICENSE THIRD-PARTY.txt SECURITY.md SECURITY.zh-CN.md README.md README.zh-CN.md stubs/routine_template.stub.php; do
        expect "$name has $file" test -s "$work/$name/$file"
    done
    # What the pages tell shops to copy, to apply and to run.
    (cd "$root" && grep -rhoE --include='*.md' '/usr/local/share/routine-template/[A-Za-z0-9._/-]*[A-Za-z0-9]' docs crmeb) | sort -u >"$work/named"
    while read -r path; do expect "$name has $path" test -e "$work/$name/${path#/usr/local/share/routine-template/}"; done <"$work/named"
    expect "$name says its version" grep -qx "version=$version" "$work/$name/PACKAGE"
    expect "$name's command says its version" is "$("$work/$name/routine-template" --version)" "routine-template $version"
    binary "$work/$name/routine-template"
    find "$work/$name" -name '*.so' >"$work/libraries"
    expect "$name has one library" is "$(wc -l <"$work/libraries")" 1
    while read -r library; do binary "$library"; done <"$work/libraries"
done

while read -r php suite api; do
    case $php in '' | '#'*) continue ;; esac
    zip=$packages/php_routine_template-${version}_php$php-x86_64-linux-glibc.zip
    tarball=$work/routine-template-$version-php$php-linux-x86_64
    expect "PIE's archive for PHP $php has the library at its top" is "$(unzip -Z1 "$zip" | sort | tr '\n' ' ')" 'LICENSE THIRD-PARTY.txt routine_template.so '
    expect "the library for PHP $php has extension API $api ($suite)" grep -qaF "API$api,NTS" "$tarball/routine_template.so"
    expect "PIE's archive and the tarball for PHP $php have the same library" is "$(unzip -p "$zip" routine_template.so | sha256sum)" "$(sha256sum <"$tarball/routine_template.so")"
    deb=$packages/php$php-routine-template_${version}_amd64.deb
    expect "the .deb for PHP $php has the same library" is "$(dpkg-deb --fsys-tarfile "$deb" | tar -xO "./usr/lib/php/$api/routine_template.so" | sha256sum)" "$(sha256sum <"$tarball/routine_template.so")"
    expect "the .deb for PHP $php asks for its API" grep -qF "phpapi-$api" <(dpkg-deb -f "$deb" Depends)
done <"$here/php-versions"

for deb in "$packages"/*.deb; do
    expect "$(basename "$deb") has our version" is "$(dpkg-deb -f "$deb" Version)" "$version"
    expect "$(basename "$deb") brings the licences of others" grep -q '^SQLite ' <(dpkg-deb --fsys-tarfile "$deb" | tar -xO --wildcards './usr/share/doc/*/copyright')
    expect "everything in $(basename "$deb") belongs to root" is "$(dpkg-deb -c "$deb" | awk '{print $2}' | sort -u)" root/root
done
for kind in extension ffi command; do
    expect "the list of what is in the $kind names SQLite's crate" grep -q '"name": "libsqlite3-sys"' "$packages/routine-template-$version-$kind.cdx.json"
    expect "the list of what is in the $kind names no directory of this machine" missing_in "$(grep -F "$root" "$packages/routine-template-$version-$kind.cdx.json" | head -n 1)" .
done

[ $wrong -eq 0 ]
