#!/usr/bin/env bash
# Builds the release server and page, unless they are newer than every source.
set -euo pipefail
source "$(dirname "$0")/environment.sh"
cd "$root"

stamp=target/release/.pitwall-built
sources=(app frontend server crates style public Cargo.toml Cargo.lock .cargo)

# Folders count as well as files: a deleted file changes its folder's time.
fresh() {
  [[ -x target/release/pitwall && -d target/site/pkg && -f "$stamp" ]] &&
    [[ -z "$(find "${sources[@]}" -newer "$stamp" -print -quit)" ]]
}

fresh && exit
scripts/setup.sh build
printf '\033[1m==>\033[0m %s\n' "Building Pitwall; about 10 minutes the first time, on two cores"
mkdir -p target/release
# The time before the build, so that an edit during it is not taken for built.
touch "$stamp.started"
# Panics name the files that they happen in. The page need not carry the folder that libraries lie in on this machine.
# The flags stand in the place of those in .cargo/config.toml; they are parted by spaces, so a folder has none.
page_flags="--cfg=erase_components"
for folder in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/; do
  [[ "$folder" == *[[:space:]]* ]] || page_flags+=" --remap-path-prefix=$folder="
done
# Side by side: the page's build ends with steps that use one core. The server is left to cargo itself:
# cargo-leptos would empty the folder of the page's files for it as well.
cargo build --release --package server --bin pitwall &
server=$!
page=0
RUSTFLAGS="$page_flags" cargo leptos build --release --frontend-only --split --precompress || page=$?
wait "$server"
[[ $page -eq 0 ]]
mv "$stamp.started" "$stamp"
