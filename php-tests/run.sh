#!/usr/bin/env bash
# Runs PHPUnit against one of the two faces, with one PHP:
#
#   php-tests/run.sh extension|ffi PHP PHPUNIT [PHPUnit argument...]
#
# ROUTINE_TEMPLATE_EXTENSION, _LIBRARY, _FFI, _COMMAND, _FPM and _NGINX name the programs under test; support/Environment.php has
# what they are where nothing is said.
set -euo pipefail

[ $# -ge 3 ] || {
    printf 'usage: %s extension|ffi PHP PHPUNIT [PHPUnit argument...]\n' "$0" >&2
    exit 2
}
export ROUTINE_TEMPLATE_FACE=$1
php=$2 phpunit=$3
shift 3
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)
ini=$(mktemp)
trap 'rm -f -- "$ini"' EXIT

# PHP's own settings without any of ours: a test must neither load another build nor see a shop's real account.
"$php" -r 'echo php_ini_loaded_file() ?: "", "\n", str_replace(",", "\n", php_ini_scanned_files() ?: ""), "\n";' 2>/dev/null |
    while IFS= read -r file; do
        file=${file#"${file%%[![:space:]]*}"}
        [ -f "$file" ] || continue
        { grep -v -a 'routine[_-]template' "$file" || true; } >>"$ini"
        printf '\n' >>"$ini"
    done

settings=(
    -c "$ini" -d routine_template.base_url=https://127.0.0.1:9 -d routine_template.store=off
    -d memory_limit=1G -d zend.assertions=1 -d error_reporting=-1 -d display_errors=stderr
)
case $ROUTINE_TEMPLATE_FACE in
    extension) settings+=(-d "extension=${ROUTINE_TEMPLATE_EXTENSION:-$root/build/routine_template.so}") ;;
    ffi)
        settings+=(-d ffi.enable=1)
        PHP_INI_SCAN_DIR='' "$php" -c "$ini" -r 'exit(extension_loaded("ffi") ? 0 : 1);' || settings+=(-d extension=ffi)
        ;;
esac
cd "$root"
PHP_INI_SCAN_DIR='' "$php" "${settings[@]}" "$phpunit" -c "$root/php-tests/phpunit.xml" "$@"
