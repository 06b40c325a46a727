# shellcheck shell=bash disable=SC2154 # the variables are package.sh's
# The archives that users download. To be sourced by package.sh.

# pie_archive PHP
# PIE 1.4 and newer, src/Platform/PrePackagedBinaryAssetName.php: php_{name}-{version}_php{minor}-{arch}-{os}-{libc}[-debug][-zts].zip, all
# small letters; {version} is the release's tag as it is written, so the tag is 0.1.0 and not v0.1.0. The library lies at the top of the
# archive and has the extension's name (php/pie-ext-binary-builder packs it so).
pie_archive() {
    pack_zip "$output/php_routine_template-${version}_php$1-$architecture-linux-glibc.zip" "$staging/php$1/routine_template.so" "$root/LICENSE" "$staging/THIRD-PARTY.txt"
}

# extension_archive PHP API
extension_archive() {
    local name=routine-template-$version-php$1-linux-$architecture
    local dir=$staging/$name
    install_files "$dir"
    install -m 644 -- "$staging/php$1/routine_template.so" "$dir/"
    printf 'kind=extension\nversion=%s\nphp=%s\nphp_api=%s\narch=%s\nglibc=%s\n' "$version" "$1" "$2" "$architecture" "$oldest_glibc" >"$dir/PACKAGE"
    pack_tar "$name"
}

ffi_archive() {
    local name=routine-template-$version-ffi-linux-$architecture
    local dir=$staging/$name
    install_files "$dir"
    cp -R -- "$staging/ffi" "$dir/ffi"
    printf 'kind=ffi\nversion=%s\narch=%s\nglibc=%s\n' "$version" "$architecture" "$oldest_glibc" >"$dir/PACKAGE"
    pack_tar "$name"
}

# install_files DIR: what every archive has.
install_files() {
    mkdir -p "$1/install" "$1/stubs" "$1/examples" "$1/docs"
    install -m 755 -- "$here/install/install.sh" "$staging/routine-template" "$1/"
    install -m 644 -- "$here/install/php.sh" "$here/install/files.sh" "$1/install/"
    install -m 644 -- "$root"/stubs/*.php "$1/stubs/"
    install -m 644 -- "$root"/examples/* "$1/examples/"
    install -m 644 -- "$root"/docs/*.md "$root"/docs/*.png "$1/docs/"
    install -m 644 -- "$root/LICENSE" "$staging/THIRD-PARTY.txt" "$root"/README*.md "$root"/SECURITY*.md "$1/"
    adapters "$1/crmeb"
}

# adapters DIR: the CRMEB adapters, and try.sh, which shops try them with.
adapters() {
    [ -d "$root/crmeb" ] || return 0
    mkdir -p "$1"
    (cd "$root/crmeb" && find . -type f -not -name '.*' -print0 | tar -c --null -T - -f -) | tar -x -C "$1" -f -
    find "$1" -type d -exec chmod 755 {} +
    find "$1" -type f -exec chmod 644 {} +
}

# pack_tar NAME: the directory of that name under $staging.
pack_tar() {
    local dir=$staging/$1
    # shellcheck disable=SC2094 # it leaves itself out
    (cd "$dir" && find . -type f ! -name SHA256SUMS -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum -- >SHA256SUMS)
    tar -C "$staging" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -cf - "$1" | gzip -9n >"$output/$1.tar.gz"
    rm -rf -- "$dir"
}

# pack_zip ZIP FILE...: flat.
pack_zip() {
    local zip=$1 dir=$staging/zip
    shift
    mkdir -p "$dir"
    cp -- "$@" "$dir/"
    find "$dir" -type f -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
    (cd "$dir" && TZ=UTC zip -q -9 -X -D "$zip" -- *)
    rm -rf -- "$dir"
}
