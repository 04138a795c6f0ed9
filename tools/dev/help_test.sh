#!/usr/bin/env bash
# Every ./dev command answers --help with a usage and an example, and installs nothing for it; what ./dev does not know is an error of usage.
set -uo pipefail
cd "$(dirname "$0")/../.."
failed=0
fail() { echo "dev: $*"; failed=1; }
for command in setup build demo test models bench lint fuzz coverage screenshots interop; do
  text=$(./dev "$command" --help </dev/null 2>&1) || fail "$command --help answered $?"
  case $text in usage:*example:*) ;; *) fail "$command --help shows no usage or no example: $text" ;; esac
  case $text in *installing* | *configuring*) fail "$command --help does more than help" ;; esac
  case $(./dev --help) in *"
  $command "*) ;; *) fail "./dev does not list $command" ;; esac
done
./dev nonsense >/dev/null 2>&1
[ $? -eq 2 ] || fail "an unknown command is not answered by 2"
./dev test --nonsense >/dev/null 2>&1
[ $? -eq 2 ] || fail "an unknown option is not answered by 2"
# `setup --list` names each package once.
[ -z "$(./dev setup --list | tr ' ' '\n' | sort | uniq -d)" ] || fail "setup --list repeats itself"
[ $failed -eq 0 ] && echo "11 commands help"
exit $failed
