#!/bin/sh
# Runs a program with a home, a runtime directory and an environment of its own, all removed afterwards: no test may read or write the
# owner's ~/.honeylink. Used by the example tests; the program's exit code is the answer.
set -u
folder=$(mktemp -d "${TMPDIR:-/tmp}/honeylink-home.XXXXXX") || exit 99
trap 'rm -rf "$folder"' EXIT
mkdir -m 700 "$folder/runtime"
env -u HONEYLINK_HOME -u HONEYLINK_TELEMETRY HOME="$folder" XDG_RUNTIME_DIR="$folder/runtime" "$@"
