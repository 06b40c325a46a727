# 本机有哪些 PHP、这个包是否适用、设置写在哪里。由 install.sh 读入。
# Which PHPs this machine has, whether the package is for them, and where their settings go. Read by install.sh.
# shellcheck shell=sh disable=SC2154 # its variables are install.sh's

# What a PHP says of itself, with its own php.ini; its warnings do not mix in.
ask_php() { "$1" -d display_errors=stderr -d display_startup_errors=0 -r "echo \"\\n@@\", $2, \"\\n\";" 2>/dev/null | sed -n 's/^@@//p'; }
php_minor() { "$1" -n -r 'echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION;' 2>/dev/null || true; }
php_api() { "$1" -n -i 2>/dev/null | sed -n 's/^PHP Extension => //p'; }
php_build() { "$1" -n -r 'echo PHP_ZTS ? "ZTS" : "NTS", PHP_DEBUG ? " debug" : "";' 2>/dev/null; }
has_ffi_file() { [ -f "$(ask_php "$1" 'ini_get("extension_dir")')/ffi.so" ]; }

# Every PHP of this machine: Debian, the BT panel (宝塔), Remi's packages, the docker images, self-built ones.
find_phps() {
    if [ -n "$wanted_php" ]; then
        printf '%s' "$wanted_php"
        return
    fi
    seen=' '
    for candidate in /usr/bin/php[0-9].[0-9] /usr/bin/php[0-9][0-9] /usr/bin/php /usr/local/bin/php /www/server/php/*/bin/php \
        /opt/remi/php*/root/usr/bin/php /usr/local/php*/bin/php /opt/php*/bin/php; do
        [ -x "$candidate" ] || continue
        real=$(readlink -f "$candidate")
        case $seen in *" $real "*) continue ;; esac
        seen="$seen$real "
        [ -z "$(php_minor "$candidate")" ] || printf '%s\n' "$candidate"
    done
}

# Why this package is not for that PHP, in both languages; nothing if it is.
why_not() {
    minor=$(php_minor "$1")
    if [ -z "$minor" ]; then
        echo "不能运行 / cannot be run"
    elif [ "$(package kind)" = extension ]; then
        if [ "$minor" != "$(package php)" ] || [ "$(php_api "$1")" != "$(package php_api)" ]; then
            echo "是 PHP ${minor}，这个包用于 PHP $(package php) / is PHP $minor, this package is for PHP $(package php)"
        elif [ "$(php_build "$1")" != NTS ]; then
            echo "是 $(php_build "$1") 版，这个包用于 NTS 版 / is a $(php_build "$1") build, this package is for NTS"
        fi
    else
        case $minor in
            7.4 | 8.*) ;;
            *)
                echo "是 PHP ${minor}，需要 7.4 或更新 / is PHP $minor, 7.4 or newer is needed"
                return
                ;;
        esac
        if [ -z "$wanted_php" ] && [ "$minor" != 7.4 ] && [ "$minor" != 8.0 ]; then
            echo "是 PHP ${minor}，请用该版本的扩展包，或用 --php 指定 / is PHP $minor: take the extension's package for it, or name it with --php"
        elif [ "$(ask_php "$1" '(int) extension_loaded("ffi")')" != 1 ] && ! has_ffi_file "$1"; then
            echo "没有 FFI 扩展 / has no FFI extension ($(ffi_remedy "$1"))"
        fi
    fi
}

# has_ffi_line PHP KIND PLACE: whether FFI is there without a line of ours. The command line and php-fpm of the BT panel have a php.ini each,
# and an extension may be named in one of them only.
has_ffi_line() {
    if "$1" -n -m 2>/dev/null | grep -qx FFI; then return 0; fi
    case $2 in
        mods) ours=/etc/php/$3/mods-available/$ini_name.ini ;;
        dir) ours=$3/90-$ini_name.ini ;;
        *) ours='' ;;
    esac
    if [ -n "$ours" ]; then
        # At an upgrade it may be there by our line alone.
        if grep -qx extension=ffi "$ours" 2>/dev/null; then return 1; fi
        [ "$(ask_php "$1" '(int) extension_loaded("ffi")')" = 1 ]
        return
    fi
    [ -f "$3" ] || return 1
    remains=$(outside_block <"$3")
    printf '%s\n' "$remains" | grep -qiE '^[[:space:]]*extension[[:space:]]*=[[:space:]]*"?([^";]*/)?(php_)?ffi(\.so)?"?[[:space:]]*(;.*)?$'
}

ffi_remedy() {
    case $1 in
        /www/server/php/*) echo "宝塔，先装 libffi-devel 或 libffi-dev；没有这个目录时见 docs/crmeb.zh-CN.md / BT panel, after libffi-devel or libffi-dev; where there is no such folder see docs/crmeb.md: cd ${1%/bin/php}/src/ext/ffi && ${1%php}phpize && ./configure --with-ffi --with-php-config=${1%php}php-config && make && make install" ;;
        /usr/local/bin/php) echo "docker-php-ext-install ffi" ;;
        *) echo "Debian: apt-get install php$(php_minor "$1")-common" ;;
    esac
}

# The php-fpm that belongs to a PHP; nothing if there is none.
fpm_of() {
    for candidate in "${1%/bin/*}/sbin/php-fpm$(php_minor "$1")" "${1%/bin/*}/sbin/php-fpm"; do
        if [ -x "$candidate" ] && "$candidate" -n -v 2>/dev/null | grep -q "^PHP $(php_minor "$1")\."; then
            printf '%s\n' "$candidate"
            return
        fi
    done
}

# Where the settings of a PHP go, of its command line and of its php-fpm: "mods VERSION" (Debian's phpenmod), "dir PATH" (a conf.d),
# "file PATH" (php.ini itself: the BT panel has no conf.d).
ini_places() {
    fpm=$(fpm_of "$1")
    {
        ini_place "$("$1" --ini 2>/dev/null | sed -n 's/^Scan for additional .ini files in: *//p')" \
            "$("$1" --ini 2>/dev/null | sed -n 's/^Loaded Configuration File: *//p')" "$("$1" --ini 2>/dev/null | sed -n 's/^Configuration File (php.ini) Path: *//p')"
        if [ -n "$fpm" ]; then
            ini_place "$("$fpm" -i 2>/dev/null | sed -n 's/^Scan this dir for additional .ini files => //p')" \
                "$("$fpm" -i 2>/dev/null | sed -n 's/^Loaded Configuration File => //p')" "$("$fpm" -i 2>/dev/null | sed -n 's/^Configuration File (php.ini) Path => //p')"
        fi
        # The command line of the BT panel reads php-cli.ini, its php-fpm php.ini; one may be there without the other's program.
        case $1 in
            /www/server/php/*)
                for file in "${1%/bin/php}/etc/php.ini" "${1%/bin/php}/etc/php-cli.ini"; do
                    [ ! -f "$file" ] || echo "file $file"
                done
                ;;
        esac
    } | sort -u
}

# ini_place SCAN_DIR LOADED_FILE FILE_DIR
ini_place() {
    case $1 in
        /etc/php/*/*/conf.d)
            if command -v phpenmod >/dev/null; then
                version=${1#/etc/php/}
                echo "mods ${version%%/*}"
                return
            fi
            ;;
    esac
    case $1 in
        '' | '(none)')
            case $2 in
                '' | '(none)') echo "file $3/php.ini" ;;
                *) echo "file $(readlink -f "$2")" ;;
            esac
            ;;
        *) echo "dir ${1%%:*}" ;;
    esac
}
