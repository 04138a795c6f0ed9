#!/usr/bin/env python3
"""Real peers against the real tool: what leaves is complete, prompt and right. Prints a table; exits 1 where something is not.

Usage: run.py HONEYTEL OTLP_REQUESTS COLLECTOR [--outage SECONDS] [--only tls,gzip]
./dev interop builds what it needs and calls it. Each check has a home of its own.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from peers import Collector, Prometheus  # noqa: E402


class Failed(Exception):
    pass


def expect(what, held):
    if not held:
        raise Failed(what)


class Home:
    """A home with an agent."""

    def __init__(self, honeytel, folder):
        self.honeytel, self.path, self.agent = honeytel, folder, None
        self.environment = dict(os.environ, HONEYLINK_HOME=str(folder))

    def tool(self, *words, check=True):
        return subprocess.run([self.honeytel, *words], env=self.environment, capture_output=True, text=True, check=check).stdout

    def start(self):
        self.agent = subprocess.Popen([self.honeytel, "agent"], env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while self.status()["engine"]["pid"] is None:
            expect("the agent leads within 10 s", time.monotonic() < until)
            time.sleep(0.1)

    def stop(self):
        if self.agent:
            self.agent.terminate()
            self.agent.wait(20)
            self.agent = None

    def status(self):
        answer = self.tool("status", "--json", check=False)
        return json.loads(answer) if answer else {"engine": {"pid": None}}

    def demo(self, seconds):
        return subprocess.Popen([self.honeytel, "demo", "--headless", "--duration", f"{seconds}s"], env=self.environment,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stored(self, signal):
        return self.status()["ledger"][signal]["stored"]


def wait_until(what, holds, seconds=60):
    until = time.monotonic() + seconds
    while not holds():
        expect(what, time.monotonic() < until)
        time.sleep(0.2)


def grant(home, endpoint, *more):
    home.tool("consent", "grant", "--endpoint", endpoint, "--signals", "metrics,traces,logs", "--yes", *more)


def settle(home, collector):
    """Everything that is stored has arrived; returns (spans, twice)."""
    wait_until("every stored span arrives", lambda: len(collector.spans()) == home.stored("spans"))
    spans = collector.spans()
    return len(spans), sum(n - 1 for n in spans.values())


def delivery(home, collector, endpoint, *more):
    home.start()
    grant(home, endpoint, *more)
    time.sleep(1.5)
    home.demo(20).wait(60)
    spans, twice = settle(home, collector)
    expect(f"no span twice ({twice})", twice == 0)
    wait_until("every line arrives", lambda: collector.lines() >= home.stored("logs") - 2)  # two are older than the grant
    points = collector.counter("packets_sent_total")
    expect("points arrive", len(points) > 5)
    values = [points[at] for at in sorted(points)]
    expect("a counter never goes down", values == sorted(values))
    return f"{spans:,} spans, {collector.lines():,} lines, {len(points):,} points of one counter: all, none twice"


def over_tls(home, collector, _):
    return delivery(home, collector, f"https://localhost:{collector.tls}", "--ca", str(collector.certificate))


def over_http(home, collector, _):
    return delivery(home, collector, f"http://127.0.0.1:{collector.http}")


def packed(home, collector, _):
    """gzip to the Collector over both of its ways; what arrives is the same."""
    home.path.mkdir(mode=0o700)
    (home.path / "config.toml").write_text('[export]\ncompression = "gzip"\n')
    return delivery(home, collector, f"https://localhost:{collector.tls}", "--ca", str(collector.certificate))


def packed_http(home, collector, _):
    home.path.mkdir(mode=0o700)
    (home.path / "config.toml").write_text('[export]\ncompression = "gzip"\n')
    return delivery(home, collector, f"http://127.0.0.1:{collector.http}")


def outage(home, collector, options):
    home.start()
    grant(home, f"https://localhost:{collector.tls}", "--ca", str(collector.certificate))
    time.sleep(1.5)
    begin = time.time()
    demo = home.demo(options.outage + 40)
    time.sleep(10)
    collector.stop()
    time.sleep(options.outage)
    collector.start()
    demo.wait(options.outage + 90)
    spans, twice = settle(home, collector)
    expect(f"no span twice ({twice})", twice == 0)
    wait_until("every line arrives", lambda: collector.lines() >= home.stored("logs") - 2)

    def gap():
        times = [at / 1e9 for at in sorted(collector.counter("packets_sent_total")) if at / 1e9 > begin]
        return max((b - a for a, b in zip(times, times[1:])), default=999)
    wait_until("the points of the outage arrive", lambda: gap() <= 11)
    points = collector.counter("packets_sent_total")
    values = [points[at] for at in sorted(points)]
    expect("a counter never goes down", values == sorted(values))
    return f"away {options.outage} s: {spans:,} spans, all, none twice; longest gap of a counter {gap():.1f} s"


def into_prometheus(home, collector, prometheus):
    home.start()
    grant(home, f"http://127.0.0.1:{collector.grpc}")
    time.sleep(1.5)
    begin = time.time()
    demo = home.demo(60)
    time.sleep(8)
    collector.stop()
    time.sleep(25)
    collector.start()
    demo.wait(120)
    time.sleep(3)
    end = time.time() - 5

    def missing():
        series = prometheus.range("sum(packets_sent_total)", begin + 15, end, 10)
        times = [at for at, _ in series[0]["values"]] if series else []
        return max((b - a for a, b in zip(times, times[1:])), default=999)
    wait_until("Prometheus has a point every 10 s", lambda: missing() <= 10, 40)
    increase = prometheus.range("increase(session_establishment_duration_seconds[40s])", begin + 15, end, 10)
    return f"Collector away for 25 s: no gap in sum(packets_sent_total); {len(increase)} native histogram series"


def decoder(home, options):
    home.start()
    home.demo(8).wait(60)
    home.stop()
    done = subprocess.run([sys.executable, str(pathlib.Path(__file__).parent / "otlp/check.py"), options.honeytel, options.otlp_requests,
                           str(home.path)], capture_output=True, text=True, check=False)
    expect(done.stderr.strip(), done.returncode == 0)
    return "; ".join(line.split(": as")[0] for line in done.stdout.splitlines())


def run(options, name, peer, check, with_prometheus=False):
    with tempfile.TemporaryDirectory(prefix="honeytel_interop_") as folder:
        folder = pathlib.Path(folder)
        prometheus = Prometheus(folder) if with_prometheus else None
        collector = Collector(options.collector, folder, f"{prometheus.url}/api/v1/write" if prometheus else None)
        home = Home(options.honeytel, folder / "home")
        try:
            if prometheus:
                prometheus.start()
            collector.start()
            figure, held = check(home, collector, prometheus or options), True
        except (Failed, RuntimeError, subprocess.CalledProcessError) as error:
            figure, held = str(error), False
        finally:
            home.stop()
            collector.stop()
            if prometheus:
                prometheus.stop()
    print(f"| {name} | {peer} | {'yes' if held else '**no**'} | {figure} |", flush=True)
    return held


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("honeytel")
    parser.add_argument("otlp_requests")
    parser.add_argument("collector")
    parser.add_argument("--outage", type=int, default=30)
    parser.add_argument("--only", default="", help="decoder,tls,gzip,http,gzip-http,outage,prometheus: some of them")
    options = parser.parse_args()
    version = subprocess.run([options.collector, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    peer = f"OpenTelemetry Collector {version}"
    print("| what | peer | proved | figure |\n|---|---|---|---|", flush=True)
    checks = [("decoder", "the bytes of every kind of message", "opentelemetry-proto (Python)", lambda home, *_: decoder(home, options)),
              ("tls", "OTLP/gRPC, TLS 1.3, own CA", peer, over_tls),
              ("gzip", "OTLP/gRPC, TLS 1.3, gzip", peer, packed),
              ("http", "OTLP/HTTP on this device", peer, over_http),
              ("gzip-http", "OTLP/HTTP, gzip", peer, packed_http),
              ("outage", "an outage loses nothing", peer, outage),
              ("prometheus", "points through an outage", f"{peer}, Prometheus", into_prometheus)]
    held = True
    for key, name, of, check in checks:
        if options.only and key not in options.only.split(","):
            continue
        with_prometheus = check is into_prometheus
        if with_prometheus and not Prometheus.there():
            print(f"| {name} | Prometheus | skipped | not installed |")
            continue
        held = run(options, name, of, check, with_prometheus) and held
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
