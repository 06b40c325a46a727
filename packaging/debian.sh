# shellcheck shell=bash disable=SC2154 # the variables are package.sh's
# The .deb packages. To be sourced by package.sh.
#
#   routine-template        the command, the FFI face, the CRMEB adapters, and the store's directory
#   phpX.Y-routine-template the extension, switched on as Debian's own extensions are
#   php7.4-routine-template the settings that let PHP 7.4 use the FFI face

debian_base() {
    local dir=$staging/deb
    mkdir -p "$dir/usr/bin" "$dir/usr/lib/routine-template/src" "$dir/usr/share/routine-template/stubs" "$dir/usr/share/routine-template/examples" "$dir/usr/share/doc/routine-template/docs"
    install -m 755 -- "$staging/routine-template" "$dir/usr/bin/"
    (cd "$staging/ffi" && find . -type f -printf '%P\n') | while read -r file; do install -D -m 644 -- "$staging/ffi/$file" "$dir/usr/lib/routine-template/$file"; done
    install -m 644 -- "$root"/stubs/*.php "$dir/usr/share/routine-template/stubs/"
    adapters "$dir/usr/share/routine-template/crmeb"
    install -m 644 -- "$root"/examples/* "$dir/usr/share/routine-template/examples/"
    install -m 644 -- "$root"/README*.md "$root"/SECURITY*.md "$dir/usr/share/doc/routine-template/"
    install -m 644 -- "$root"/docs/*.md "$root"/docs/*.png "$dir/usr/share/doc/routine-template/docs/"
    debian_control "$dir" routine-template 'libc6 (>= 2.17)' 'Suggests: php7.4-routine-template, supervisor' \
        'WeChat subscribe messages for PHP shops: command, FFI face, CRMEB adapters' \
        'Sends WeChat subscribe messages (微信小程序订阅消息) for CRMEB shops and any PHP
 application. This package has the command routine-template (doctor, work,
 validate, sandbox), the FFI face for PHP 7.4 and 8.0, and the CRMEB adapters.'
    debian_script "$dir" preinst base.preinst
    debian_script "$dir" postinst base.postinst
    debian_script "$dir" postrm base.postrm
    debian_pack "$dir" routine-template
}

# debian_extension PHP API
debian_extension() {
    local dir=$staging/deb name=php$1-routine-template
    install -D -m 644 -- "$staging/php$1/routine_template.so" "$dir/usr/lib/php/$2/routine_template.so"
    debian_settings "$dir" "$1" routine_template 'extension=routine_template.so'
    debian_control "$dir" "$name" "phpapi-$2, php-common, libc6 (>= 2.17), routine-template (= $version)" 'Section: php' \
        "WeChat subscribe messages for PHP $1: the extension" \
        "The native extension: RoutineTemplate::send(), queue() and the rest, for PHP $1."
    debian_pack "$dir" "$name"
}

# debian_ffi_settings PHP
debian_ffi_settings() {
    local dir=$staging/deb name=php$1-routine-template
    debian_settings "$dir" "$1" routine_template_ffi "routine_template.library=/usr/lib/routine-template/libroutine_template.so
ffi.enable=true"
    debian_control "$dir" "$name" "php$1-common, php-common, routine-template (= $version)" 'Section: php' \
        "WeChat subscribe messages for PHP $1, through FFI: the settings" \
        "Switches PHP's FFI on (ffi.enable=true) and tells where the library is, so that
 /usr/lib/routine-template/RoutineTemplate.php works in PHP $1."
    debian_pack "$dir" "$name"
}

# debian_settings DIR PHP MODULE LINES: an ini file that phpenmod switches on, as in Debian's own extensions.
debian_settings() {
    mkdir -p "$1/etc/php/$2/mods-available" "$1/DEBIAN"
    printf '; RoutineTemplate\n; priority=90\n%s\n' "$4" >"$1/etc/php/$2/mods-available/$3.ini"
    printf '/etc/php/%s/mods-available/%s.ini\n' "$2" "$3" >"$1/DEBIAN/conffiles"
    # Debian's php-fpm and Apache restart themselves on these.
    printf 'activate-noawait /etc/php/%s/%s/conf.d\n' "$2" fpm "$2" apache2 >"$1/DEBIAN/triggers"
    debian_script "$1" postinst module.postinst "$2" "$3"
    debian_script "$1" postrm module.postrm "$2" "$3"
}

# debian_script DIR NAME TEMPLATE [PHP MODULE]
debian_script() {
    mkdir -p "$1/DEBIAN"
    sed "s/@PHP@/${4:-}/g; s/@MODULE@/${5:-}/g" "$here/debian/$3" >"$1/DEBIAN/$2"
    chmod 755 "$1/DEBIAN/$2"
}

# debian_control DIR NAME DEPENDS FURTHER_FIELD SUMMARY DESCRIPTION
debian_control() {
    local doc=$1/usr/share/doc/$2
    mkdir -p "$1/DEBIAN" "$doc"
    {
        printf 'RoutineTemplate\n\nLicense: Apache-2.0\n On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.\n\n'
        cat -- "$staging/THIRD-PARTY.txt"
    } >"$doc/copyright"
    {
        printf 'Package: %s\nVersion: %s\nArchitecture: amd64\nMaintainer: RoutineTemplate\nPriority: optional\nDepends: %s\n' "$2" "$version" "$3"
        case $4 in Section:*) ;; *) echo 'Section: web' ;; esac
        printf '%s\nInstalled-Size: %s\nDescription: %s\n %s\n' "$4" "$(du -sk --exclude=DEBIAN "$1" | cut -f1)" "$5" "$6"
    } >"$1/DEBIAN/control"
}

# debian_pack DIR NAME
debian_pack() {
    find "$1" -type d -exec chmod 755 {} +
    dpkg-deb --root-owner-group -Zxz --build "$1" "$output/$2_${version}_amd64.deb" >/dev/null
    rm -rf -- "$1"
}
