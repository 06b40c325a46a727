#!/usr/bin/env bash
# Runs fuzz targets, each until it has used so many seconds of CPU time, and keeps the record of all runs since it was begun:
#
#   fuzz/run.sh SECONDS [TARGET...]
#
# FUZZ_JOBS targets run at the same time (1), with what FUZZ_SANITIZER says (none; address). CPU time counts, not the clock's: on a
# busy machine a minute on the clock may be a second of work. A run goes in segments, each of which adds its line to
# fuzz/record/TARGET.tsv, so that one that is broken off goes on where it was. Fails if an input does.
set -euo pipefail

[[ ${1:-} =~ ^[1-9][0-9]*$ ]] || {
    printf 'usage: %s SECONDS [TARGET...]\n' "$0" >&2
    exit 2
}
wanted=$1
shift
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)
cd "$root"
sanitizer=${FUZZ_SANITIZER:-none}
# Seconds on the clock.
shortest=30
segment=120
record=fuzz/record
# Each sanitizer has its own, so that neither builds the other's anew.
directory=fuzz/target
[ "$sanitizer" = none ] || directory=fuzz/target/$sanitizer
programs=$directory/$(rustc +nightly -vV | sed -n 's/^host: //p')/release
targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(cargo +nightly fuzz list)

build=(cargo +nightly fuzz build -s "$sanitizer" --target-dir "$directory")
if [ $# -eq 1 ]; then "${build[@]}" "$1"; else "${build[@]}"; fi
mkdir -p "$record"
# What a target puts down on the disk is gone with the run.
TMPDIR=$(mktemp -d)
export TMPDIR
trap 'rm -rf -- "$TMPDIR"' EXIT

# Seconds of CPU time that a target has used, of all its segments with this sanitizer.
used() {
    [ -f "$record/$1.tsv" ] || { echo 0; return; }
    awk -F '\t' -v with="$sanitizer" '$2 == with { sum += $3 } END { printf "%d", sum }' "$record/$1.tsv"
}

# One target until it has used up its time.
run_target() {
    local target=$1 goal=$2 log left status
    mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target"
    log=$record/$target.log
    while left=$((goal - $(used "$target"))) && [ "$left" -gt 0 ]; do
        # On a busy machine a shorter one would do no more than read its corpus.
        left=$((left < shortest ? shortest : left > segment ? segment : left))
        status=0
        TIMEFORMAT='%U %S'
        { time "$programs/$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -artifact_prefix="fuzz/artifacts/$target/" \
            -max_total_time="$left" -timeout=60 -rss_limit_mb=4096 -print_final_stats=1 2>"$log"; } 2>"$log.time" || status=$?
        awk -v OFS='\t' -v when="$(date -u +%FT%TZ)" -v with="$sanitizer" -v status="$status" '
            FILENAME ~ /time$/ { cpu = $1 + $2 }
            /stat::number_of_executed_units/ { executed = $2 }
            / cov: / { for (i = 1; i < NF; i++) { if ($i == "cov:") edges = $(i + 1); if ($i == "ft:") features = $(i + 1) } }
            END { print when, with, cpu, executed + 0, edges + 0, features + 0, status && status != 72 ? 1 : 0 }
        ' "$log.time" "$log" >>"$record/$target.tsv"
        # libFuzzer's word for a run that was interrupted.
        [ "$status" -ne 72 ] || return 1
        if [ "$status" -ne 0 ]; then
            printf '%s failed; its last words:\n' "$target" >&2
            tail -n 40 "$log" >&2
            return 1
        fi
    done
}

failed=0
for target in "${targets[@]}"; do
    goal=$wanted
    # A record that is kept is gone on with; without one the run is new.
    [ -n "${FUZZ_RECORD:-}" ] || goal=$(($(used "$target") + wanted))
    while [ "$(jobs -rp | wc -l)" -ge "${FUZZ_JOBS:-1}" ]; do
        wait -n || failed=1
    done
    run_target "$target" "$goal" &
done
while [ -n "$(jobs -p)" ]; do
    wait -n || { [ $? -eq 127 ] && break; failed=1; }
done

printf '%-18s %10s %14s %8s %9s %7s %8s\n' target CPU-s executions edges features corpus failures
for target in "${targets[@]}"; do
    awk -F '\t' -v target="$target" -v with="$sanitizer" -v corpus="$(find "fuzz/corpus/$target" -type f 2>/dev/null | wc -l)" '
        $2 == with { cpu += $3; executed += $4; if ($5 > edges) edges = $5; if ($6 > features) features = $6; failures += $7 }
        END { printf "%-18s %10d %14d %8d %9d %7d %8d\n", target, cpu, executed, edges, features, corpus, failures }
    ' "$record/$target.tsv"
done
exit "$failed"
