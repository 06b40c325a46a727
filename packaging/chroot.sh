# shellcheck shell=bash
# Another Debian beside this one, for building and trying with a PHP that this machine does not have. To be sourced (bash).
#
#   make_chroot SUITE DIR PACKAGE...   a Debian SUITE (bullseye, bookworm, trixie) in DIR with the packages; quick if it is there already
#   in_chroot DIR COMMAND...           runs a command in it, with the source tree under its own path
#   copy_chroot DIR COPY               a second one, for a try that shall leave no trace in the first
#   remove_chroot DIR
#
# Mounts live in a mount namespace of each command and end with it, even with kill -9: none is ever left behind, and removing a
# chroot cannot reach through one. Root only. DEBIAN_MIRROR=URL chooses another mirror than this machine's own.

chroot_source_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# Files of a chroot live under build/ unless a caller says otherwise.
# shellcheck disable=SC2034 # for who sources this
chroot_directory=$chroot_source_root/build/chroot

chroot_fail() {
    printf 'chroot: %s\n' "$1" >&2
    shift
    [ $# -eq 0 ] || printf '  -> %s\n' "$@" >&2
    return 1
}

# The mirror that this machine's own packages come from, if it is a Debian.
chroot_mirror() {
    if [ -n "${DEBIAN_MIRROR:-}" ]; then
        printf '%s\n' "$DEBIAN_MIRROR"
    elif [ -f /etc/debian_version ]; then
        { cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null || true; } |
            sed -n 's/^ *deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\/debian\/\{0,1\}\) .*/\2/p; s/^URIs: *\([^ ]*\/debian\/\{0,1\}\) *$/\1/p' | sed -n 1p
    fi
}

# make_chroot SUITE DIR PACKAGE...
make_chroot() {
    local suite=$1 dir=$2 mirror missing=() package log
    shift 2
    [ "$(id -u)" -eq 0 ] || chroot_fail "A chroot can only be made by root." || return 1
    if [ ! -e "$dir/var/lib/routine-template-chroot" ]; then
        command -v debootstrap >/dev/null || chroot_fail "debootstrap is not installed." "Run: apt-get install debootstrap" || return 1
        mirror=$(chroot_mirror)
        mkdir -p "$dir"
        log=$dir.log
        # In a mount namespace: debootstrap mounts /proc in its target and leaves it there when it is killed.
        # shellcheck disable=SC2086 # no mirror is no word
        if ! unshare --mount --propagation private debootstrap --variant=minbase "$suite" "$dir" $mirror >"$log" 2>&1; then
            tail -n 5 "$log" >&2
            chroot_fail "debootstrap could not make a Debian $suite in $dir." "Its words: $log" "Another mirror: DEBIAN_MIRROR=URL" || return 1
        fi
        # No service starts: a chroot has no ports of its own.
        printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d"
        chmod 755 "$dir/usr/sbin/policy-rc.d"
        mkdir -p "$dir$chroot_source_root"
        touch "$dir/var/lib/routine-template-chroot"
    fi
    for package in "$@"; do
        # shellcheck disable=SC2016 # dpkg-query expands it
        chroot "$dir" dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    log=$dir.log
    if ! { in_chroot "$dir" apt-get update -q && in_chroot "$dir" apt-get install -y -q --no-install-recommends "${missing[@]}"; } >>"$log" 2>&1; then
        tail -n 5 "$log" >&2
        chroot_fail "apt-get could not install ${missing[*]} in $dir." "Its words: $log" || return 1
    fi
    in_chroot "$dir" apt-get clean
}

# in_chroot DIR COMMAND...
in_chroot() {
    local dir=$1
    shift
    mkdir -p "$dir$chroot_source_root"
    # shellcheck disable=SC2016 # the inner shell expands it
    CHROOT_DIR=$dir CHROOT_BIND=$chroot_source_root unshare --mount --propagation private sh -c '
        set -eu
        mount -t proc proc "$CHROOT_DIR/proc"
        mount --rbind /dev "$CHROOT_DIR/dev"
        mount --rbind "$CHROOT_BIND" "$CHROOT_DIR$CHROOT_BIND"
        # One that the chroot of another caller shares keeps its own resolver.
        if [ -s /etc/resolv.conf ]; then cp -L /etc/resolv.conf "$CHROOT_DIR/etc/resolv.conf"; fi
        exec chroot "$CHROOT_DIR" /usr/bin/env -u CHROOT_DIR -u CHROOT_BIND -u LD_LIBRARY_PATH PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
    ' sh "$@"
}

# copy_chroot DIR COPY
copy_chroot() {
    remove_chroot "$2" && cp -a --reflink=auto -- "$1" "$2"
}

# remove_chroot DIR
remove_chroot() {
    [ -e "$1" ] || return 0
    [ -e "$1/var/lib/routine-template-chroot" ] || chroot_fail "$1 was not made here: it is not removed." || return 1
    rm -rf --one-file-system -- "$1"
}
