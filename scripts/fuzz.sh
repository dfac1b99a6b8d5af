#!/usr/bin/env bash
# Looks for inputs that break what reads bytes from outside: SECONDS_EACH (60) for each target, or
# for the ones that are named. It begins with fuzz/corpus and keeps what it finds in target/fuzz; an
# input that breaks something is kept in fuzz/artifacts and belongs into the corpus, with its mend.
set -euo pipefail
source "$(dirname "$0")/environment.sh"
cd "$root"

if ! command -v cargo-fuzz >/dev/null; then
  echo "Building cargo-fuzz, which drives the fuzzer; about a minute, once"
  CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off \
    cargo install --quiet --root "$tools" cargo-fuzz --locked
fi
# The fuzzer's flags take the place of those in .cargo/config.toml, without which the pages, which come
# along with the server, do not compile.
export RUSTFLAGS="${RUSTFLAGS:-} --cfg=erase_components"
targets=("$@")
[[ ${#targets[@]} -gt 0 ]] || targets=(socket_message cursor model_answer imported_run)
for target in "${targets[@]}"; do
  # Without a sanitizer, which Rust without unsafe code does not need, any compiler will do.
  mkdir -p "target/fuzz/$target"
  cargo fuzz run --features libfuzzer --sanitizer none "$target" "target/fuzz/$target" "fuzz/corpus/$target" -- \
    -max_total_time="${SECONDS_EACH:-60}" -max_len=65536 -print_final_stats=1
done
