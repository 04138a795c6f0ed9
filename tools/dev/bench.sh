# ./dev bench: sourced by dev.
help "usage: ./dev bench [arguments of bench/run.sh] | ./dev bench --storage [--full] [--seconds N]
Builds the release preset with the benchmarks and runs bench/run.sh: our figures and the rivals' in one table. With --storage:
bytes a point beside Prometheus and VictoriaMetrics, bytes a span, commits, questions and thirteen months (bench/storage), into
docs/benchmarks.md; about 20 minutes, --full an hour and a half.
example: ./dev bench --storage" "$@"
storage=
[ "${1:-}" = --storage ] && { storage=yes; shift; }
need build bench ${storage:+storage}
configure release -DHONEYLINK_BENCH=ON
build_preset release
[ -z "$storage" ] || exec python3 bench/storage/run.py build/release "$@"
[ -x bench/run.sh ] || die "bench/run.sh is missing"
exec bench/run.sh "$@"
