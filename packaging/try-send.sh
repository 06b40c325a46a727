#!/bin/sh
# Runs inside the Debian that a package was installed on: sends a message to the fake WeChat, from PHP's command line and from php-fpm.
#
#   try-send.sh EXAMPLES_DIR PHP FPM USER OPTIONS_OF_PHP OPTIONS_OF_FPM      (options as name=value, parted by blanks)
set -eu

examples=$1 php=$2 fpm=$3 user=$4 php_options=$5 fpm_options=$6
work=$(mktemp -d)
chmod 755 "$work"
sandbox='' pool=''
stop() {
    [ -z "$pool" ] || kill "$pool" 2>/dev/null || true
    [ -z "$sandbox" ] || kill "$sandbox" 2>/dev/null || true
    wait
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM HUP

# until FILE exists, thirty seconds at most
await() {
    waited=0
    until [ -e "$1" ]; do
        [ $waited -lt 300 ] || {
            cat "$work"/*.log >&2
            echo "try-send: $2 did not start" >&2
            exit 1
        }
        sleep 0.1
        waited=$((waited + 1))
    done
}

routine-template sandbox --http 127.0.0.1:0 --https 127.0.0.1:0 --ca-file "$work/ca.pem" --ready-file "$work/ready.json" >"$work/sandbox.log" 2>&1 &
sandbox=$!
await "$work/ready.json" "the fake WeChat"
chmod 644 "$work/ca.pem" "$work/ready.json"
https=$(sed 's/.*"https": *"\([^"]*\)".*/\1/' "$work/ready.json" | tr -d '\n')

# The rest of the settings is the installation's own.
settings="routine_template.base_url=$https routine_template.ca_file=$work/ca.pem date.timezone=Asia/Shanghai display_errors=1"
options() { for option in $settings $1; do printf ' -d %s' "$option"; done; }

# shellcheck disable=SC2046 # options without blanks
"$php" $(options "$php_options") "$examples/order_paid.php" >"$work/cli.out" || {
    cat "$work/cli.out" >&2
    exit 1
}

printf '[global]\nerror_log = %s/fpm.log\n[www]\nuser = %s\ngroup = %s\nlisten = %s/fpm.sock\npm = static\npm.max_children = 2\n' "$work" "$user" "$user" "$work" >"$work/fpm.conf"
# shellcheck disable=SC2046
"$fpm" -F -y "$work/fpm.conf" $(options "$fpm_options") >"$work/fpm.out.log" 2>&1 &
pool=$!
await "$work/fpm.sock" php-fpm
SCRIPT_FILENAME="$examples/order_paid.php" SCRIPT_NAME=/order_paid.php REQUEST_METHOD=GET cgi-fcgi -bind -connect "$work/fpm.sock" >"$work/fpm.out"
grep -q '"errcode": 0' "$work/fpm.out" || {
    cat "$work/fpm.out" "$work"/*.log >&2
    exit 1
}
[ "$(stat -c '%U %a' /var/lib/routine-template)" = "$user 700" ] || {
    ls -la /var/lib/routine-template >&2
    echo "try-send: the store does not belong to $user alone" >&2
    exit 1
}
find /var/lib/routine-template -type f ! -user "$user" -print | grep . >&2 && {
    echo "try-send: files of the store belong to another user than $user" >&2
    exit 1
}
[ -n "$(find /var/lib/routine-template -type f -print -quit)" ] || {
    echo "try-send: nothing was written to /var/lib/routine-template" >&2
    exit 1
}
echo "    sent from $php and from $fpm"
