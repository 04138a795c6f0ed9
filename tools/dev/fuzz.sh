# ./dev fuzz: sourced by dev.
help "usage: ./dev fuzz [--seconds N] [name]
Builds the fuzz preset (clang 14, libFuzzer, ASan, UBSan) and runs every fuzz/NAME_fuzz, or the named one, for N seconds (30) on a
copy of its corpus fuzz/corpus/NAME. A crash is kept in build/fuzz/crashes/ and fails.
  --keep   add the inputs that reached new code to the corpus
example: ./dev fuzz --seconds 600 ring_reader" "$@"
seconds=30 only= keep=
while [ $# -gt 0 ]; do
  case $1 in
    --seconds) seconds=${2:?--seconds needs a number}; shift 2 ;;
    --keep) keep=1; shift ;;
    -*) usage_error "fuzz does not know '$1'" ;;
    *) only=${1%_fuzz}; shift ;;
  esac
done
need build fuzz
configure fuzz
names=()
for source in fuzz/*_fuzz.cc; do
  name=$(basename "$source" _fuzz.cc)
  if [ -f "$source" ] && { [ -z "$only" ] || [ "$only" = "$name" ]; }; then names+=("$name"); fi
done
[ ${#names[@]} -gt 0 ] || usage_error "no fuzzer ${only:+named '$only'}"
build_preset fuzz "${names[@]/%/_fuzz}"
mkdir -p build/fuzz/crashes
failed=()
for name in "${names[@]}"; do
  grown=build/fuzz/corpus/$name
  mkdir -p "$grown" "fuzz/corpus/$name"
  say "fuzzing $name for $seconds s"
  build/fuzz/fuzz/"$name"_fuzz -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
    -artifact_prefix="build/fuzz/crashes/$name-" "$grown" "fuzz/corpus/$name" >"build/fuzz/$name.log" 2>&1 ||
    { failed+=("$name"); tail -40 "build/fuzz/$name.log" >&2; }
  { grep -E 'stat::number_of_executed_units' "build/fuzz/$name.log" || true; } | sed "s/^stat::number_of_executed_units: */[dev] $name: inputs run /"
  if [ -n "$keep" ]; then build/fuzz/fuzz/"$name"_fuzz -merge=1 "fuzz/corpus/$name" "$grown" >/dev/null 2>&1; fi
done
[ ${#failed[@]} -eq 0 ] || die "${failed[*]} failed; inputs in build/fuzz/crashes/"
say "${#names[@]} fuzzers, no crash"
