# ./dev interop: sourced by dev.
help "usage: ./dev interop [--outage SECONDS] [--only tls,gzip,outage]
Runs the tool against real peers and prints what was proved: OpenTelemetry's own decoder (Python), the OpenTelemetry Collector (built once from
Go modules into build/interop, some minutes), Prometheus. Needs Go 1.26 or newer for the Collector.
  --only NAMES       some of decoder, tls, gzip, http, gzip-http, outage, prometheus; without it the figures of the export besides
  --outage SECONDS   how long the Collector is away (default 30; the promise is 600)
example: ./dev interop --outage 60" "$@"
need build test storage
configure dev
build_preset dev honeytel program_otlp_requests otlp_sink otlp_recorder
place=$ROOT/build/interop
mkdir -p "$place"
if [ ! -x "$place/venv/bin/python" ]; then
  say "installing opentelemetry-proto into build/interop/venv"
  python3 -m venv "$place/venv" && "$place/venv/bin/pip" -q install opentelemetry-proto==1.45.2 || die "cannot install opentelemetry-proto"
fi
if [ ! -x "$place/otelcol-peer" ]; then
  go version 2>/dev/null | grep -qE 'go1\.(2[6-9]|[3-9][0-9])' || die "the Collector needs Go 1.26 or newer in the PATH"
  say "building the Collector (some minutes, once)"
  (cd interop/otelcol && go build -p 2 -trimpath -ldflags='-s -w' -o "$place/otelcol-peer" .) >"$place/otelcol.log" 2>&1 ||
    { tail -20 "$place/otelcol.log" >&2; die "the Collector does not build (its whole output: $place/otelcol.log)"; }
fi
if [ ! -x "$place/h3peer" ]; then
  say "building a QUIC peer (quic-go, once)"
  (cd interop/h3peer && go build -p 2 -trimpath -ldflags='-s -w' -o "$place/h3peer" .) >"$place/h3peer.log" 2>&1 ||
    { tail -20 "$place/h3peer.log" >&2; die "the QUIC peer does not build (its whole output: $place/h3peer.log)"; }
fi
failed=0
"$place/venv/bin/python" interop/run.py build/dev/honeytel build/dev/tests/programs/otlp_requests "$place/otelcol-peer" "$@" || failed=1
"$place/venv/bin/python" interop/secure.py build/dev/honeytel "$place/otelcol-peer" || failed=1
"$place/venv/bin/python" interop/http3.py build/dev/honeytel "$place/otelcol-peer" --h3peer "$place/h3peer" || failed=1
# Nothing named: the figures of the export besides; docs/benchmarks.md says how they are read.
case " $* " in
  *" --only "*) ;;
  *) "$place/venv/bin/python" interop/figures.py build/dev "$place/otelcol-peer" --only latency,collector,throughput,slow --seconds 20 --no-head || failed=1 ;;
esac
exit "$failed"
