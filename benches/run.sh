#!/usr/bin/env bash
# Runs the benchmarks that need PHP; `./build.sh bench` calls it with the programs to measure.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
php=${ROUTINE_TEMPLATE_PHP:-php}
for script in run queue faces; do
    "$php" -d extension="${ROUTINE_TEMPLATE_EXTENSION:-$here/../build/routine_template.so}" -d memory_limit=1G "$here/php/$script.php" "$@"
done
