#!/usr/bin/env bash
# 用模拟微信试一个真实的、已打补丁的 CRMEB：不联系真正的微信，数据库的改动最后全部回滚。
# Tries a real, patched CRMEB against the fake WeChat: the real one is never asked, and what changes in the database is rolled back.
#
#   PHP=/usr/bin/php7.4 bash try.sh /www/wwwroot/shop          [COMMAND=/usr/local/bin/routine-template] [FFI_DIRECTORY=…]
#
# 请在测试用的商城上运行，数据库须可连接（.env）；用网站的用户运行，否则 runtime 里留下网站写不了的文件。
# For a shop that is for testing, with its database (.env) reachable. Run it as the web user: files of another user in runtime are in
# the web user's way.
set -euo pipefail

shop=$(cd "${1:?usage: $0 SHOP_DIRECTORY}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
php=${PHP:-php}
# sudo leaves /usr/local/bin out on CentOS.
command=${COMMAND:-$(command -v routine-template || echo /usr/local/bin/routine-template)}
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
