#!/usr/bin/env bash
# Installs what building Pitwall needs, each part only if it is absent.
#   scripts/setup.sh rust       the compiler with its WebAssembly target, clippy, rustfmt
#   scripts/setup.sh build      the WebAssembly target, cargo-leptos, wasm-bindgen, wasm-opt
#   scripts/setup.sh test       all of these, and Chromium, Playwright, Schemathesis, Python's websockets and openai,
#                               Studio's pages, both lines of AutoGen
#   scripts/setup.sh browsers   what `build` needs, and Firefox, WebKitGTK and what drives them
set -euo pipefail
source "$(dirname "$0")/environment.sh"
cd "$root"

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
have() { command -v "$1" >/dev/null 2>&1; }
as_root() { if [[ $EUID -eq 0 ]]; then "$@"; else sudo "$@"; fi; }

debian_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
  done
  [[ ${#missing[@]} -eq 0 ]] && return
  say "Installing Debian packages (${missing[*]}); about a minute"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

wasm_target_present() {
  local directory
  directory="$(rustc --print target-libdir --target wasm32-unknown-unknown 2>/dev/null)" || return 1
  compgen -G "$directory/libstd-*.rlib" >/dev/null
}

# Debian's compiler with its standard library built for WebAssembly: the way to
# the target where rustup's own server cannot be reached.
wasm_target_from_debian() {
  debian_packages rustc-web cargo-web rust-web-src lld-19
  as_root ln -sf /usr/bin/lld-19 /usr/local/bin/rust-lld
  rustup toolchain link debian-web /usr
  if ! compgen -G "/usr/lib/rustlib/wasm32-unknown-unknown/lib/libstd-*.rlib" >/dev/null; then
    say "Building the standard library for WebAssembly; about half a minute"
    local scratch
    scratch="$(mktemp -d)"
    (
      cd "$scratch"
      unset RUSTUP_TOOLCHAIN
      RUSTC=/usr/bin/rustc /usr/bin/cargo init --quiet --lib --name sysroot .
      RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc /usr/bin/cargo build --quiet --release \
        -Zbuild-std=std,panic_abort --target wasm32-unknown-unknown
      rm -f target/wasm32-unknown-unknown/release/deps/*sysroot*
      as_root mkdir -p /usr/lib/rustlib/wasm32-unknown-unknown/lib
      as_root cp target/wasm32-unknown-unknown/release/deps/*.{rlib,rmeta} \
        /usr/lib/rustlib/wasm32-unknown-unknown/lib/
    )
    rm -rf "$scratch"
  fi
  mkdir -p "$tools"
  echo debian-web >"$tools/toolchain"
  export RUSTUP_TOOLCHAIN=debian-web
}

wasm_target() {
  wasm_target_present && return
  say "Adding the WebAssembly target to Rust"
  rustup target add wasm32-unknown-unknown >/dev/null 2>&1 && wasm_target_present && return
  if have apt-get; then
    say "rustup cannot supply it here; taking Debian's compiler instead"
    wasm_target_from_debian
  fi
  wasm_target_present || {
    echo "The wasm32-unknown-unknown target is missing. Run: rustup target add wasm32-unknown-unknown" >&2
    exit 1
  }
}

# Unoptimised builds of the tools: they compile in a third of the time and are fast enough.
install_tool() {
  local optimisation="$1"; shift
  CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
    CARGO_PROFILE_RELEASE_OPT_LEVEL="$optimisation" CARGO_TARGET_DIR="$tools/target" \
    cargo install --quiet --root "$tools" "$@"
  rm -rf "$tools/target"
}

cargo_leptos() {
  local version=0.3.11
  [[ "$(cargo-leptos --version 2>/dev/null)" == *"$version"* ]] && return
  if have cargo-binstall && cargo binstall --no-confirm --quiet --root "$tools" "cargo-leptos@$version"; then return; fi
  say "Building cargo-leptos $version, which builds the server and the page together; about 6 minutes, once"
  # These it spends its time in: splitting the page's program and compressing its files.
  local hot=() package
  for package in brotli brotli-decompressor libflate libflate_lz77 wasm_split_cli_support wasmparser@0.258.0 wasm-encoder@0.258.0; do
    hot+=(--config "profile.release.package.'$package'.opt-level=2")
  done
  install_tool 0 cargo-leptos --version "$version" --locked --no-default-features --ignore-rust-version "${hot[@]}"
}

# The command must be of exactly the version in Cargo.lock: its file format changes with each.
wasm_bindgen() {
  local version
  version="$(sed -n '/^name = "wasm-bindgen"$/{n;s/version = "\(.*\)"/\1/p}' Cargo.lock)"
  [[ "$(wasm-bindgen --version 2>/dev/null)" == "wasm-bindgen $version" ]] && return
  if have cargo-binstall && cargo binstall --no-confirm --quiet --root "$tools" "wasm-bindgen-cli@$version"; then return; fi
  say "Building wasm-bindgen $version, which joins WebAssembly to JavaScript; about 2 minutes, once"
  install_tool 1 wasm-bindgen-cli --version "$version"
}

node_packages() {
  [[ node_modules/.package-lock.json -nt package-lock.json ]] && return
  say "Installing wasm-opt, Playwright, Selenium and a server of tools from npm; about half a minute"
  PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --loglevel=error &&
    touch node_modules/.package-lock.json
}

wasm_opt() {
  have npm && node_packages && return
  say "Without npm, cargo-leptos downloads wasm-opt by itself"
}

lints() {
  if [[ "${RUSTUP_TOOLCHAIN:-}" == debian-web ]]; then
    debian_packages rust-web-clippy rustfmt-web
  else
    cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
    cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
  fi
}

browser() {
  have npm || { echo "The browser tests need Node.js 20 or newer with npm." >&2; exit 1; }
  node_packages
  [[ -n "${CHROMIUM:-}" ]] && return
  have chromium-headless-shell && return
  if have apt-get && [[ -f /etc/debian_version ]] && debian_packages chromium-headless-shell; then return; fi
  say "Installing Playwright's Chromium; about a minute"
  npx playwright install chromium
}

geckodriver_for_firefox() {
  local version=0.37.1
  [[ "$(geckodriver --version 2>/dev/null)" == "geckodriver $version"* ]] && return
  say "Building geckodriver $version, which drives Firefox; about 2 minutes, once"
  install_tool 0 geckodriver --version "$version" --locked
}

other_browsers() {
  have npm || { echo "The browser tests need Node.js 20 or newer with npm." >&2; exit 1; }
  node_packages
  geckodriver_for_firefox
  if have apt-get && [[ -f /etc/debian_version ]]; then
    debian_packages firefox-esr webkit2gtk-driver xvfb xauth
  fi
  local program
  for program in WebKitWebDriver xvfb-run; do
    have "$program" || { echo "$program is missing. Debian has it as webkit2gtk-driver and xvfb." >&2; exit 1; }
  done
  have firefox || have firefox-esr || { echo "Firefox is missing." >&2; exit 1; }
}

# An environment of Python with what a file of requirements names, made anew when that file changes.
# python_packages NAME REQUIREMENTS WHAT [options of pip]
python_packages() {
  local place="$tools/$1" wanted="$2" what="$3"
  cmp -s "$wanted" "$place/installed.txt" && return
  # Debian's Python comes without what makes environments.
  python3 -c "import venv, ensurepip" >/dev/null 2>&1 || { have apt-get && debian_packages python3-venv; }
  say "Installing $what from PyPI; about half a minute"
  rm -rf "$place"
  python3 -m venv "$place"
  "$place/bin/pip" install --quiet --disable-pip-version-check "${@:4}" --requirement "$wanted"
  mkdir -p "$tools/bin"
  cp "$wanted" "$place/installed.txt"
}

# Puts the Python of an environment on the path, as python-of-NAME.
python_of() {
  # No link: Python finds its packages beside the name that it is called by.
  printf '#!/bin/sh\nexec "%s/%s/bin/python" "$@"\n' "$tools" "$1" >"$tools/bin/python-of-$1"
  chmod +x "$tools/bin/python-of-$1"
}

# Holds the server against its OpenAPI document.
schemathesis() {
  python_packages schemathesis server/tests/server/document/requirements.txt Schemathesis
  ln -sf "$tools/schemathesis/bin/schemathesis" "$tools/bin/schemathesis"
}

# The Python of a client of MAWS's socket.
maws_client() {
  python_packages maws-client server/tests/server/maws/requirements.txt "a client of sockets"
  python_of maws-client
}

# OpenAI's own client in Python.
openai_client() {
  python_packages openai-client server/tests/server/openai/requirements.txt "OpenAI's client"
  python_of openai-client
}

# AutoGen Studio's own pages, which are served against Pitwall, and what its clients in Python speak with. Studio's
# server is not run: what it depends on is left out.
studio() {
  python_packages studio-client end2end/studio/requirements.txt "AutoGen Studio's pages" --no-deps
  python_of studio-client
}

# Both lines of AutoGen, which load what Pitwall writes for them. They share what they depend on; of that, only what
# teams are loaded with is installed.
autogen_lines() {
  python_packages autogen server/tests/server/autogen/requirements.txt "what AutoGen depends on" --no-deps --only-binary :all:
  local version
  for version in 0.5.7 0.7.5; do
    [[ -d "$tools/autogen/$version" ]] && continue
    say "Installing AutoGen $version from PyPI; about ten seconds"
    "$tools/autogen/bin/pip" install --quiet --disable-pip-version-check --no-deps --target "$tools/autogen/$version" \
      "autogen-core==$version" "autogen-agentchat==$version" "autogen-ext==$version"
  done
  python_of autogen
}

have rustup && have cargo || { echo "Rust is missing. Install it from https://rustup.rs, then run this again." >&2; exit 1; }
wasm_target
case "${1:-build}" in
  rust)
    lints
    exit
    ;;
  test)
    # These mostly wait for the network, while the tools are compiled.
    { lints; browser; schemathesis; maws_client; openai_client; studio; autogen_lines; } &
    checks=$!
    ;;
esac
cargo_leptos
wasm_bindgen
[[ -z "${checks:-}" ]] || wait "$checks"
wasm_opt
[[ "${1:-build}" != browsers ]] || other_browsers
