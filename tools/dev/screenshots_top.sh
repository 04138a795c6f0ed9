# The terminal view in a real terminal: sourced by screenshots.sh, which names $tool, $home, $pictures, children. xterm under Xvfb; keys
# are sent by xdotool as a person types them.
mkdir -p "$pictures"
exec 7>"$pictures/display"
Xvfb -displayfd 7 -screen 0 1180x700x24 -nolisten tcp >/dev/null 2>&1 &
children+=($!)
for _ in $(seq 50); do [ -s "$pictures/display" ] && break; sleep 0.1; done
exec 7>&-
display=:$(cat "$pictures/display")
rm -f "$pictures/display"
DISPLAY=$display LC_ALL=C.UTF-8 xterm -fa 'DejaVu Sans Mono' -fs 11 -geometry 128x38+0+0 -bw 0 -b 0 +sb -bg '#0f1419' -fg '#e8eef4' -e "$tool" top --home "$home" >/dev/null 2>&1 &
children+=($!)
sleep 4
shot() { DISPLAY=$display import -window root -trim +repage "$pictures/$1.png"; }
keys() { DISPLAY=$display xdotool key --delay 80 "$@"; sleep 1.5; }
shot top
keys 1
shot top-sli
keys Escape t
shot top-traces
keys Return
shot top-trace
keys Escape l
shot top-logs
keys q
