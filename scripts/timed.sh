#!/usr/bin/env bash
# Runs one test program so that each test says how long it took, which libtest only does with its
# unstable options. More tests than cores run at once, as most wait for servers that they started.
set -euo pipefail
case "$1" in
  */deps/*)
    export RUST_TEST_THREADS="${RUST_TEST_THREADS:-$((2 * $(nproc)))}"
    RUSTC_BOOTSTRAP=1 exec "$@" -Zunstable-options --report-time
    ;;
  *) exec "$@" ;;
esac
