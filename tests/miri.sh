#!/usr/bin/env bash
# Unit tests in Miri, which finds undefined behaviour, overflow and out-of-bounds access of everything that a test runs through:
#
#   tests/miri.sh [TEST...]
#
# What is left out cannot run there. Miri has no C library beyond Rust's own needs, so nothing with SQLite, sockets, TLS or other
# processes; and src/ffi/question.rs changes stacks by assembler. Tests with many thousand steps, AES and the
# parsers of pushes would take hours.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)
cd "$root"
tests=("$@")
[ $# -gt 0 ] || tests=(
    answer:: app:: config:: field:: grant:: message:: options:: outbox::backoff outbox::sender quota:: lru_cache::
    store::redis::refusal store::redis::url template:: template_library:: template_list::
    wechat::api wechat::circuit wechat::data wechat::errcode ffi::answer ffi::call ffi::given ffi::json_input ffi::tagged
)
# A step takes a thousand times as long there.
export PROPTEST_CASES=${PROPTEST_CASES:-4}
# The time of day is read by tests of dates.
export MIRIFLAGS="-Zmiri-disable-isolation ${MIRIFLAGS:-}"
# Miri runs no foreign code, so that no SQLite needs to be built.
exec cargo +nightly miri test --no-default-features --features ffi,system-sqlite --lib -- "${tests[@]}"
