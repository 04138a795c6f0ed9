#!/usr/bin/env bash
# Runs the protocol's models: SPIN searches every state within the bounds. One line per run; exit 1 if a result is not
# the expected one. A flawed variant that finds no error is a failure too: then the model cannot tell right from wrong.
#   docs/models/run.sh                  all models, about two minutes on one core, at most 2 GB
#   docs/models/run.sh --long           deeper bounds as well: about ten minutes more, at most 5 GB
#   docs/models/run.sh pool             one model
#   docs/models/run.sh machine          what the models take for granted, tried on this kernel and processor
# Needs spin and gcc. Works in a temporary folder.
set -u

deep=no
only=
for argument in "$@"; do
  case $argument in
    --quick) deep=no ;;
    --long) deep=yes ;;
    -h|--help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "run.sh: unknown option $argument (try --help)" >&2; exit 2 ;;
    *) only=$argument ;;
  esac
done

here=$(cd "$(dirname "$0")" && pwd)
known="pool classes sinks keep home open_spans metrics doorbell machine"
if [[ -n $only && " $known " != *" $only "* ]]; then
  echo "run.sh: no model '$only'; there are: $known" >&2
  exit 2
fi
for tool in spin gcc; do
  command -v $tool >/dev/null || { echo "run.sh: $tool is missing (Debian: apt-get install spin gcc)" >&2; exit 2; }
done
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
failures=0
line='%-11s %-22s %-33s %11s  %-5s %s\n'

# check EXPECTED MODEL BOUNDS VARIANT: EXPECTED is holds or fails; bounds and variant are names for spin's -D, "-" is none
check() {
  local expected=$1 model=$2 bounds=$3 variant=$4 name got states flags=() search=()
  [[ -n $only && $only != "$model" ]] && return
  for name in $bounds $variant; do [[ $name != - ]] && flags+=("-D$name"); done
  grep -q ' provided ' "$here/$model.pml" && search+=(-DNOREDUCE)
  rm -rf "$work/run" && mkdir "$work/run" && cp "$here/$model.pml" "$work/run" && cd "$work/run" || exit 2
  if spin "${flags[@]}" -a "$model.pml" >output 2>&1 &&
     gcc -O2 -w -DSAFETY -DCOLLAPSE -DMEMLIM=6000 "${search[@]}" -o pan pan.c >>output 2>&1; then
    ./pan -E -m1000000 >output 2>&1
  fi
  states=$(awk '/states, stored/ { print $1; exit }' output)
  if grep -q 'assertion violated' output; then got=fails
  elif grep -q 'errors: 0' output && ! grep -qE 'Search not completed|max search depth|out of memory' output; then got=holds
  else got=broken
  fi
  # shellcheck disable=SC2059
  printf "$line" "$model" "$bounds" "$variant" "${states:--}" "$expected" "$got"
  if [[ $got != "$expected" ]]; then
    failures=$((failures + 1))
    sed 's/^/    /' output | head -20
  fi
}

holds() { check holds "$1" "$2" "${3:--}"; }
fails() { check fails "$@"; }
long() { if [[ $deep == yes ]]; then "$@"; fi; }

machine() {
  local program
  for program in lock_lifetime store_buffer membarrier_cost; do
    gcc -O2 -pthread -o "$work/$program" "$here/$program.c" && (cd "$work" && "./$program") || failures=$((failures + 1))
  done
}

if [[ $only == machine ]]; then
  machine
  exit $((failures > 0))
fi
# shellcheck disable=SC2059
printf "$line" model bounds variant states expected got

holds pool "W=2 C=2 K=1 R=2"
holds pool "W=2 C=2 K=2 R=3"
holds pool "W=2 C=1 K=1 R=2"
holds pool "W=2 C=3 K=1 R=2"
holds pool "W=1 C=2 K=2 R=6"
holds pool "W=2 C=2 K=1 R=2" ANY_CHOICE
holds pool "W=1 C=2 K=2 R=6" FINE
holds pool "W=1 C=2 K=1 R=4" FINE
fails pool "W=1 C=2 K=2 R=4" GAP_BY_SCAN
fails pool "W=1 C=2 K=1 R=3" NO_RECHECK
fails pool "W=1 C=2 K=1 R=3" CLAIM_LATE
fails pool "W=1 C=2 K=2 R=4" PUBLISH_FIRST
fails pool "W=2 C=2 K=1 R=2" FULL_AFTER_COUNT
fails pool "W=1 C=2 K=1 R=3" CURSOR_EARLY
fails pool "W=1 C=2 K=1 R=3" RELEASE_EARLY
fails pool "W=2 C=2 K=1 R=2" FREE_BITS
fails pool "W=1 C=2 K=2 R=4" RELEASE_ABOVE
fails pool "W=1 C=2 K=2 R=4" DEAD_BY_SEALED
fails pool "W=2 C=1 K=2 R=3" SPIN_IF_NONE
long holds pool "W=2 C=2 K=1 R=2" FINE
long holds pool "W=2 C=3 K=2 R=3"
long holds pool "W=2 C=2 K=2 R=4"

holds classes "C=2 K=2 R=5"
holds classes "C=3 K=2 R=6"
holds classes "C=3 K=1 R=5"
fails classes "C=2 K=2 R=5" ONE_ORDINAL
fails classes "C=2 K=2 R=5" TORN_SEAL
fails classes "C=2 K=2 R=5" ONE_SEAL
long holds classes "C=3 K=2 R=7"

holds sinks "R=4 CHUNKS=2"
holds sinks "R=3 CHUNKS=2" POWER
for variant in ONE_CURSOR RELEASE_ONE SLOT_FIRST NO_CUT ONE_SLOT; do fails sinks "R=3 CHUNKS=2" $variant; done
for variant in NO_CHECKSUM STATE_UNSYNCED DURABLE_FIRST NO_FALLBACK; do fails sinks "R=3 CHUNKS=2" "POWER $variant"; done
long holds sinks "R=5 CHUNKS=3"
long holds sinks "R=4 CHUNKS=2" POWER

holds keep "R=5 CHUNKS=2"
holds keep "R=6 CHUNKS=3"
for variant in PLAIN_INSERT ROW_FIRST SPAN_FIRST MARK_LATER CLEAN_BY_CURSOR NO_RECHECK; do
  fails keep "R=5 CHUNKS=2" $variant
done

holds home "N=2 R=3"
for variant in VISIBLE_FIRST RENAME_UNCHECKED LOCK_AFTER ROW_FIRST DELETE_UNKNOWN OPEN_UNCOUNTED SAME_NAME; do
  fails home "N=2 R=2" $variant
done
long holds home "N=3 R=1"

holds open_spans "W=2 N=2 S=4"
holds open_spans "W=2 N=3 S=3"
holds open_spans "W=2 N=1 S=4"
holds open_spans "W=2 N=2 S=2" READER
holds open_spans "W=2 N=2 S=3" FORK
for variant in FREE_FIRST NO_ENDING ENDING_IS_UNFINISHED ENDING_IS_DONE ORDINAL_LATE OPEN_FIRST ALIVE_LOAD NO_CAS \
  NO_IDENTITY FREE_HELD PUSH_FOREIGN "READER VIEW_ENDING" "FORK FORK_SHARES"; do
  fails open_spans "W=2 N=2 S=3" "$variant"
done
long holds open_spans "W=2 N=2 S=5"
long holds open_spans "W=2 N=2 S=3" READER
long holds open_spans "W=3 N=2 S=3"

holds metrics "MAXV=4 TICKS=4"
for variant in BY_TICK IN_PLACE COMMIT_FIRST READ_AGAIN FOLD ROW_BY_TICK; do fails metrics "MAXV=4 TICKS=4" $variant; done
long holds metrics "MAXV=8 TICKS=4"

holds doorbell "W=2 N=2" FENCE
holds doorbell "W=2 N=2" MEMBARRIER
holds doorbell "W=2 N=2" "MEMBARRIER ENGINE_KILL"
fails doorbell "W=2 N=2" "MEMBARRIER ENGINE_KILL ASSERT_W"
fails doorbell "W=2 N=2" -
fails doorbell "W=2 N=2" "MEMBARRIER NO_CLEAR"
fails doorbell "W=2 N=2" "MEMBARRIER WRITER_KILL"
long holds doorbell "W=2 N=3" "MEMBARRIER ENGINE_KILL"

if [[ $failures -gt 0 ]]; then
  echo "$failures runs differ from what is expected"
  exit 1
fi
echo "all as expected"
