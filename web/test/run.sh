#!/usr/bin/env bash
# run.sh BUILD_DIR static|browser: the tests of the page, called by ctest (cmake/page.cmake). 77: what they need is missing, and it says what.
# `browser` drives Debian's Chromium against BUILD_DIR/honeytel with a home that its own demo filled.
set -euo pipefail
[ $# -eq 2 ] || { echo "usage: run.sh BUILD_DIR static|browser" >&2; exit 2; }
web=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$(cd "$1" && pwd)
skip() { echo "SKIPPED: $*"; exit 77; }
for program in node npm; do command -v "$program" >/dev/null || skip "$program is missing (./dev setup installs it)"; done
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 18 ] || skip "node $(node --version) is older than 18"
[ -f "$build/web/app.js" ] || skip "$build/web was not built"

export HONEYLINK_WEB_DIR=$build/web HONEYLINK_WEB_MODULES=$build/web_test_modules HONEYTEL=$build/honeytel
"$web/install.sh" "$HONEYLINK_WEB_MODULES"
if [ "$2" = static ]; then
  printf '{"extends":"%s","compilerOptions":{"paths":{"uplot":["%s"]}},"include":["%s"]}\n' \
    "$web/test/tsconfig.json" "$HONEYLINK_WEB_MODULES/node_modules/uplot" "$web/src" >"$HONEYLINK_WEB_MODULES/page.tsconfig.json"
  exec node --test --test-reporter=tap "$web/test/static.test.mjs"
fi
grep -q '^HONEYLINK_SANITIZE:STRING=.' "$build/CMakeCache.txt" && skip "a sanitizer slows what is measured here"
HONEYLINK_CHROMIUM=$(command -v chromium || command -v chromium-browser || true)
[ -n "$HONEYLINK_CHROMIUM" ] || skip "chromium is missing (./dev setup installs it)"
export HONEYLINK_CHROMIUM
exec node --test --test-reporter=tap "$web/test/browser.test.mjs"
