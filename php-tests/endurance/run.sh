#!/usr/bin/env bash
# Runs one of the long trials with one of the two faces; `./build.sh endure` calls it with the programs to try:
#
#   php-tests/endurance/run.sh extension|ffi PHP soak|memory|fpm [argument...]
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd -P)
export ROUTINE_TEMPLATE_FACE=$1
php=$2 trial=$3
shift 3
settings=(-d memory_limit=1G -d zend.assertions=1 -d error_reporting=-1 -d display_errors=stderr
    -d routine_template.base_url=https://127.0.0.1:9 -d routine_template.store=off)
case $ROUTINE_TEMPLATE_FACE in
    extension) settings+=(-d "extension=${ROUTINE_TEMPLATE_EXTENSION:-$here/../../build/routine_template.so}") ;;
    ffi) settings+=(-d ffi.enable=1) ;;
esac
exec "$php" "${settings[@]}" "$here/$trial.php" "$@"
