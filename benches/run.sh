#!/usr/bin/env bash
# Runs the benchmarks that need PHP, and writes their tables in both languages into build/benchmarks/; `./build.sh bench` calls it with the
# programs to measure:
#
#   benches/run.sh [--quick] [machine|fpm|cli|queue|bulk|start|faces|core|targets ...]
#
# --quick takes a minute and shows that all works; its figures are rough. BENCH_ROUNDS (5) and BENCH_SCALE (1) say how often and how much.
# benches/publish.sh puts the tables into docs/.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
sections=(machine fpm cli queue bulk start faces core targets)

if [ "${1:-}" = --quick ]; then
    export BENCH_ROUNDS=${BENCH_ROUNDS:-2} BENCH_SCALE=${BENCH_SCALE:-0.1}
    shift
fi
for section in "$@"; do
    [[ " ${sections[*]} " == *" $section "* ]] || {
        printf 'There is no benchmark %s. They are: %s\n' "$section" "${sections[*]}" >&2
        exit 2
    }
done
export BENCH_RESULTS=${BENCH_RESULTS:-$here/../build/benchmarks}
mkdir -p "$BENCH_RESULTS"
if [ $# -eq 0 ]; then
    rm -f "$BENCH_RESULTS"/*
    set -- "${sections[@]}"
fi
for section in "$@"; do
    "${ROUTINE_TEMPLATE_PHP:-php}" -d extension="${ROUTINE_TEMPLATE_EXTENSION:-$here/../build/routine_template.so}" -d memory_limit=1G "$here/php/$section.php"
done
# What a reader asks first stands first.
for language in md zh-CN.md; do
    for section in targets machine fpm cli queue bulk start faces core; do
        cat "$BENCH_RESULTS/$section.$language" 2>/dev/null || true
    done >"$BENCH_RESULTS/measured.$language.new"
    mv "$BENCH_RESULTS/measured.$language.new" "$BENCH_RESULTS/measured.$language"
done
printf '\n%s\n' "$BENCH_RESULTS/measured.md" "$BENCH_RESULTS/measured.zh-CN.md"
