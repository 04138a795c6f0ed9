#!/usr/bin/env python3
"""The figures of the export: how soon, how much, at what cost; measured at a sink of ours, or at the real Collector with the sink behind it.

Usage: figures.py BUILD COLLECTOR [--only latency,collector,throughput,slow,outage] [--seconds N] [--outage SECONDS] [--no-head]
BUILD is a build directory that holds honeytel and interop/otlp_{sink,recorder}. Prints the rows of docs/benchmarks.md, "Exporting". Times are
CLOCK_MONOTONIC of one machine at both ends: no clock has to agree with another. Exits 1 where something is lost or the counts differ.
"""
import argparse
import array
import bisect
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from peers import Collector, make_certificate  # noqa: E402
from run import Failed, Home, expect, grant, wait_until  # noqa: E402


class Sink:
    def __init__(self, build, folder, *options):
        self.folder = folder
        self.process = subprocess.Popen([build / "interop/otlp_sink", folder, *options], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        return json.loads((self.folder / "sink.json").read_text())

    def metric_ms(self, marks):
        """Of each add to the counter: when a point that holds it arrived, less when it happened."""
        arrivals = []
        for line in (self.folder / "marked.csv").read_text().splitlines():
            value, at = map(int, line.split(","))
            if not arrivals or value > arrivals[-1][0]:
                arrivals.append((value, at))
        times = array.array("q", marks.read_bytes())
        values = [value for value, _ in arrivals]
        late = []
        for i in range(0, len(times), max(1, len(times) // 200_000)):
            at = bisect.bisect_left(values, i + 1)
            if at < len(values):
                late.append((arrivals[at][1] - times[i]) / 1e6)
        expect(f"every add arrives ({values[-1] if values else 0:,} of {len(times):,})", values and values[-1] == len(times))
        return sorted(late)


def at(ordered, q):
    return ordered[int(q * (len(ordered) - 1))]


def agent_usage(pid):
    """CPU seconds of the engine's thread and of all, peak RSS in MiB."""
    ticks = os.sysconf("SC_CLK_TCK")

    def cpu(path):
        fields = path.read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / ticks
    peak = next(int(line.split()[1]) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    threads = [cpu(path) for path in pathlib.Path(f"/proc/{pid}/task").glob("*/stat")]
    return cpu(pathlib.Path(f"/proc/{pid}/stat")), max(threads), peak / 1024


def exported(home):
    return {row["signal"]: row for row in home.status()["exports"]}


def settle(home, seconds=300):
    def done():
        rows = exported(home)
        return "traces" in rows and rows["traces"]["sent"] == home.stored("spans") and rows["traces"]["backlog"] == 0
    wait_until("every stored span is acknowledged", done, seconds)


def record(options, home, seconds, spans, counts, lines, folder):
    done = subprocess.run([options.build / "interop/otlp_recorder", *map(str, (seconds, spans, counts, lines)), folder / "marks"],
                          env=home.environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def export_call_ms(home):
    done = home.tool("sql", "SELECT quantile(sketch, 0.99) AS q FROM points WHERE metric = 'telemetry_export_duration_seconds'", "--json", check=False)
    rows = json.loads(done)["rows"] if done.startswith("{") else []
    return max((row["q"] for row in rows if row["q"] is not None), default=float("nan")) * 1000


def latency(options, folder, home, behind_collector):
    certificate, key = make_certificate(folder)
    sink = Sink(options.build, folder, *([] if behind_collector else ["--certificate", certificate, "--key", key]))
    collector = None
    if behind_collector:
        collector = Collector(options.collector, folder, forward=sink.url)
        collector.start()
    home.start()
    grant(home, f"https://localhost:{collector.tls}" if collector else sink.url, "--ca", str(collector.certificate if collector else certificate))
    time.sleep(12)  # the tick in which consent was given never leaves
    done = record(options, home, options.seconds, 1500, 7000, 1500, folder)
    settle(home)
    time.sleep(11)
    call = export_call_ms(home)
    rows = exported(home)
    home.stop()
    if collector:
        time.sleep(1)
        collector.stop()
    counted = sink.stop()
    late = sink.metric_ms(folder / "marks")
    expect(f"each span once ({counted['distinct']} of {done['spans']}, {counted['repeated']} twice)",
           counted["distinct"] == done["spans"] and counted["repeated"] == 0)
    expect(f"honeytel sent {rows['traces']['sent']}, {counted['spans']} arrived", rows["traces"]["sent"] == counted["spans"])
    return (f"{done['spans'] + done['counts'] + done['lines']:,} events in {done['seconds']:.0f} s; RecordMetric → sent p50 {at(late, .5):.1f}, "
            f"p95 {at(late, .95):.1f}, p99 {at(late, .99):.1f} ms; EndSpan → sent p50 {counted['span_ms']['p50']:.1f}, p95 {counted['span_ms']['p95']:.1f}, "
            f"p99 {counted['span_ms']['p99']:.1f} ms; an Export call p99 {call:.1f} ms; 0 lost")


def throughput(options, folder, home, delay_ms):
    certificate, key = make_certificate(folder)
    sink = Sink(options.build, folder, "--certificate", certificate, "--key", key, "--delay", str(delay_ms))
    home.start()
    grant(home, sink.url, "--ca", str(certificate))
    time.sleep(2)
    before = agent_usage(home.agent.pid)
    done = record(options, home, options.seconds, 100_000, 0, 0, folder)
    settle(home)
    after = agent_usage(home.agent.pid)
    ledger, rows = home.status()["ledger"]["spans"], exported(home)["traces"]
    home.stop()
    counted = sink.stop()
    dropped = sum(ledger["dropped"].values())
    expect(f"honeytel sent {rows['sent']:,} and {rows['resent']:,} again, {counted['spans']:,} arrived",
           rows["sent"] <= counted["spans"] <= rows["sent"] + rows["resent"])
    expect(f"{done['spans'] - counted['distinct']} of {done['spans']} lost, {dropped} dropped", counted["distinct"] == done["spans"])
    n = done["spans"]
    return (f"{n:,} spans in {done['seconds']:.0f} s, 0 lost, {counted['repeated']:,} twice ({rows['resent']:,} counted as resent), {rows['backfilled']:,} out of the store; the agent's CPU {(after[0] - before[0]) / n * 1e6:.2f} µs a span "
            f"(its busiest thread {(after[1] - before[1]) / n * 1e6:.2f}), peak RSS {after[2]:.0f} MiB; {counted['bytes'] / n:.0f} B a span")


def outage(options, folder, home):
    collector = Collector(options.collector, folder)
    collector.start()
    home.start()
    grant(home, f"https://localhost:{collector.tls}", "--ca", str(collector.certificate))
    time.sleep(12)
    recorder = subprocess.Popen([options.build / "interop/otlp_recorder", str(options.outage + 60), "750", "3500", "750", folder / "marks"],
                                env=home.environment, stdout=subprocess.PIPE, text=True)
    time.sleep(20)
    collector.stop()
    away_from = time.time_ns()
    time.sleep(options.outage)
    back = time.monotonic()
    collector.start()
    done = json.loads(recorder.communicate()[0])
    settle(home)
    took = time.monotonic() - back
    wait_until("the newest point arrives", lambda: max(collector.counter("marked_total").values(), default=0) == done["counts"])
    wait_until("every line arrives", lambda: collector.lines() == exported(home)["logs"]["sent"] and exported(home)["logs"]["backlog"] == 0)
    rows = exported(home)
    home.stop()
    spans, twice = collector.spans(), 0
    twice = sum(n - 1 for n in spans.values())
    points = collector.counter("marked_total")
    values = [points[when] for when in sorted(points)]
    times = [when / 1e9 for when in sorted(points)]
    gap = max(b - a for a, b in zip(times, times[1:]))
    expect(f"{len(spans):,} of {done['spans']:,} spans, {twice} twice", len(spans) == done["spans"] and twice <= rows["traces"]["resent"])
    expect(f"honeytel sent {rows['traces']['sent']:,}, {sum(spans.values()):,} arrived", rows["traces"]["sent"] == sum(spans.values()))
    expect("a counter never goes down", values == sorted(values))
    expect(f"no gap of a counter ({gap:.1f} s)", gap <= 11)
    inside = sum(1 for when in points if away_from < when < away_from + options.outage * 10**9)
    return (f"away {options.outage} s at 5,000 events/s: {len(spans):,} spans, all, {twice} twice ({rows['traces']['resent']} counted as resent); {collector.lines():,} lines; "
            f"{inside} points of one counter from the time away, none missing (longest gap {gap:.1f} s); caught up {took:.0f} s after it was back")


def run(options, name, peer, check):
    with tempfile.TemporaryDirectory(prefix="honeytel_figures_") as folder:
        folder = pathlib.Path(folder)
        home = Home(options.build / "honeytel", folder / "home")
        load = os.getloadavg()[0]
        try:
            figure, held = check(folder, home), True
        except (Failed, RuntimeError, subprocess.CalledProcessError) as error:
            figure, held = f"**{error}**", False
        finally:
            home.stop()
    print(f"| {name} | {peer} | {'yes' if held else '**no**'} | {figure}; load before {load:.1f} |", flush=True)
    return held


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("collector")
    parser.add_argument("--only", default="latency,collector,throughput,slow,outage")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--outage", type=int, default=600)
    parser.add_argument("--no-head", action="store_true")
    options = parser.parse_args()
    options.build = options.build.resolve()
    version = subprocess.run([options.collector, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    sink, collector = "a sink (nghttp2, OpenSSL)", f"OpenTelemetry Collector {version}"
    checks = {"latency": ("10,000 events/s over gRPC, TLS 1.3", sink, lambda f, h: latency(options, f, h, False)),
              "collector": ("the same, the sink behind the Collector", collector, lambda f, h: latency(options, f, h, True)),
              "throughput": ("100,000 spans/s over TLS 1.3", sink, lambda f, h: throughput(options, f, h, 0)),
              "slow": ("the same, answers after 50 ms", sink, lambda f, h: throughput(options, f, h, 50)),
              "outage": ("an outage under load", collector, lambda f, h: outage(options, f, h))}
    if not options.no_head:
        print("| what | peer | proved | figure |\n|---|---|---|---|", flush=True)
    held = [run(options, *checks[key]) for key in options.only.split(",")]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
