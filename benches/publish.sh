#!/usr/bin/env bash
# Puts what benches/run.sh has measured between the marks of docs/benchmarks.md and docs/benchmarks.zh-CN.md.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
results=${BENCH_RESULTS:-$root/build/benchmarks}

for language in md zh-CN.md; do
    page=$root/docs/benchmarks.$language
    measured=$results/measured.$language
    [ -s "$measured" ] || {
        printf '%s is missing: run ./build.sh bench before.\n' "$measured" >&2
        exit 1
    }
    {
        sed '/<!-- measured -->/q' "$page"
        cat "$measured"
        printf '\n'
        sed -n '/<!-- \/measured -->/,$p' "$page"
    } >"$page.new"
    mv "$page.new" "$page"
done
