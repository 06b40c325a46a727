# shellcheck shell=bash
# Builds that do not say where they were made. To be sourced (bash).
#
#   without_builder_paths COMMAND...   runs a build; what it makes names neither the source tree, nor cargo's home, nor the compiler's

builder_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

without_builder_paths() {
    local flags separator=$'\x1f'
    # As cargo chooses: the first of the two that is there. Unlike a configuration's flags, which either replaces.
    flags=${CARGO_ENCODED_RUSTFLAGS:-$(printf '%s' "${RUSTFLAGS:-}" | tr -s ' ' "$separator")}
    flags+=${flags:+$separator}--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo
    flags+=$separator--remap-path-prefix=$(rustc --print sysroot)=/rust
    flags+=$separator--remap-path-prefix=$builder_root=/routine-template
    CARGO_ENCODED_RUSTFLAGS=$flags "$@"
}
