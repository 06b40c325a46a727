#!/bin/sh
# 安装本软件包，不需要编译器，也不需要网络；./install.sh --help 列出全部用法。
# Installs this package, without a compiler and without a network; ./install.sh --help lists what it can do.
set -eu
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
LC_ALL=C.UTF-8
export PATH LC_ALL
# The web user reads what is installed, whatever umask root has here.
umask 022

here=$(cd "$(dirname "$0")" && pwd -P)
shared=/usr/local/share/routine-template
library_dir=/usr/local/lib/routine-template
command=/usr/local/bin/routine-template
store=/var/lib/routine-template
begin='; BEGIN routine-template'
end='; END routine-template'

dry_run='' uninstall='' purge='' preload='' web_user='' wanted_php='' used=''

say() { printf '%s\n%s\n' "$1" "$2"; }
# fail 中文 ENGLISH
fail() {
    printf '安装失败：%s\ninstall.sh: %s\n' "$1" "$2" >&2
    exit 1
}
# Does it, or with --dry-run says what it would do.
run() {
    if [ -n "$dry_run" ]; then printf '    [dry-run] %s\n' "$*"; else "$@"; fi
}
package() { sed -n "s/^$1=//p" "$here/PACKAGE"; }

[ -f "$here/PACKAGE" ] || fail "install.sh 旁边没有 PACKAGE：请在解压出来的目录里运行。" "There is no PACKAGE beside install.sh: run it in the unpacked directory."
# shellcheck source=packaging/install/php.sh
. "$here/install/php.sh"
# shellcheck source=packaging/install/files.sh
. "$here/install/files.sh"

usage() {
    cat <<'HELP'
用法 / usage: ./install.sh [选项 / options]

  --php /path/to/php   只装到这个 PHP（可重复）；默认：本机所有合适的 PHP
                       install for this PHP only (may be repeated); default: every PHP of this machine that fits
  --web-user USER      网站运行用户，拥有 /var/lib/routine-template；默认 www 或 www-data
                       the user that PHP runs as, who owns /var/lib/routine-template; default www or www-data
  --preload            FFI 包：php-fpm 用 opcache.preload，而不是 ffi.enable=true
                       FFI bundle: opcache.preload for php-fpm instead of ffi.enable=true
  --dry-run            只显示将要做什么 / only show what would be done
  --uninstall          撤销安装（队列和授权数据保留）/ undo the installation (the queue and the grants stay)
  --purge              与 --uninstall 一起：连同 /var/lib/routine-template 一并删除
                       with --uninstall: delete /var/lib/routine-template too
HELP
}

# ------------------------------------------------------------------------------------------------- the machine, the package

check_machine() {
    arch=$(uname -m)
    [ "$(uname -s) $arch" = "Linux $(package arch)" ] ||
        fail "这个包用于 Linux $(package arch)，而本机是 $(uname -s) ${arch}。" "This package is for Linux $(package arch); this machine is $(uname -s) $arch."
    libc=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed -n 's/^glibc //p') || libc=''
    [ -n "$libc" ] || fail "本机没有 glibc（例如 Alpine 用的是 musl）。请使用 Debian 系列的镜像，或从源码编译。" \
        "This machine has no glibc (Alpine, for one, has musl). Use an image of the Debian family, or build from source."
    printf '%s\n%s\n' "$(package glibc)" "$libc" | sort -CV ||
        fail "本机 glibc 是 ${libc}，至少需要 $(package glibc)。" "This machine has glibc $libc: $(package glibc) or newer is needed."
}

# Two installations would write the same files, and each would take them away from the other.
check_no_other() {
    if command -v dpkg-query >/dev/null && dpkg-query -W -f '${Status}' routine-template 2>/dev/null | grep -q '^install ok'; then
        fail "已经用 .deb 装过 RoutineTemplate：请继续用 .deb 升级，或先 dpkg --remove 它。" "RoutineTemplate was installed as a .deb: upgrade it as one, or dpkg --remove it first."
    fi
}

check_package() {
    (cd "$here" && sha256sum -c --quiet SHA256SUMS) >&2 ||
        fail "包里的文件与 SHA256SUMS 不符（见上）。请重新下载、重新解压。" "The files are not those that SHA256SUMS names (see above). Download and unpack the package again."
}

# ------------------------------------------------------------------------------------------------------------------ checks

# shellcheck disable=SC2016 # PHP expands it
loads_ffi='require $argv[1]; $p = \RoutineTemplate\Ffi\Library::problem(); if ($p !== null) { fwrite(STDERR, $p . "\n"); exit(1); }'

# Tries the package's own files, before anything is changed.
try_package() {
    if [ "$name" != ffi ]; then
        "$1" -n -d display_errors=stderr -d extension="$here/routine_template.so" -r 'exit(phpversion("routine_template") === false ? 1 : 0);'
    elif [ "$(ask_php "$1" '(int) extension_loaded("ffi")')" = 1 ]; then
        "$1" -d ffi.enable=1 -d display_errors=stderr -d routine_template.library="$here/ffi/libroutine_template.so" -r "$loads_ffi" -- "$here/ffi/RoutineTemplate.php"
    else
        "$1" -d extension=ffi -d ffi.enable=1 -d display_errors=stderr -d routine_template.library="$here/ffi/libroutine_template.so" -r "$loads_ffi" -- "$here/ffi/RoutineTemplate.php"
    fi >&2
}

# Whether the php-fpm of a PHP allows FFI as it was asked to.
fpm_has_ffi() {
    said=$("$1" -i 2>/dev/null)
    printf '%s\n' "$said" | grep -qE "^ffi.enable => ${preload:-(On|1)} " || return 1
    # opcache is often switched on for one of the two php.ini alone, and without it nothing is preloaded.
    [ -z "$preload" ] || { printf '%s\n' "$said" | grep -q '^opcache.enable => On ' && printf '%s\n' "$said" | grep -qF "opcache.preload => $library_dir/preload.php "; }
}

# Asks PHP whether it works, as the shop's code will find it.
check_installed() {
    fpm=$(fpm_of "$1")
    if [ "$name" != ffi ]; then
        [ "$(ask_php "$1" 'phpversion("routine_template")')" = "$version" ] || return 1
        [ -z "$fpm" ] || "$fpm" -m 2>/dev/null | grep -qx routine_template
    else
        "$1" -d display_errors=stderr -r "$loads_ffi" -- "$library_dir/RoutineTemplate.php" >&2 || return 1
        [ -z "$fpm" ] || fpm_has_ffi "$fpm" || {
            say "${fpm} 的 php.ini（$("$fpm" -i 2>/dev/null | sed -n 's/^Loaded Configuration File => //p')）没有启用 FFI${preload:+，或没有启用 opcache}。" \
                "$fpm has no FFI${preload:+, or no opcache,} by its own php.ini, which is not that of the command line." >&2
            return 1
        }
    fi
}

# Whatever can be known to go wrong, before anything is changed.
try_for() {
    try_package "$1" || fail "$1 不能加载本包（原因见上）。什么都没有改动。" "$1 cannot load this package (the reason stands above). Nothing was changed."
    [ "$name" = ffi ] && [ -n "$preload" ] || return 0
    [ -n "$web_user" ] || fail "--preload 需要网站用户：--web-user www" "--preload needs the user that PHP runs as: --web-user www"
    [ "$(ask_php "$1" '(int) extension_loaded("Zend OPcache")')" = 1 ] || fail "$1 没有启用 opcache，不能用 --preload。" "$1 has no opcache: --preload needs it."
    other=$(ask_php "$1" 'ini_get("opcache.preload")')
    case $other in
        '' | "$library_dir/preload.php") ;;
        *) fail "$1 已经用 opcache.preload 加载 ${other}；请在那个文件里 require $library_dir/preload.php，并去掉 --preload。" \
            "$1 preloads $other already: require $library_dir/preload.php there, and leave out --preload." ;;
    esac
}

install_for() {
    php=$1
    if [ "$name" != ffi ]; then
        put "$here/routine_template.so" "$(ask_php "$php" 'ini_get("extension_dir")')/routine_template.so" 644
        settings=extension=routine_template.so
    else
        settings="routine_template.library=$library_dir/libroutine_template.so
${preload:+opcache.preload=$library_dir/preload.php
opcache.preload_user=$web_user}"
        [ -n "$preload" ] || settings="${settings}ffi.enable=true"
    fi
    ini_places "$php" >"$places"
    while read -r kind place; do
        lines=$settings
        [ "$name" != ffi ] || has_ffi_line "$php" "$kind" "$place" </dev/null || lines="extension=ffi
$settings"
        write_ini "$kind" "$place" </dev/null
    done <"$places"
    [ -z "$dry_run" ] || return 0
    if ! check_installed "$php"; then
        "$php" -r '' >&2 || true
        undo
        fail "$php 装好后没有加载 RoutineTemplate，已撤销全部改动。" "$php does not load RoutineTemplate after the installation: everything was undone."
    fi
    say "已装好：$php（PHP $(php_minor "$php")）" "Installed: $php (PHP $(php_minor "$php"))"
}

reload_hint() {
    fpm=$(fpm_of "$1")
    case $1 in
        /www/server/php/*)
            number=${1#/www/server/php/}
            [ "$name" != ffi ] || [ -n "$preload" ] || say "网站开着「防跨站攻击」（open_basedir）时读不到 ${library_dir}：装好 opcache 后用 --preload 重装，或在网站的 .user.ini 末尾加上 :$library_dir/" \
                "A site with open_basedir (防跨站攻击) cannot read $library_dir: install again with --preload (needs opcache), or append :$library_dir/ in the site's .user.ini."
            say "请重载 php-fpm：/etc/init.d/php-fpm-${number%%/*} reload（或宝塔面板：软件商店 → PHP → 服务 → 重载配置）" "Reload php-fpm: /etc/init.d/php-fpm-${number%%/*} reload"
            ;;
        *)
            [ -z "$fpm" ] || say "请重载 php-fpm 后生效：systemctl reload $(basename "$fpm" | sed 's/^php-fpm\([0-9.]\{3,\}\)$/php\1-fpm/')（容器：重启容器）" \
                "Reload php-fpm for it: systemctl reload $(basename "$fpm" | sed 's/^php-fpm\([0-9.]\{3,\}\)$/php\1-fpm/') (container: restart it)"
            ;;
    esac
}

# -------------------------------------------------------------------------------------------------------------------- main

while [ $# -gt 0 ]; do
    case $1 in
        --php)
            [ -n "${2:-}" ] || fail "--php 后面要写 PHP 的路径。" "--php needs the path of a PHP."
            wanted_php="$wanted_php$2
"
            shift
            ;;
        --web-user)
            id -u "${2:-}" >/dev/null 2>&1 || fail "--web-user：本机没有用户 '${2:-}'。" "--web-user: this machine has no user '${2:-}'."
            web_user=$2
            shift
            ;;
        --preload) preload=preload ;;
        --dry-run) dry_run=yes ;;
        --uninstall) uninstall=yes ;;
        --purge) purge=yes ;;
        -h | --help) usage && exit 0 ;;
        *) usage >&2 && fail "没有选项 '$1'。" "There is no option '$1'." ;;
    esac
    shift
done

version=$(package version)
name=$(package kind)
[ "$name" = ffi ] || name=php$(package php)
ini_name=routine_template
[ "$name" != ffi ] || ini_name=routine_template_ffi
manifest=$shared/installed/$name
[ -n "$dry_run" ] || [ "$(id -u)" -eq 0 ] || fail "需要 root：sudo $0" "This needs root: sudo $0"

if [ -n "$uninstall" ]; then
    [ -f "$manifest" ] || fail "这个包没有用 install.sh 装过（没有 $manifest）。" "This package was not installed by install.sh (there is no $manifest)."
    undo
    [ -z "$purge" ] || run rm -rf "$store"
    say "已卸载；请重载 php-fpm。" "Uninstalled; reload php-fpm."
    [ ! -d "$store" ] || [ -n "$dry_run" ] || say "保留了数据目录 ${store}（队列、授权）；不再需要时：rm -rf $store" "The store stays: $store (queue, grants). When it is not needed any more: rm -rf $store"
    exit 0
fi
[ -z "$purge" ] || fail "--purge 只能与 --uninstall 一起使用。" "--purge goes with --uninstall."

check_machine
check_no_other
check_package
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
places=$work/places
find_phps >"$work/phps"
while read -r php; do
    reason=$(why_not "$php" </dev/null)
    if [ -z "$reason" ]; then
        used="$used$php
"
    else
        printf '    %s: %s\n' "$php" "$reason"
    fi
done <"$work/phps"
[ -n "$used" ] || fail "本机没有适合这个包的 PHP（见上）。" "No PHP of this machine fits this package (see above)."

find_web_user
printf '%s' "$used" >"$work/used"
while read -r php; do try_for "$php" </dev/null; done <"$work/used"

[ -n "$dry_run" ] || mkdir -p "$shared/installed"
put "$here/routine-template" "$command" 755
(cd "$here" && find ffi crmeb stubs examples -type f 2>/dev/null | sort) >"$work/files" || true
while read -r file; do
    case $file in
        ffi/*) put "$here/$file" "$library_dir/${file#ffi/}" 644 ;;
        *) put "$here/$file" "$shared/$file" 644 ;;
    esac
done <"$work/files"
make_store
while read -r php; do install_for "$php" </dev/null; done <"$work/used"
if [ -z "$dry_run" ]; then
    while read -r php; do reload_hint "$php" </dev/null; done <"$work/used"
    say "检查一切：$command doctor" "Check everything: $command doctor"
fi
