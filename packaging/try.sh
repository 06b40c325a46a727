#!/usr/bin/env bash
# Installs built packages as users do, on Debians without a compiler and without a network, sends a message, and takes them off again:
#
#   packaging/try.sh PACKAGES_DIR [CASE...]
#
# Cases: archive-8.2 archive-8.4 archive-7.4 preload-7.4 panel-7.4 docker-8.4 deb-8.2 deb-8.4 deb-7.4
# Root only: each case gets a Debian of its own (debootstrap, packaging/chroot.sh), which is thrown away afterwards.
set -euo pipefail

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd -P)
root=$(dirname "$here")
packages=$(cd "${1:?packaging/try.sh PACKAGES_DIR [CASE...]}" && pwd -P)
shift
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
# shellcheck source=packaging/chroot.sh
. "$here/chroot.sh"

dir=$chroot_directory/try
trap 'remove_chroot "$dir"' EXIT
trap 'exit 130' INT TERM HUP

step() { printf '==> %s\n' "$*"; }
fail() {
    printf 'try: %s\n' "$*" >&2
    exit 1
}

suite_of() {
    case $1 in
        7.4) echo bullseye ;;
        *) sed -n "s/^$1 \([a-z]*\) .*/\1/p" "$here/php-versions" ;;
    esac
}

# A fresh Debian with PHP and nothing that compiles.
bare_debian() {
    local suite base
    suite=$(suite_of "$1")
    base=$chroot_directory/try-$suite
    # libfcgi-bin: speaks to php-fpm in a web server's place.
    make_chroot "$suite" "$base" "php$1-cli" "php$1-fpm" libfcgi-bin
    copy_chroot "$base" "$dir"
    if in_chroot "$dir" sh -c 'command -v cc || command -v gcc || command -v cargo'; then fail "the Debian $suite has a compiler: it is not bare"; fi
    mkdir -p "$dir/packages"
    cp -- "$packages"/* "$dir/packages/"
}

# Every file and directory with its owner and mode, every setting of PHP: what an uninstallation must give back. phpenmod's own empty
# directories under /var/lib/php/modules are none of ours.
snapshot() {
    # shellcheck disable=SC2016 # the inner shell expands it
    in_chroot "$dir" sh -c '
        find / -xdev \( -path /proc -o -path /dev -o -path /tmp -o -path /run -o -path /packages -o -path /var/log -o -path /var/cache \
            -o -path /var/lib/dpkg -o -path /etc/ld.so.cache -o -path /etc/resolv.conf -o -path "$1" \) -prune -o -printf "%p %u %m %y\n" |
            grep -v "^/var/lib/php/modules/.* d$" | grep -v -E "^/(root|var/lib|usr/share|etc|tmp)? " | sort
        find /etc/php /www/server -type f 2>/dev/null | sort | xargs cat | sha256sum' sh "$root" >"$1"
}

same() { diff "$1" "$2" >&2 || fail "$3"; }

# send PHP PHP_BINARY FPM_BINARY USER OPTIONS_OF_PHP OPTIONS_OF_FPM: from the command line and from php-fpm.
send() {
    in_chroot "$dir" sh "$here/try-send.sh" "$root/examples" "$2" "$3" "$4" "$5" "$6" || fail "PHP $1 did not send the message: the reason stands above"
}

# archive NAME PHP PHP_BINARY FPM_BINARY USER OPTIONS_OF_PHP OPTIONS_OF_FPM [INSTALL_OPTION...]
archive() {
    local name=$1 binary=$3
    local sending=("${@:2:6}")
    shift 7
    in_chroot "$dir" tar -C /tmp -xzf "/packages/$name.tar.gz"
    snapshot "$chroot_directory/before"
    in_chroot "$dir" unshare --net "/tmp/$name/install.sh" --dry-run --php "$binary" "$@" >/dev/null
    snapshot "$chroot_directory/after"
    same "$chroot_directory/before" "$chroot_directory/after" "--dry-run changed something"
    in_chroot "$dir" unshare --net "/tmp/$name/install.sh" "$@" | sed 's/^/    /'
    send "${sending[@]}"
    # A second time is an upgrade.
    in_chroot "$dir" unshare --net "/tmp/$name/install.sh" "$@" >/dev/null
    send "${sending[@]}"
    in_chroot "$dir" "/tmp/$name/install.sh" --uninstall >/dev/null
    [ -d "$dir/var/lib/routine-template" ] || fail "--uninstall took the store, which has the queue and the grants"
    in_chroot "$dir" "/tmp/$name/install.sh" >/dev/null
    in_chroot "$dir" "/tmp/$name/install.sh" --uninstall --purge | sed 's/^/    /'
    snapshot "$chroot_directory/after"
    same "$chroot_directory/before" "$chroot_directory/after" "--uninstall --purge did not undo everything"
    # What does not fit is refused in words, and nothing changes.
    refused "$name" 's/^glibc=.*/glibc=9.99/' PACKAGE '9.99 or newer is needed'
    refused "$name" 's/^arch=.*/arch=riscv64/' PACKAGE 'This package is for Linux riscv64'
    refused "$name" '1s/^/damaged /' LICENSE 'The files are not those that SHA256SUMS names'
    refuses "/tmp/$name/install.sh --php /bin/true" 'No PHP of this machine fits'
    snapshot "$chroot_directory/after"
    same "$chroot_directory/before" "$chroot_directory/after" "a refused installation changed something"
}

# refuses COMMAND WORDS: it fails, in these words.
refuses() {
    local said
    if said=$(in_chroot "$dir" sh -c "$1" 2>&1); then fail "not refused: $1"; fi
    grep -qF "$2" <<<"$said" || fail "refused in other words than '$2': $said"
}

# refused NAME SED_SCRIPT FILE WORDS: a package damaged in that way.
refused() { refuses "cp -R /tmp/$1 /tmp/$1.damaged && sed -i '$2' /tmp/$1.damaged/$3 && (/tmp/$1.damaged/install.sh; said=\$?; rm -rf /tmp/$1.damaged; exit \$said)" "$4"; }

deb() {
    local php=$1 options=${2:-}
    snapshot "$chroot_directory/before"
    in_chroot "$dir" unshare --net dpkg -i "/packages/routine-template_${version}_amd64.deb" "/packages/php$php-routine-template_${version}_amd64.deb" 2>&1 | sed 's/^/    /'
    send "$php" "/usr/bin/php$php" "/usr/sbin/php-fpm$php" www-data "$options" "$options"
    refuses "tar -C /tmp -xzf /packages/*-ffi-*.tar.gz && /tmp/*-ffi-*/install.sh" 'upgrade it as one'
    in_chroot "$dir" dpkg --remove "php$php-routine-template" routine-template >/dev/null
    [ -d "$dir/var/lib/routine-template" ] || fail "removing the package took the store, which has the queue and the grants"
    in_chroot "$dir" dpkg --purge "php$php-routine-template" routine-template 2>&1 | sed 's/^/    /'
    snapshot "$chroot_directory/after"
    same "$chroot_directory/before" "$chroot_directory/after" "dpkg --purge left something over"
}

# The BT panel (宝塔) as far as the installation sees it: PHP under /www/server, no conf.d, php.ini and php-cli.ini, the user www.
panel() {
    local home=/www/server/php/74
    in_chroot "$dir" sh -c "
        useradd --system --no-create-home www
        mkdir -p $home/bin $home/sbin $home/etc
        # Without a line break at the end, and with FFI for the command line alone.
        printf '; of the panel\ndate.timezone = PRC\nextension=json' >$home/etc/php.ini
        printf '; of the panel\ndate.timezone = PRC\nextension=json\nextension=ffi' >$home/etc/php-cli.ini
        printf '#!/bin/sh\nPHP_INI_SCAN_DIR= PHPRC=$home/etc exec /usr/bin/php7.4 \"\$@\"\n' >$home/bin/php
        printf '#!/bin/sh\nPHP_INI_SCAN_DIR= PHPRC=$home/etc exec /usr/sbin/php-fpm7.4 \"\$@\"\n' >$home/sbin/php-fpm
        chmod 755 $home/bin/php $home/sbin/php-fpm
        rm -f /usr/bin/php /etc/alternatives/php"
}

# A php.ini whose END line somebody took away keeps everything that stands behind our lines.
lost_marker() {
    local ini=$dir/www/server/php/74/etc/php.ini
    in_chroot "$dir" "/tmp/$1/install.sh" >/dev/null
    sed -i '/^; END routine-template/d' "$ini"
    echo 'memory_limit = 512M' >>"$ini"
    in_chroot "$dir" "/tmp/$1/install.sh" --uninstall --purge >/dev/null
    grep -qx 'memory_limit = 512M' "$ini" || fail "--uninstall took lines of the panel's php.ini"
}

# The official docker images as far as the installation sees them: PHP under /usr/local, a conf.d and no phpenmod.
docker_image() {
    in_chroot "$dir" sh -c "
        mkdir -p /usr/local/etc/php/conf.d
        printf '#!/bin/sh\nPHP_INI_SCAN_DIR=/usr/local/etc/php/conf.d PHPRC=/usr/local/etc/php exec /usr/bin/php8.4 \"\$@\"\n' >/usr/local/bin/php
        printf '#!/bin/sh\nPHP_INI_SCAN_DIR=/usr/local/etc/php/conf.d PHPRC=/usr/local/etc/php exec /usr/sbin/php-fpm8.4 \"\$@\"\n' >/usr/local/sbin/php-fpm
        chmod 755 /usr/local/bin/php /usr/local/sbin/php-fpm
        rm -f /usr/sbin/phpenmod /usr/sbin/phpdismod"
}

run_case() {
    local php=${1#*-} prepend=auto_prepend_file=/usr/local/lib/routine-template/RoutineTemplate.php
    local ffi=routine-template-$version-ffi-linux-x86_64
    step "$1"
    bare_debian "$php"
    case $1 in
        archive-7.4) archive "$ffi" 7.4 /usr/bin/php7.4 /usr/sbin/php-fpm7.4 www-data "$prepend" "$prepend" ;;
        # A preloaded class needs no file that a site's open_basedir could forbid.
        preload-7.4) archive "$ffi" 7.4 /usr/bin/php7.4 /usr/sbin/php-fpm7.4 www-data "$prepend" "open_basedir=$root/examples:/tmp" --preload ;;
        archive-*) archive "routine-template-$version-php$php-linux-x86_64" "$php" "/usr/bin/php$php" "/usr/sbin/php-fpm$php" www-data '' "open_basedir=$root/examples:/tmp" ;;
        panel-7.4)
            panel
            archive "$ffi" 7.4 /www/server/php/74/bin/php /www/server/php/74/sbin/php-fpm www "$prepend" "$prepend"
            lost_marker "$ffi"
            ;;
        docker-8.4)
            docker_image
            archive "routine-template-$version-php8.4-linux-x86_64" 8.4 /usr/local/bin/php /usr/local/sbin/php-fpm www-data '' '' --php /usr/local/bin/php --web-user www-data
            ;;
        deb-7.4) deb 7.4 "$prepend" ;;
        deb-*) deb "$php" ;;
        *) fail "there is no case $1" ;;
    esac
    remove_chroot "$dir"
}

[ $# -gt 0 ] || set -- archive-8.2 archive-8.4 archive-7.4 preload-7.4 panel-7.4 docker-8.4 deb-8.2 deb-8.4 deb-7.4
for case in "$@"; do run_case "$case"; done
printf 'Installed, used and removed: %s\n' "$*"
