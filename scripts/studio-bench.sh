#!/usr/bin/env bash
# Measures Pitwall beside AutoGen Studio as their clients meet them, and prints the ratios. Installs Studio where it is
# absent; ALONE=1 measures Pitwall alone. PITWALL_PROGRAM names another program than the release build.
set -euo pipefail
source "$(dirname "$0")/environment.sh"
cd "$root"
program="${PITWALL_PROGRAM:-target/release/pitwall}"
place="$tools/studio-server"
package=autogenstudio==0.4.2.2
if [[ -z "${ALONE:-}" && "$(cat "$place/installed.txt" 2>/dev/null)" != "$package" ]]; then
  printf '\033[1m==>\033[0m Installing %s from PyPI; up to two minutes, once\n' "$package"
  rm -rf "$place"
  python3 -m venv "$place"
  "$place/bin/pip" install --quiet --disable-pip-version-check "$package"
  echo "$package" >"$place/installed.txt"
fi
ulimit -S -n 8192

folder="$(mktemp -d)"
started=()
finish() {
  [[ ${#started[@]} -eq 0 ]] || kill "${started[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
answers() {
  for _ in $(seq 600); do
    curl --silent --fail --output /dev/null "$@" && return
    sleep 0.1
  done
  echo "It does not answer: $*" >&2
  exit 1
}

model="$(free_port)"
pitwall="$(free_port)"
token="a-token-for-the-measurement"
# The line to the model and the places for runs are as wide as what is measured.
PITWALL_TOKEN="$token" PITWALL_MODEL=measured PITWALL_MODEL_KEY=none PITWALL_MODEL_BASE_URL="http://127.0.0.1:$model/v1" \
  PITWALL_MODEL_REQUESTS_AT_ONCE=64 PITWALL_CONCURRENT_RUNS=64 \
  "$program" serve --addr "127.0.0.1:$pitwall" --data "$folder/pitwall" >"$folder/pitwall.log" 2>&1 &
started+=($!)
servers=("Pitwall,127.0.0.1:$pitwall,${started[0]},$token")
answers "http://127.0.0.1:$pitwall/healthz"

if [[ -z "${ALONE:-}" ]]; then
  studio="$(free_port)"
  "$place/bin/autogenstudio" ui --port "$studio" --appdir "$folder/studio" >"$folder/studio.log" 2>&1 &
  started+=($!)
  answers "http://127.0.0.1:$studio/api/health"
  # Its command starts the server as a process of its own.
  child="$(pgrep --parent "${started[1]}" | tail -1 || true)"
  servers+=("Studio,127.0.0.1:$studio,${child:-${started[1]}},")
fi
python3 scripts/studio-bench.py --model-port "$model" "${servers[@]}"
