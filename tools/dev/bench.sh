# ./dev bench: sourced by dev.
help "usage: ./dev bench [arguments of bench/run.sh] | ./dev bench --storage [--full] [PART...]
Builds the release preset with the benchmarks and runs bench/run.sh: our figures and the rivals' in one table. With --storage:
bytes a point beside Prometheus and VictoriaMetrics, bytes a span beside rows and Parquet (where pip finds pyarrow), commits,
questions and thirteen months (bench/storage), into docs/benchmarks.md; about 30 minutes, --full three hours. A part of it alone:
points, spans, find, commits, history-1200-0 (series and histograms); the page keeps what was measured of the others.
example: ./dev bench --storage" "$@"
storage=
[ "${1:-}" = --storage ] && { storage=yes; shift; }
need build bench ${storage:+storage}
configure release -DHONEYLINK_BENCH=ON
build_preset release
if [ -n "$storage" ]; then
  python=build/bench-python
  [ -x "$python/bin/python3" ] || python3 -m venv "$python" || die "python3-venv is missing"
  "$python/bin/python3" -c 'import pyarrow' 2>/dev/null || "$python/bin/pip" install --quiet pyarrow || say "no pyarrow: Parquet is left out"
  exec "$python/bin/python3" bench/storage/run.py build/release "$@"
fi
[ -x bench/run.sh ] || die "bench/run.sh is missing"
exec bench/run.sh "$@"
