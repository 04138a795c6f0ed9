# ./dev lint: sourced by dev.
help "usage: ./dev lint [--fix] [--all] [--no-tidy]
clang-format 14 and tools/check_tree.py (include law, sizes, dead files) over the tree, clang-tidy 14 over the sources that differ from
the last commit or from origin/main.
  --fix      let clang-format rewrite the files
  --all      clang-tidy over every source
  --no-tidy  leave clang-tidy out
example: ./dev lint --no-tidy" "$@"
fix= all= tidy=1
for argument in "$@"; do
  case $argument in
    --fix) fix=1 ;;
    --all) all=1 ;;
    --no-tidy) tidy= ;;
    *) usage_error "lint does not know '$argument'" ;;
  esac
done
need build test lint
failed=0
mapfile -t formatted < <(git ls-files -co --exclude-standard -- 'src/*.h' 'src/*.cc' 'include/*.h' 'tests/*.cc' 'tests/*.h' 'fuzz/*.cc' \
  'bench/*.cc' 'examples/*.cc' 'examples/*.h' 'interop/*.cc' | while read -r file; do [ -f "$file" ] && echo "$file"; done)
say "clang-format, ${#formatted[@]} files"
if [ -n "$fix" ]; then clang-format-14 -i "${formatted[@]}"; fi
unformatted=$(clang-format-14 --dry-run -Werror "${formatted[@]}" 2>&1 | { grep 'error:' || true; } | cut -d: -f1 | sort | uniq -c) || true
if [ -n "$unformatted" ]; then
  printf '%s\n' "$unformatted"
  say "clang-format would change these files (places in front); ./dev lint --fix does it"
  failed=1
fi
say "tools/check_tree.py"
python3 tools/check_tree.py || failed=1

if [ -n "$tidy" ]; then
  base=HEAD
  git rev-parse -q --verify origin/main >/dev/null && base=$(git merge-base HEAD origin/main)
  if [ -n "$all" ]; then
    mapfile -t sources < <(git ls-files -- 'src/*.cc')
  else
    mapfile -t sources < <({ git diff --name-only --diff-filter=d "$base" -- 'src/*.cc'; git ls-files -o --exclude-standard -- 'src/*.cc'; } | sort -u)
  fi
  if [ ${#sources[@]} -gt 0 ]; then
    configure dev
    say "clang-tidy, ${#sources[@]} files"
    printf '%s\n' "${sources[@]}" | xargs -P "$JOBS" -n 1 clang-tidy-14 -p build/dev --quiet 2>/dev/null || failed=1
  fi
fi
[ "$failed" -eq 0 ] || die "lint found something"
say "lint is clean"
