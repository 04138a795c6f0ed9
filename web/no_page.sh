#!/usr/bin/env bash
# no_page.sh OUTDIR: what honeytel view answers when it was built without node and npm. Called by cmake/page.cmake in place of build.sh.
set -euo pipefail
mkdir -p "$1"
cd "$1"
printf '%s\n' '<!doctype html><meta charset="utf-8"><title>honeytel</title><h1>This honeytel was built without its page</h1>' \
  '<p>Building it needs node and npm: ./dev build installs them. The same data: honeytel top, sli, traces, logs, alerts.' >index.html
: >app.js
: >app.css
printf '<svg xmlns="http://www.w3.org/2000/svg"/>\n' >favicon.svg
gzip -9nkf index.html app.js app.css favicon.svg
