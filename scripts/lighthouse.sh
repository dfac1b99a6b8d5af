#!/usr/bin/env bash
# Measures every page as a phone with a slow line and as a desktop, and fails below the wanted figures.
#   ONLY=run scripts/lighthouse.sh   one page alone
set -euo pipefail
source "$(dirname "$0")/environment.sh"
cd "$root"

version=12.8.2
place="$tools/lighthouse"
if [[ "$(cat "$place/installed" 2>/dev/null)" != "$version" ]]; then
  printf '\033[1m==>\033[0m %s\n' "Installing Lighthouse $version from npm; about half a minute"
  mkdir -p "$place"
  npm install --silent --no-audit --no-fund --no-save --prefix "$place" "lighthouse@$version"
  echo "$version" >"$place/installed"
fi
LIGHTHOUSE="$place/node_modules" exec node end2end/lighthouse.mjs
