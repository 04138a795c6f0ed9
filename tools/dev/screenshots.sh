# ./dev screenshots: sourced by dev.
help "usage: ./dev screenshots [--only page|top] [--duration 130s] [--out DIR]
Makes docs/images/*.png: every screen of honeytel view in Chromium and of honeytel top in a real terminal (xterm under Xvfb), from the data
of the lossy demo, recorded just before. Pictures are 150 KB at most.
example: ./dev screenshots --only page" "$@"
only=
duration=130s
out=docs/images
while [ $# -gt 0 ]; do
  case $1 in
    --only) only=${2:?--only needs page or top}; shift 2 ;;
    --duration) duration=${2:?--duration needs a time}; shift 2 ;;
    --out) out=${2:?--out needs a folder}; shift 2 ;;
    *) usage_error "screenshots does not know '$1'" ;;
  esac
done
case $only in "" | page | top) ;; *) usage_error "--only takes page or top, not '$only'" ;; esac
need build screenshots
configure release
build_preset release honeytel
mkdir -p "$out"

home=$(mktemp -d)
pictures=$(mktemp -d)
children=()
# What was started here ends here, by its id.
tidy() {
  [ ${#children[@]} -eq 0 ] || kill "${children[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$home" "$pictures"
}
trap tidy EXIT
tool=$ROOT/build/release/honeytel
say "recording $duration of the lossy demo"
"$tool" demo --headless --duration "$duration" --scenario lossy --home "$home" >/dev/null &
demo=$!
children+=("$demo")
if [ -z "$only" ] || [ "$only" = page ]; then
  web/install.sh build/release/web_test_modules
fi

# The demo still records while pictures are taken: Live says so, and values are fresh.
seconds=$(awk -v t="$duration" 'BEGIN { n = t + 0; if (t ~ /m$/) n *= 60; print n }')
sleep "$((seconds > 60 ? seconds - 45 : seconds / 2))"
if [ -z "$only" ] || [ "$only" = page ]; then
  say "the page"
  HONEYTEL=$tool HONEYLINK_HOME=$home HONEYLINK_WEB_MODULES=$ROOT/build/release/web_test_modules HONEYLINK_CHROMIUM=$(command -v chromium) \
    node web/test/screenshots.mjs "$pictures"
fi
if [ -z "$only" ] || [ "$only" = top ]; then
  if "$tool" top --help >/dev/null 2>&1; then
    say "the terminal view"
    # shellcheck source=/dev/null
    source tools/dev/screenshots_top.sh
  else
    say "this honeytel has no top: left out"
  fi
fi
for picture in "$pictures"/*.png; do
  [ -f "$picture" ] || die "no picture was taken"
  name=$(basename "$picture")
  pngquant --force --strip --speed 1 --quality 60-95 --output "$out/$name" "$picture" || cp "$picture" "$out/$name"
  bytes=$(stat -c %s "$out/$name")
  [ "$bytes" -le 153600 ] || die "$out/$name has $bytes bytes, 153,600 at most"
  say "$out/$name, $bytes bytes"
done
