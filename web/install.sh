#!/usr/bin/env bash
# install.sh FOLDER [npm ci options]: the packages of web/package-lock.json in FOLDER/node_modules; anew only when the lock file is another one.
# Their install scripts are not run: nothing of theirs needs one.
set -euo pipefail
web=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$1
shift
cmp -s "$web/package-lock.json" "$folder/installed.json" && exit 0
mkdir -p "$folder"
rm -f "$folder/installed.json"
cp "$web/package.json" "$web/package-lock.json" "$web/.npmrc" "$folder/"
(cd "$folder" && npm ci --ignore-scripts --loglevel=error "$@" >npm.log 2>&1) || {
  tail -3 "$folder/npm.log" >&2
  echo "the page's packages could not be installed (npm ci; its whole output: $folder/npm.log)" >&2
  echo "once with a network is enough; without the page: cmake -DHONEYLINK_PAGE=OFF" >&2
  exit 1
}
cp "$web/package-lock.json" "$folder/installed.json"
