#!/usr/bin/env bash
# 用模拟微信试一个真实的、已打补丁的 CRMEB：不联系真正的微信，数据库的改动最后全部回滚。
# Tries a real, patched CRMEB against the fake WeChat: the real one is never asked, and what changes in the database is rolled back.
#
#   crmeb/try.sh /www/wwwroot/shop            PHP=/usr/bin/php7.4  COMMAND=/usr/local/bin/routine-template  [FFI_DIRECTORY=…]
#
# 请在测试用的商城上运行，数据库须可连接（.env）。
# For a shop that is for testing, with its database (.env) reachable.
set -euo pipefail

shop=${1:?usage: $0 SHOP_DIRECTORY}
here=$(cd "$(dirname "$0")" && pwd)
php=${PHP:-php}
command=${COMMAND:-routine-template}
work=$(mktemp -d)
sandbox=''

finish() {
    [ -z "$sandbox" ] || kill "$sandbox" 2>/dev/null || true
    rm -rf -- "$work"
}
trap finish EXIT

"$command" sandbox --ready-file "$work/ready.json" --ca-file "$work/ca.pem" >"$work/sandbox.log" 2>&1 &
sandbox=$!
for _ in $(seq 200); do
    [ ! -s "$work/ready.json" ] || break
    kill -0 "$sandbox" 2>/dev/null || { cat "$work/sandbox.log" >&2; exit 1; }
    sleep 0.1
done
[ -s "$work/ready.json" ] || { echo "模拟微信没有启动 / the fake WeChat did not start" >&2; exit 1; }

settings=(
    -d ffi.enable=true
    -d "routine_template.base_url=$(sed 's/.*"https":"\([^"]*\)".*/\1/' "$work/ready.json")"
    -d "routine_template.ca_file=$work/ca.pem"
    -d "routine_template.store=$work/store"
)
[ -z "${FFI_DIRECTORY:-}" ] || settings+=(-d "routine_template.library=$FFI_DIRECTORY/libroutine_template.so")
script=try.php
[ ! -f "$shop/thinkphp/base.php" ] || script=try-zzff.php
[ ! -f "$shop/app/models/routine/RoutineTemplate.php" ] || script=try-3.2.8.php
"$php" "${settings[@]}" "$here/$script" "$shop" "$work/ready.json"
