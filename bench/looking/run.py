#!/usr/bin/env python3
"""What looking costs: the page's server, a large trace, a full store, and whether recording notices. Prints a table; docs/benchmarks.md has it.

usage: run.py BUILD [--full HOME] [--only start,trace,full,recording]
BUILD has honeytel and tests/programs/view_recorder (the dev preset builds that; --recorder names another). HOME, for `full`, is one with 13 months
of metrics and ten million spans:
  honeytel bench --history 13mo --series 40 --histograms 2 --keep HOME     and [sli.NAME] of = "request_duration_seconds" in HOME/config.toml
  HONEYLINK_BENCH_SPANS=10000000 HONEYLINK_BENCH_KEEP=HOME build/release/bench/span_find_bench
"""
import argparse
import glob
import json
import os
import pathlib
import re
import sqlite3
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.request

VIEWERS, ROUNDS, STARTS, LOOKS = 3, 3, 20, 15


class View:
    """`honeytel view` of a home, and a client of its API."""

    def __init__(self, tool, home):
        self.began = time.monotonic()
        self.process = subprocess.Popen([tool, "view", "--no-open", "--home", home], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        said = self.process.stdout.readline().strip()
        self.base, self.token = said.split("/#token=")

    def get(self, path):
        request = urllib.request.Request(self.base + path, headers={"Authorization": "Bearer " + self.token, "Accept-Encoding": "gzip"})
        began = time.monotonic()
        with urllib.request.urlopen(request, timeout=60) as answer:
            body = answer.read()
        return body, (time.monotonic() - began) * 1e3

    def watch(self):
        """An open event stream; what comes is thrown away."""
        request = urllib.request.Request(self.base + "/api/live", headers={"Authorization": "Bearer " + self.token})
        stream = urllib.request.urlopen(request, timeout=60)

        def read():
            try:
                while stream.read1(65536):
                    pass
            except (OSError, ValueError):
                pass
        threading.Thread(target=read, daemon=True).start()

    def resident_mb(self):
        return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{self.process.pid}/status").read_text())[1]) * 1024 / 1e6

    def cpu_ms(self):
        """Of all its threads so far: what others do on this machine is not in it."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * 1e3 / os.sysconf("SC_CLK_TCK")

    def end(self):
        self.process.terminate()
        self.process.wait()


def row(what, figure, limit):
    print(f"| {what} | {figure} | {limit} |", flush=True)


def start(args, folder):
    home = tempfile.mkdtemp(dir=folder)
    took, resident = [], []
    for _ in range(STARTS):
        view = View(args.tool, home)
        view.get("/")
        took.append((time.monotonic() - view.began) * 1e3)
        resident.append(view.resident_mb())
        view.end()
    row("from the start of `honeytel view` to the answer of `/`", f"p50 {statistics.median(took):.0f} ms, max {max(took):.0f} ms of {STARTS}", "100 ms")
    row("the page, compressed", f"{int((args.build / 'web/compressed_bytes').read_text()) / 1024:.1f} KB", "120 KB")
    row("RSS at rest", f"{statistics.median(resident):.1f} MB", "30 MB")


def trace(args, folder):
    home = tempfile.mkdtemp(dir=folder)
    agent = subprocess.Popen([args.tool, "agent", "--home", home], stderr=subprocess.DEVNULL)
    time.sleep(1)
    trace_id = subprocess.run([args.recorder, home, "trace", "100000"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    agent.terminate()
    agent.wait()
    view = View(args.tool, home)
    view.get("/")
    before = view.cpu_ms()
    took = [view.get(f"/api/traces/{trace_id}/columns") for _ in range(LOOKS)]
    cpu = (view.cpu_ms() - before) / LOOKS
    view.get(f"/api/traces/{trace_id}?limit=0")
    time.sleep(1)
    row("a trace of 100,000 spans: its columns", f"p50 {statistics.median(ms for _, ms in took):.0f} ms, CPU {cpu:.0f} ms, {len(took[0][0]) / 1e6:.2f} MB on the wire", "5 MB")
    row(f"RSS at rest after {LOOKS} looks at it and its JSON", f"{view.resident_mb():.1f} MB", "30 MB")
    view.end()


def full(args, _folder):
    home = args.full
    view = View(args.tool, home)
    slis = json.loads(view.get("/api/slis")[0])["slis"]
    # The history has a clock of its own: its last hour, and all of it.
    with sqlite3.connect(f"file:{home}/metrics/metrics.db?mode=ro", uri=True) as store:
        end = store.execute("SELECT max(t1) FROM seg").fetchone()[0]
        recorded = {row[0] for row in store.execute("SELECT name FROM series WHERE kind = 'histogram'")}
    name = next((sli["sli_name"] for sli in slis if sli.get("of") in recorded), None)
    if name is None:
        raise SystemExit("no service level of this home is one of its histograms: [sli.NAME] of = ... in its config.toml")
    for what, length in (("an hour", 3_600), ("13 months", 397 * 86_400)):
        span = f"since=@{end - length}&until=@{end}"
        paths = ["/", "/app.js", "/app.css", "/api/status", "/api/slis", f"/api/slis/{name}/history?{span}&points=600",
                 f"/api/slis/{name}/heatmap?{span}&columns=240", "/api/metrics"]
        sums, parts, before = [], {path: [] for path in paths}, view.cpu_ms()
        for _ in range(LOOKS):
            all_ms = [view.get(path)[1] for path in paths]
            sums.append(sum(all_ms))
            for path, ms in zip(paths, all_ms):
                parts[path].append(ms)
        cpu = (view.cpu_ms() - before) / LOOKS
        slowest = max(paths, key=lambda path: statistics.median(parts[path]))
        row(f"SLI page over {what}, every answer that it waits for, one after the other ({name})",
            f"p50 {statistics.median(sums):.0f} ms, max {max(sums):.0f} ms of {LOOKS}, CPU {cpu:.0f} ms; most of it `{slowest.split('?')[0]}` {statistics.median(parts[slowest]):.0f} ms", "300 ms")
    with sqlite3.connect(f"file:{home}/metrics/traces.db?mode=ro", uri=True) as store:
        last_s = store.execute("SELECT max(t1) FROM blk").fetchone()[0] // 1_000_000_000
    for minutes in (15, 60):
        traces, ms = view.get(f"/api/traces?limit=50&since=@{last_s - minutes * 60}")
        row(f"the newest 50 traces of {minutes} min at 1,000 spans a second", f"{ms:.0f} ms, of {json.loads(traces)['total']:,}", "")
    view.end()


def record_once(args, folder, looked_at):
    """`honeytel bench` at a steady rate, alone or with viewers of its home; (p99, p99.9) of a call in ns."""
    bench = subprocess.Popen([args.tool, "bench", "--rate", str(args.rate), "--duration", args.duration, "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                             env={**os.environ, "TMPDIR": folder})
    views = []
    if looked_at:
        homes = []
        while not homes:
            homes = [home for home in glob.glob(folder + "/honeytel-bench*") if os.path.isdir(home)]
            time.sleep(0.05)
        for _ in range(VIEWERS):
            views.append(View(args.tool, homes[0]))
            views[-1].watch()
    while bench.poll() is None:
        time.sleep(0.5)
        for view in views:
            view.get("/api/slis")
    for view in views:
        view.end()
    latency = json.loads(bench.stdout.read())["latency_ns"]
    return latency["p99"], latency["p99_9"]


def recording(args, folder):
    alone, watched = [], []
    for i in range(ROUNDS):
        alone.append(record_once(args, tempfile.mkdtemp(dir=folder), False))
        watched.append(record_once(args, tempfile.mkdtemp(dir=folder), True))
    for at, what in ((0, "p99"), (1, "p99.9")):
        a, w = statistics.median(one[at] for one in alone), statistics.median(one[at] for one in watched)
        row(f"recording {args.rate:,} events/s, {what} of a call: alone, and with {VIEWERS} open viewers", f"{a:,.0f} ns, {w:,.0f} ns ({(w / a - 1) * 100:+.0f} %); rounds "
            + ", ".join(f"{x[at]:,.0f}/{y[at]:,.0f}" for x, y in zip(alone, watched)), "10 %" if at else "")


PARTS = {"start": start, "trace": trace, "full": full, "recording": recording}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--full", help="a home with 13 months and ten million spans")
    parser.add_argument("--recorder", help="tests/programs/view_recorder of another build")
    parser.add_argument("--rate", type=int, default=100_000)
    parser.add_argument("--duration", default="20s")
    parser.add_argument("--only", default="start,trace,full,recording")
    args = parser.parse_args()
    args.tool = str(args.build / "honeytel")
    args.recorder = args.recorder or str(args.build / "tests/programs/view_recorder")
    print("load average before: " + pathlib.Path("/proc/loadavg").read_text()[:14])
    print("\n| what | measured | at most |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in args.only.split(","):
            if name != "full" or args.full:
                PARTS[name](args, folder)
    print("\nload average after: " + pathlib.Path("/proc/loadavg").read_text()[:14])


if __name__ == "__main__":
    main()
