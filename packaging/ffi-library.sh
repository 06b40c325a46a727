#!/usr/bin/env bash
# Builds what PHP's FFI needs, and the command line, for any Linux with glibc 2.17 or newer:
#
#   packaging/ffi-library.sh OUTPUT_DIR
#
# OUTPUT_DIR then looks as the FFI bundle is installed: RoutineTemplate.php, src/, preload.php, routine_template.h, libroutine_template.so,
# and routine-template beside them.
set -euo pipefail

[ $# -eq 1 ] || {
    printf 'usage: %s OUTPUT_DIR\n' "$0" >&2
    exit 2
}
mkdir -p "$1"
output=$(cd "$1" && pwd -P)
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd -P)
root=$(dirname "$here")
# shellcheck source=packaging/old-glibc.sh
. "$here/old-glibc.sh"
need_zigbuild

# Target directories of their own: each of the builds writes a libroutine_template.so.
target=${CARGO_TARGET_DIR:-$root/target}/old-glibc
release=$old_glibc_target/release

cargo_old_glibc "$target/ffi" --no-default-features --features ffi,bundled-sqlite --lib
library=$target/ffi/$release/libroutine_template.so
check_glibc "$library" "$oldest_glibc"
check_nodelete "$library"

cargo_old_glibc "$target/cli" --no-default-features --features cli,bundled-sqlite --bin routine-template
command=$target/cli/$release/routine-template
check_glibc "$command" "$oldest_glibc"

# In one step each: a running PHP keeps the library that it has mapped.
place() {
    install -m "$3" -- "$1" "$2.new"
    mv -f -- "$2.new" "$2"
}
place "$library" "$output/libroutine_template.so" 644
place "$command" "$output/routine-template" 755
mkdir -p "$output/src"
rm -f -- "$output"/src/*.php
install -m 644 -- "$root"/ffi/src/*.php "$output/src/"
shopt -s nullglob
for file in "$root"/ffi/*.php "$root"/ffi/*.h; do
    place "$file" "$output/$(basename "$file")" 644
done
