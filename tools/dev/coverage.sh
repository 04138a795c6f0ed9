# ./dev coverage: sourced by dev.
help "usage: ./dev coverage [--min PERCENT] [-- ctest arguments]
Builds the coverage preset, runs the tests (unit, kill, fault), and prints gcovr's line coverage of src/ without the tests; less than 85 %
fails. The page is build/coverage/html/index.html.
example: ./dev coverage --min 80" "$@"
minimum=85
extra=()
while [ $# -gt 0 ]; do
  case $1 in
    --min) minimum=${2:?--min needs a number}; shift 2 ;;
    --) shift; extra=("$@"); break ;;
    *) usage_error "coverage does not know '$1'" ;;
  esac
done
need build test coverage
configure coverage
build_preset coverage
find build/coverage -name '*.gcda' -delete
find build/coverage/CMakeFiles -path '*CompilerId*' -name '*.gcno' -delete  # CMake's own trial programs
unset HONEYLINK_HOME HONEYLINK_TELEMETRY TRACEPARENT TRACESTATE BAGGAGE
ctest --test-dir build/coverage -j "$JOBS" --timeout 900 --output-on-failure --no-tests=error -LE 'install|slow' -E '^(tree|rejects)\.' "${extra[@]}" || die "tests failed"
mkdir -p build/coverage/html
gcovr --root "$ROOT" --object-directory build/coverage --filter 'src/' --exclude '.*_test\.cc' --exclude-throw-branches \
  --gcov-ignore-parse-errors --html-details build/coverage/html/index.html --print-summary --fail-under-line "$minimum" \
  -j "$JOBS" --sort-percentage || die "line coverage is under $minimum %"
