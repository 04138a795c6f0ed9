#!/bin/sh
# Runs the W3C trace-context suite against our service: all of it must pass at SPEC_LEVEL=2 STRICT_LEVEL=2.
# The suite is not part of this tree: HONEYLINK_W3C_SUITE_DIR names a checkout of it (the folder with test/test.py, or test/ itself).
# Without it, or without Python's aiohttp, this says SKIPPED and exits 77. Usage: run.sh [SERVICE-PROGRAM] [suite arguments...]
set -eu

skip() {
  echo "SKIPPED: W3C trace-context suite: $1"
  exit 77
}

here=$(cd "$(dirname "$0")" && pwd)
service=${1:-$here/../../build/release/interop/w3c/w3c_service}
[ $# -eq 0 ] || shift
suite=${HONEYLINK_W3C_SUITE_DIR:-}
python=${HONEYLINK_W3C_PYTHON:-python3}
[ -n "$suite" ] || skip "HONEYLINK_W3C_SUITE_DIR is not set"
[ -f "$suite/test.py" ] || suite=$suite/test
[ -f "$suite/test.py" ] || { echo "no test.py in $HONEYLINK_W3C_SUITE_DIR" >&2; exit 1; }
"$python" -c 'import aiohttp' 2>/dev/null || skip "$python has no aiohttp"
[ -x "$service" ] || { echo "no service at $service: build the target w3c_service" >&2; exit 1; }

# The service ends with its standard input: the pipe's writing end is this shell's descriptor 3.
folder=$(mktemp -d)
mkfifo "$folder/in"
"$service" <"$folder/in" >"$folder/out" &
pid=$!
exec 3>"$folder/in"
finish() {
  exec 3>&-
  wait "$pid" || true
  rm -r "$folder"
}
trap finish EXIT
until port=$(sed -n 's/^listening on //p' "$folder/out") && [ -n "$port" ]; do
  kill -0 "$pid" 2>/dev/null || { echo "the service did not start" >&2; exit 1; }
done

free_port() { "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
export SPEC_LEVEL="${SPEC_LEVEL:-2}" STRICT_LEVEL="${STRICT_LEVEL:-2}" HARNESS_HOST=127.0.0.1
HARNESS_PORT=${HARNESS_PORT:-$(free_port)}
export HARNESS_PORT
cd "$suite"
"$python" test.py "http://127.0.0.1:$port/test" "$@"
