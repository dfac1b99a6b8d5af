#!/usr/bin/env bash
# Every check of the project, each reported with its time. A step that fails does not
# keep the others from running. The last line sums all up: `N passed, N failed`.
set -uo pipefail
source "$(dirname "$0")/environment.sh"
cd "$root"

logs=target/test-logs
mkdir -p "$logs"
passed=0
failed=0

# step TITLE COUNT COMMAND...
# COUNT is a function that prints "passed failed", read from the log that it is given.
step() {
  local title="$1" count="$2" log start succeeded=yes counts good=0 bad=0
  shift 2
  log="$logs/$(tr -cs 'a-zA-Z0-9\n' '-' <<<"${title,,}").log"
  start=$SECONDS
  "$@" >"$log" 2>&1 || succeeded=no
  counts="$("$count" "$log" "$succeeded")"
  read -r good bad <<<"$counts"
  # A step that fails without a failed test, such as one that does not compile, counts as one.
  if [[ $succeeded == no && ${bad:-0} -eq 0 ]]; then bad=1; fi
  passed=$((passed + ${good:-0}))
  failed=$((failed + ${bad:-0}))
  printf '\033[1m==>\033[0m %-44s %5d s   %d passed, %d failed\n' "$title" $((SECONDS - start)) "${good:-0}" "${bad:-0}"
  if [[ $succeeded == no ]]; then
    tail -n 80 "$log" | sed 's/^/    /'
    echo "    The whole output is in $log"
  fi
}

# A lint is one test.
as_one() { if [[ $2 == yes ]]; then echo 1 0; else echo 0 1; fi; }

# The ten slowest of lines such as `12.3 s  name`.
slowest() { LC_ALL=C sort -rn | head -n 10 | sed 's/^/      /'; }

slowest_rust_tests() {
  sed -nE 's/^test ([^ ]+)( - should panic)? \.\.\. [a-zA-Z]+ <([0-9.]+)s>$/\3 s  \1/p' "$1" | slowest
}

slowest_browser_tests() {
  node -e '
    const { suites } = JSON.parse(require("fs").readFileSync("target/end2end/results.json"));
    const show = (suite) => {
      for (const { title, tests } of suite.specs ?? [])
        for (const { results } of tests)
          console.log((results.reduce((sum, { duration }) => sum + duration, 0) / 1000).toFixed(1), "s ", suite.file, title);
      (suite.suites ?? []).forEach(show);
    };
    suites.forEach(show);' 2>/dev/null | slowest
}

# Tests that passed at their second attempt only.
flaky_browser_tests() {
  node -e '
    const { suites } = JSON.parse(require("fs").readFileSync("target/end2end/results.json"));
    const show = (suite) => {
      for (const { title, tests } of suite.specs ?? [])
        if (tests.some(({ status }) => status === "flaky")) console.log("      flaky:", suite.file, title);
      (suite.suites ?? []).forEach(show);
    };
    suites.forEach(show);' 2>/dev/null
}

# What must succeed, but checks nothing by itself.
as_none() { echo 0 0; }

rust_tests() {
  awk '/^test result:/ { for (i = 2; i <= NF; i++) { if ($i ~ /^passed/) p += $(i-1); if ($i ~ /^failed/) f += $(i-1) } }
    END { print p + 0, f + 0 }' "$1"
}

browser_tests() {
  node -e '
    const { stats } = JSON.parse(require("fs").readFileSync("target/end2end/results.json"));
    console.log(stats.expected + stats.flaky, stats.unexpected);' 2>/dev/null || echo 0 0
}

in_browser() {
  rm -f target/end2end/results.json
  playwright test --config end2end
}

step "Rust" as_none scripts/setup.sh rust
# Setup may just have chosen another Rust toolchain.
source scripts/environment.sh
# The tools are made while others are compiled: each leaves cores idle at its end.
scripts/setup.sh test >"$logs/setup.log" 2>&1 &
setup=$!

step "Format" as_one cargo fmt --all --check
step "Lints of the page" as_one \
  cargo clippy --package frontend --target wasm32-unknown-unknown -- -D warnings
# The server and its tests are linted as they are compiled: `cargo clippy` would check every dependency first,
# only for that. Clippy reads its arguments, each ended by this separator, as `cargo clippy` passes them.
export CLIPPY_ARGS="-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__"
step "Lints and build of the server" as_one env RUSTC_WORKSPACE_WRAPPER=clippy-driver \
  cargo test --workspace --exclude frontend --all-targets --no-run
tools_are_there() { wait "$setup" || { cat "$logs/setup.log"; false; }; }
step "Tools" as_none tools_are_there
# The tests mostly wait, so the release is built beside them, with what processor time they leave.
nice -n 19 scripts/build.sh >"$logs/build.log" 2>&1 &
build=$!
step "Types of the browser tests" as_one tsc --noEmit --project end2end
host="$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')"
# Many tests wait for servers that are killed, frozen or slow: more of them than cores are under way.
step "Tests" rust_tests env RUSTC_WORKSPACE_WRAPPER=clippy-driver \
  "CARGO_TARGET_${host}_RUNNER=$root/scripts/timed.sh" RUST_TEST_THREADS="${RUST_TEST_THREADS:-6}" \
  cargo test --workspace --exclude frontend --no-fail-fast
slowest_rust_tests target/test-logs/tests.log
step "Tests in WebAssembly" rust_tests \
  env CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=wasm-bindgen-test-runner \
  cargo test --package protocol --target wasm32-unknown-unknown --test whole_run
release_is_built() { wait "$build" || { cat "$logs/build.log"; false; }; }
step "Release build" as_one release_is_built
step "Browser tests" browser_tests in_browser
slowest_browser_tests
flaky_browser_tests

echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
