# Sourced by every script: puts the project's own tools first on PATH and
# chooses the Rust toolchain that `scripts/setup.sh` prepared.
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
tools="${PITWALL_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/pitwall/tools}"
export PATH="$tools/bin:$root/node_modules/.bin:$PATH"
# Written only where rustup could not supply the WebAssembly target.
if [[ -z "${RUSTUP_TOOLCHAIN:-}" && -f "$tools/toolchain" ]]; then
  RUSTUP_TOOLCHAIN="$(<"$tools/toolchain")"
  export RUSTUP_TOOLCHAIN
fi
