# ./dev test: sourced by dev.
help "usage: ./dev test [--long] [--preset dev|asan|tsan] [-L LABEL] [-R REGEX] [-- ctest arguments]
Builds a preset and runs its tests with ctest: unit tests in parallel, kill and fault tests one after the other. At most 20 minutes on
two cores. Labels: unit kill fault install slow.
  --long   every promise at its full count (1,000 kills and more; an hour or two)
example: ./dev test -R kill" "$@"
preset=dev
long=
filter=()
while [ $# -gt 0 ]; do
  case $1 in
    --long) long=1; shift ;;
    --preset) preset=${2:?--preset needs a name}; shift 2 ;;
    -R | -L | -E | -LE) filter+=("$1" "${2:?$1 needs an expression}"); shift 2 ;;
    --) shift; filter+=("$@"); break ;;
    *) usage_error "test does not know '$1'" ;;
  esac
done
case $preset in dev | asan | tsan) ;; *) usage_error "no tests in preset '$preset': dev, asan or tsan" ;; esac
need build test
configure "$preset"
build_preset "$preset"

limit=600
if [ -n "$long" ]; then
  export HONEYLINK_TEST_LONG=1
  limit=7200
fi
# A report of a sanitizer ends the test; leaks count, suppressions are none.
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-second_deadlock_stack=1}
# No test may meet the caller's own recordings.
unset HONEYLINK_HOME HONEYLINK_TELEMETRY TRACEPARENT TRACESTATE BAGGAGE
say "testing build/$preset${long:+ at full counts}"
ctest --test-dir "build/$preset" -j "$JOBS" --timeout "$limit" --output-on-failure --no-tests=error "${filter[@]}"
