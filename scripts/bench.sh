#!/usr/bin/env bash
# Runs the benchmark; further arguments are passed on to it.
set -euo pipefail
source "$(dirname "$0")/environment.sh"
cd "$root"
exec cargo bench --package server --bench pitwall -- "$@"
