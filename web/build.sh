#!/usr/bin/env bash
# build.sh OUTDIR [release|debug]: the page of honeytel view as OUTDIR/{index.html,app.js,app.css,favicon.svg}, each with a .gz beside it.
# Called by cmake/page.cmake. Packages go to OUTDIR/../web_modules, by the lock file alone, once; after that no network is needed.
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: build.sh OUTDIR [release|debug]" >&2; exit 2; }
web=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
mode=${2:-release}
modules=$(dirname "$out")/web_modules
readonly PAGE_BYTES_MAX=122880  # compressed, all files: the page is on screen before anyone waits for it

"$web/install.sh" "$modules" --omit=dev
options=(--bundle --format=esm --target=es2022 --charset=utf8 --legal-comments=eof --log-level=warning)
[ "$mode" = debug ] && options+=(--sourcemap=inline) || options+=(--minify)
NODE_PATH=$modules/node_modules "$modules/node_modules/.bin/esbuild" "$web/src/main.ts" "${options[@]}" --outfile="$out/app.js"
NODE_PATH=$modules/node_modules "$modules/node_modules/.bin/esbuild" "$web/src/app.css" "${options[@]}" --outfile="$out/app.css"
cp "$web/src/index.html" "$web/src/favicon.svg" "$out/"
total=0
for file in index.html app.js app.css favicon.svg; do
  gzip -9nkf "$out/$file"
  total=$((total + $(stat -c %s "$out/$file.gz")))
done
if [ "$mode" = release ] && [ "$total" -gt $PAGE_BYTES_MAX ]; then
  echo "the page has $total bytes compressed, $PAGE_BYTES_MAX at most" >&2
  exit 1
fi
echo "$total" >"$out/compressed_bytes"
