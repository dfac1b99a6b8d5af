#!/usr/bin/env bash
# Runs the benchmark; further arguments are passed on to it.
set -euo pipefail
source "$(dirname "$0")/environment.sh"
cd "$root"
# 1,000 subscribers and their server in one process are 2,000 sockets.
ulimit -S -n 8192
exec cargo bench --package server --bench pitwall -- "$@"
