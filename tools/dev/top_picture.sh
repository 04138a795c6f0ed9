#!/usr/bin/env bash
# A picture of `honeytel top` as a reader sees it: an xterm on a display of its own (Xvfb), with a tmux inside that is handed the keys.
# Sourced by screenshots.sh, or run by itself: top_picture.sh HONEYTEL HOME OUT.png COLUMNS ROWS [KEY...], keys by tmux's names (1 t Enter Escape).
# LANG decides the language; TOP_PICTURE_WAIT the seconds before the picture (2). Ends every process that it started.

top_picture() {
  local honeytel=$1 home=$2 out=$3 columns=$4 rows=$5
  shift 5
  local shop key status=0
  shop=$(mktemp -d)
  # shellcheck disable=SC2016  # expanded by the inner shell
  HT=$honeytel HT_HOME=$home HT_SHOP=$shop HT_SIZE=${columns}x$rows bash -c '
    set -uo pipefail
    Xvfb -displayfd 9 -screen 0 2400x1600x24 -nolisten tcp 9>"$HT_SHOP/display" 2>/dev/null & server=$!
    trap "tmux -S \"$HT_SHOP/tmux\" kill-server 2>/dev/null; kill \$server 2>/dev/null; wait 2>/dev/null" EXIT
    for _ in $(seq 100); do [ -s "$HT_SHOP/display" ] && break; sleep 0.1; done
    export DISPLAY=:$(cat "$HT_SHOP/display")
    LC_ALL=C.UTF-8 xterm -fa "DejaVu Sans Mono" -fs 12 -fd "IPAGothic" -bg "#101418" -fg "#e6e6e6" -b 6 +sb -geometry "$HT_SIZE+0+0" -e \
      tmux -u -S "$HT_SHOP/tmux" -f /dev/null new-session "unset LC_ALL; export LANG=$LANG; exec \"$HT\" top --home \"$HT_HOME\"" \; set-option -g status off \; set-option -s escape-time 0 2>/dev/null &
    for _ in $(seq 100); do tmux -S "$HT_SHOP/tmux" capture-pane -p 2>/dev/null | grep -q "honeytel\|LIVE" && break; sleep 0.1; done
    sleep 1
    for key in "$@"; do tmux -S "$HT_SHOP/tmux" send-keys "$key"; sleep 0.4; done
    sleep "${TOP_PICTURE_WAIT:-2}"
    import -window root "$HT_SHOP/whole.png" && convert "$HT_SHOP/whole.png" -trim +repage "$HT_SHOP/out.png"
  ' top_picture "$@" || status=1
  if [ $status -eq 0 ] && [ -s "$shop/out.png" ]; then mv "$shop/out.png" "$out"; else status=1; fi
  rm -rf "$shop"
  return $status
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  [ $# -ge 5 ] || { echo "usage: top_picture.sh HONEYTEL HOME OUT.png COLUMNS ROWS [KEY...]" >&2; exit 2; }
  top_picture "$@"
fi
