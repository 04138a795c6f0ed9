#!/usr/bin/env bash
# Ours and the rivals, alternately in one run, then `honeytel bench`, memory and the idle agent. Called by ./dev bench, which has built
# the release preset; bench/report.py makes the tables of what is measured here into build/bench/*.json.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case " $* " in
  *" --help "* | *" -h "*)
    echo "usage: bench/run.sh [--quick]
Measures, prints the tables and writes docs/benchmarks.md and the README's figures. --quick: one short round, writes neither. --calls: only what a call costs.
BUILD names another build folder than build/release; REMARK is a sentence to stand above the figures."
    exit 0 ;;
esac
rounds=3 seconds=0.2 long=60 events=10000000 quick= calls=
for argument in "$@"; do
  case $argument in
    --quick) quick=--quick rounds=1 seconds=0.1 long=10 events=2000000 ;;
    --calls) calls=yes ;;
    *) echo "bench/run.sh: no option '$argument'" >&2; exit 2 ;;
  esac
done
build=${BUILD:-build/release}
rivals=build/rivals
out=build/bench
rm -rf "$out"
mkdir -p "$out" "$rivals"
for program in $([ -n "$calls" ] || echo honeytel) bench/record_bench bench/unsampled_bench bench/drain_bench; do
  [ -x "$build/$program" ] || { echo "bench/run.sh: $build/$program is missing: run ./dev bench" >&2; exit 1; }
done

home=$(mktemp -d)
export HONEYLINK_HOME=$home/micro
agent=
cleanup() {
  [ -z "$agent" ] || kill "$agent" 2>/dev/null || true
  rm -rf "$home"
}
trap cleanup EXIT

# Real-time priority keeps other programs out of the measured loops; not everybody may ask for it.
front=()
chrt -f 50 true 2>/dev/null && front=(chrt -f 50)

rust= spdlog=
if command -v cargo >/dev/null; then
  echo "building opentelemetry-rust's benchmark" >&2
  if CARGO_TARGET_DIR=$rivals/rust cargo build --quiet --release --locked --manifest-path bench/rivals/rust/Cargo.toml; then
    rust=$rivals/rust/release/rival-opentelemetry-rust
  fi
fi
[ -n "$rust" ] || echo "no cargo, or it could not build: the column opentelemetry-rust is left out" >&2
# shellcheck disable=SC2046  # flags are words
if pkg-config --exists spdlog && ${CXX:-c++} -std=c++20 -O2 -DNDEBUG $(pkg-config --cflags spdlog) bench/rivals/spdlog/main.cc \
  -o "$rivals/spdlog" $(pkg-config --libs spdlog); then
  spdlog=$rivals/spdlog
else
  echo "no spdlog: its column is left out" >&2
fi

{
  echo "date: $(date -u +%F)"
  echo "CPU: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) cores"
  echo "kernel: $(uname -sr), clock source $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
  echo "compiler: $(${CXX:-c++} --version | head -1), -O2"
  echo "sources: $(git rev-parse --short HEAD 2>/dev/null || echo 'no git')$([ -z "$(git status --porcelain -- src include bench 2>/dev/null)" ] || echo ' and changes that are not committed')"
  echo "load average before: $(cut -d' ' -f1-3 /proc/loadavg)"
  echo "scheduling: ${front[*]:-as any program (chrt -f is not permitted here)}"
  if [ -n "$rust" ]; then
    echo "opentelemetry-rust: $(sed -n '/^name = "opentelemetry_sdk"/{n;s/version = "\(.*\)"/\1/p}' bench/rivals/rust/Cargo.lock), $(rustc --version)"
  else
    echo "opentelemetry-rust: not measured, there is no cargo"
  fi
  [ -z "$spdlog" ] || echo "spdlog: $(pkg-config --modversion spdlog)"
  [ -z "${REMARK:-}" ] || echo "remark: $REMARK"
} >"$out/machine"

ours() {  # ours NAME PROGRAM [arguments]: Google Benchmark's JSON of one program
  local name=$1 program=$2
  shift 2
  "${front[@]}" "$build/bench/$program" "$@" --benchmark_min_time="$seconds" --benchmark_out="$out/$name.json" --benchmark_out_format=json >/dev/null 2>"$out/$name.err"
}
for round in $(seq "$rounds"); do
  echo "round $round of $rounds" >&2
  ours "ours-record.$round" record_bench
  [ -z "$rust" ] || "${front[@]}" "$rust" "$seconds" >"$out/rust.$round.jsonl"
  ours "ours-off.$round" unsampled_bench --off
  ours "ours-unkept.$round" unsampled_bench --unkept
  [ -z "$spdlog" ] || "${front[@]}" "$spdlog" "$seconds" >"$out/spdlog.$round.jsonl"
  ours "ours-retroactive.$round" unsampled_bench --retroactive
  ours "drain.$round" drain_bench
done

report() {
  echo "load average after: $(cut -d' ' -f1-3 /proc/loadavg)" >>"$out/machine"
  python3 bench/report.py $quick "$out"
}
if [ -n "$calls" ]; then
  report
  exit
fi

# Recorder and engine share one core and may use 1 GB of addresses each. The exit code says whether events were lost: it is in "passed".
whole() {
  local name=$1
  shift
  echo "honeytel bench $*" >&2
  echo "taskset -c 0 honeytel bench $*" >"$out/whole-$name.command"
  (ulimit -v 1048576; "${front[@]}" taskset -c 0 "$build/honeytel" bench "$@" --json) >"$out/whole-$name.json" || true
}
whole rate-100000 --rate 100000 --duration "${long}s"
whole rate-300000 --rate 300000 --duration "${long}s"
whole rate-max --rate max --events "$events"
whole spans-100000 --rate 100000 --duration "$((long / 3))s" --mix metrics=0,spans=100,logs=0
# With a core of its own for each: what a call takes while another core drains.
echo "honeytel bench on all cores" >&2
echo "honeytel bench --rate 100000 --duration $((long / 3))s --mix metrics=0,spans=100,logs=0" >"$out/whole-spans-free.command"
"${front[@]}" "$build/honeytel" bench --rate 100000 --duration "$((long / 3))s" --mix metrics=0,spans=100,logs=0 --json >"$out/whole-spans-free.json" || true

${CXX:-c++} -std=c++20 -O2 -DNDEBUG -Iinclude bench/rss/recorder.cc -o "$rivals/recorder" "$build/libhoneylink_telemetry.a" -pthread
strip -o "$rivals/recorder.stripped" "$rivals/recorder"
HONEYLINK_HOME=$home/rss "$rivals/recorder" >"$out/recorder.json"
stat -c %s "$rivals/recorder.stripped" >"$out/recorder.stripped_bytes"

if command -v strace >/dev/null; then
  echo "idle agent, ${long} s" >&2
  "$build/honeytel" agent --home "$home/idle" >/dev/null 2>&1 &
  agent=$!
  sleep 3
  timeout --signal=INT "$long" strace -f -c -o "$out/idle.strace" -p "$agent" 2>"$out/idle.err" || true
  sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$agent/status" >"$out/idle.rss_kib" || true
  echo "$long" >"$out/idle.seconds"
  kill "$agent"
  wait "$agent" || true
  agent=
fi
report
