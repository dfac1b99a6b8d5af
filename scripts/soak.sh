#!/usr/bin/env bash
# Uses a server for MINUTES (30) and checks that it does not grow.
set -euo pipefail
source "$(dirname "$0")/environment.sh"
cd "$root"
exec cargo bench --package server --bench soak
