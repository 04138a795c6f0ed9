# ./dev bench: sourced by dev.
help "usage: ./dev bench [arguments of bench/run.sh]
Builds the release preset with the benchmarks and runs bench/run.sh: our figures and the rivals' in one table.
example: ./dev bench" "$@"
need build bench
configure release -DHONEYLINK_BENCH=ON
build_preset release
[ -x bench/run.sh ] || die "bench/run.sh is missing"
exec bench/run.sh "$@"
