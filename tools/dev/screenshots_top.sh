# The pictures of `honeytel top` for ./dev screenshots, which sources this with $tool, $home and $pictures set.
# shellcheck source=/dev/null
source tools/dev/top_picture.sh
export LANG=C.UTF-8
top_picture "$tool" "$home" "$pictures/top.png" 120 36 || die "no picture of the terminal view"
top_picture "$tool" "$home" "$pictures/top-level.png" 120 36 1 || die "no picture of an enlarged level"
top_picture "$tool" "$home" "$pictures/top-trace.png" 120 30 t / s l o w Enter j Enter || die "no picture of a waterfall"
LANG=ja_JP.UTF-8 top_picture "$tool" "$home" "$pictures/top-ja.png" 120 36 || die "no picture in Japanese"
