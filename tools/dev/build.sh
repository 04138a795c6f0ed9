# ./dev build: sourced by dev.
help "usage: ./dev build [--preset dev|release|asan|tsan|fuzz|coverage] [target...]
Builds the release preset: build/release/honeytel, libhoneylink_telemetry.a, libhoneylink_embedded.a.
example: ./dev build && ./build/release/honeytel --help" "$@"
preset=release
targets=()
while [ $# -gt 0 ]; do
  case $1 in
    --preset) preset=${2:?--preset needs a name}; shift 2 ;;
    -*) usage_error "build does not know '$1'" ;;
    *) targets+=("$1"); shift ;;
  esac
done
case $preset in
  release) need build ;;
  fuzz) need build fuzz ;;
  *) need build test ;;
esac
configure "$preset"
build_preset "$preset" "${targets[@]}"
if [ "$preset" = release ] && [ -x build/release/honeytel ]; then say "built build/release/honeytel"; fi
