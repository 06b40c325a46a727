#!/usr/bin/env bash
# Lists the crates inside each kind of binary, as CycloneDX (cargo-cyclonedx):
#
#   packaging/sbom.sh OUTPUT_DIR VERSION
#
# SQLite, which is C, is inside the crate libsqlite3-sys.
set -euo pipefail

[ $# -eq 2 ] || {
    printf 'usage: %s OUTPUT_DIR VERSION\n' "$0" >&2
    exit 2
}
output=$(cd "$1" && pwd -P)
version=$2
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)

made=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}" +%Y-%m-%dT%H:%M:%SZ)

# One of our own under build/, if the machine has none.
PATH=$PATH:$root/build/tools/bin
export PATH
if ! command -v cargo-cyclonedx >/dev/null; then
    cargo install --quiet --locked --debug --root "$root/build/tools" cargo-cyclonedx --version 0.5.9
fi

# sbom KIND FEATURES
sbom() {
    local name=routine-template-$version-$1.cdx
    (cd "$root" && cargo cyclonedx --quiet --format json --spec-version 1.5 --target x86_64-unknown-linux-gnu \
        --no-default-features --features "$2" --override-filename "$name")
    # Neither where nor when it was made is part of what is inside.
    sed "s#path+file://$root#path+file:///routine-template#g
        s/\"timestamp\": \"[^\"]*\"/\"timestamp\": \"$made\"/" "$root/$name.json" >"$output/$name.json"
    rm -f -- "$root/$name.json"
}

sbom extension php,bundled-sqlite
sbom ffi ffi,bundled-sqlite
sbom command cli,bundled-sqlite
