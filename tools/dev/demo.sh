# ./dev demo: sourced by dev.
help "usage: ./dev demo [--duration 60s] [--scenario healthy|lossy|slow|outage] [--headless]
Builds the release preset and runs honeytel demo: two processes, an encrypted link over loopback, its metrics, traces and logs.
example: ./dev demo --duration 20s --scenario lossy" "$@"
need build
configure release
build_preset release
[ -x build/release/honeytel ] || die "build/release/honeytel was not built: src/cli/main.cc is missing"
case " $* " in *" --duration"*) ;; *) set -- --duration 60s "$@" ;; esac
exec build/release/honeytel demo "$@"
