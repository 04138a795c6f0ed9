#!/usr/bin/env python3
"""The tables of the storage, measured: bytes a point beside Prometheus and VictoriaMetrics on the same points, bytes a span, commits,
questions, thirteen months. Called by `./dev bench --storage`; prints the tables and puts them into docs/benchmarks.md.

usage: run.py BUILD [--full] [--seconds N] [--keep FOLDER]
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import peers

ROOT = pathlib.Path(__file__).resolve().parents[2]
BEGIN, END = "<!-- storage -->", "<!-- end of storage -->"


def say(text):
    print(f"[storage] {text}", file=sys.stderr, flush=True)


def run_json(*words):
    done = subprocess.run([str(w) for w in words], stdout=subprocess.PIPE, check=False, text=True)
    if done.returncode not in (0, 1) or not done.stdout.strip():
        raise SystemExit(f"{words[0]} failed ({done.returncode})")
    return json.loads(done.stdout.strip().splitlines()[-1])


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]) + "\n"


def verdict(value, limit):
    return "met" if value <= limit else "**missed**"


def machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown")
    sources = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], stdout=subprocess.PIPE, text=True).stdout.strip()
    load = " ".join(open("/proc/loadavg").read().split()[:3])
    return f"- CPU: {cpu}, {os.cpu_count()} cores; kernel {os.uname().release}; sources {sources}; load average before: {load}\n"


def points(bench, folder, args):
    """Bytes a point on the same data, ours and the peers'."""
    series = 160 if args.full else 48
    sets = {}
    for kind in ("decimal", "full"):
        sets[kind] = folder / f"{kind}.set"
        subprocess.run([bench / "points_bench", "make", kind, str(series if kind == "decimal" else series // 4), "60480", sets[kind]], check=True)
    if args.system:
        sets["system"] = pathlib.Path(args.system)
    else:
        sets["system"] = folder / "system.set"
        say(f"reading /proc once a second for {args.seconds} s")
        subprocess.run([sys.executable, pathlib.Path(__file__).parent / "system_mix.py", sets["system"], str(args.seconds)], check=True, stdout=subprocess.DEVNULL)
    names = {"decimal": "decimal series, 7 days", "system": f"an operating system's, {args.seconds} ticks", "full": "full doubles, 7 days"}
    limits = {"decimal": 0.8, "system": 0.5, "full": 5.4}
    rows, promises, aggregate = [], [], None
    for kind in ("decimal", "system", "full"):
        say(f"{names[kind]}: ours")
        ours = run_json(bench / "points_bench", "store", sets[kind], folder / f"home-{kind}")
        count = ours["points"]
        say(f"{names[kind]}: Prometheus")
        prometheus, _ = peers.prometheus(sets[kind], folder, say)
        say(f"{names[kind]}: VictoriaMetrics")
        victoria, lossy = peers.victoria_metrics(sets[kind], folder, say)
        mine = ours["bytes"] / count
        rows.append([names[kind], f"{count:,}", f"{mine:.3f}", f"{ours['segment_bytes'] / count:.3f}", f"{prometheus / count:.3f}", f"{victoria / count:.3f}",
                     f"{mine / (prometheus / count):.2f}", f"{mine / (victoria / count):.2f}", ours["wrong"], f"{lossy:,}"])
        promises.append([f"{names[kind]}: bytes a point", f"≤ {limits[kind]}", f"{mine:.3f}", verdict(mine, limits[kind])])
        if kind != "full":
            promises.append(["… beside VictoriaMetrics", "≤ 0.95", f"{mine * count / victoria:.2f}", verdict(mine * count / victoria, 0.95)])
            promises.append(["… beside Prometheus", "≤ 0.3", f"{mine * count / prometheus:.2f}", verdict(mine * count / prometheus, 0.3)])
        if kind == "decimal":
            aggregate = ours["aggregate_segment_bytes"] / ours["aggregates"]  # the file still has the pages that ten seconds left
            promises.append(["decimal: five-field minute", "≤ 2.0", f"{aggregate:.2f}", verdict(aggregate, 2.0)])
    text = table(["points of 10 s", "points", "ours, B", "of it segments", "Prometheus", "VictoriaMetrics", "ours / Prometheus", "ours / VictoriaMetrics",
                  "ours: not bit-equal", "VictoriaMetrics: not bit-equal"], rows)
    return text + f"\nA minute of five fields (count, sum, min, max, last) of the decimal series: {aggregate:.2f} B in its segment. Of a gauge that did not move\nnothing is stored; a file of its own costs about 0.25 MB, which shows where there are few ticks.\n", promises


def spans(tool, bench, folder):
    """Blocks of generated spans by the benchmark; the demo's own as rows, and as Parquet where pyarrow is at hand."""
    say("blocks of spans")
    out = json.loads(subprocess.run([bench.parent / "span_block_bench", "--benchmark_format=json", "--benchmark_filter=pack_spans"], check=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)["benchmarks"]
    packed = {one["name"].split(":")[1][0]: one for one in out}
    ours, foreign = packed["0"]["bytes_span"], packed["1"]["bytes_span"]
    promises = [["a span with our ids, the benchmark's", "≤ 12 B", f"{ours:.1f} B", verdict(ours, 12)], ["a span with foreign ids, the benchmark's", "≤ 24 B", f"{foreign:.1f} B", verdict(foreign, 24)],
                ["spans packed a second", "≥ 1 M", f"{packed['0']['items_per_second'] / 1e6:.1f} M", verdict(-packed["0"]["items_per_second"], -1e6)]]
    home = folder / "demo"
    say("the demo, 40 s")
    subprocess.run([tool, "demo", "--headless", "--duration", "40s", "--home", home], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    rows = json.loads(subprocess.run([tool, "sql", "SELECT trace_id, span_id, parent_span_id, name, service, module, kind, status, start_unix_nano, duration_ns, attributes FROM spans",
                                      "--json", "--home", home], check=True, stdout=subprocess.PIPE).stdout)["rows"]
    import sqlite3
    db = sqlite3.connect(folder / "rows.db")
    columns = list(rows[0])
    db.execute(f"CREATE TABLE spans({', '.join(columns)})")
    db.execute("CREATE INDEX by_trace ON spans(trace_id)")
    db.execute("CREATE INDEX by_time ON spans(start_unix_nano)")
    db.executemany(f"INSERT INTO spans VALUES({', '.join('?' * len(columns))})", [[row[c] for c in columns] for row in rows])
    db.commit()
    db.execute("VACUUM")
    db.close()
    found = [["SQLite rows, two indexes", f"{(folder / 'rows.db').stat().st_size / len(rows):.1f}"]]
    try:
        import pyarrow
        import pyarrow.parquet
        sheet = pyarrow.Table.from_pylist([{k: (v if isinstance(v, (int, float)) else str(v)) for k, v in row.items()} for row in rows])
        pyarrow.parquet.write_table(sheet, folder / "spans.parquet", compression="zstd", compression_level=9, row_group_size=len(rows))
        found.append(["Parquet, zstd 9, one row group", f"{(folder / 'spans.parquet').stat().st_size / len(rows):.1f}"])
    except ImportError:
        found.append(["Parquet", "not measured: no pyarrow"])
    found = [["ours, blocks of 4,096, own ids (bench/span_block_bench.cc's spans)", f"{ours:.1f}"], ["… foreign ids", f"{foreign:.1f}"]] + found
    return table(["spans; rows and Parquet: " + f"{len(rows):,} of the demo's", "B a span"], found), promises


def commits(bench, folder, args):
    rows, promises = [], []
    for series, limit in ((1_000, 2.0), (10_000, 5.0)):
        say(f"1,000 commits of {series:,} series beside a reader")
        place = pathlib.Path(args.disk) / f"honeytel-commits-{os.getpid()}-{series}"
        place.mkdir()
        try:
            out = run_json(bench / "commit_bench", place, series, 1_000)
        finally:
            shutil.rmtree(place, ignore_errors=True)
        commit, disk = out["commit"], out["fdatasync"]
        allowed = limit if series == 1_000 else max(limit, 5 * disk["p99_ms"])
        rows.append([f"{series:,}", f"{commit['p50_ms']:.2f}", f"{commit['p99_ms']:.2f}", f"{commit['max_ms']:.2f}", f"{disk['p50_ms']:.2f}", f"{disk['p99_ms']:.2f}", out["reader_asked"]])
        promises.append([f"commit of {series:,} series, p99", f"≤ {allowed:.1f} ms", f"{commit['p99_ms']:.2f} ms", verdict(commit["p99_ms"], allowed)])
    return table(["series a tick", "commit p50, ms", "p99", "max", "fdatasync p50", "p99", "reader's questions"], rows), promises


def history(tool, bench, folder, args):
    plans = [(40, 2)] if not args.full else [(40, 2), (1_200, 0), (500, 20), (1_500, 0), (600, 40)]
    rows, asked, promises = [], [], []
    for scalars, histograms in plans:
        say(f"thirteen months of {scalars:,} series and {histograms} histograms")
        home = folder / f"history-{scalars}-{histograms}"
        out = run_json(tool, "bench", "--history", "13mo", "--series", scalars, "--histograms", histograms, "--keep", home, "--json")
        tiers = {t["tier"]: t for t in out["tiers"]}
        rows.append([f"{scalars:,} + {histograms}", f"{out['points'] / 1e6:,.0f} M", f"{out['seconds_to_write']:,.0f}", f"{out['written_bytes'] / 1e9:.1f}",
                     f"{out['bytes_most'] / 1e6:.1f}", f"{out['rss_bytes'] / 1e6:.0f}", f"{tiers['10s']['days']:.1f} / {tiers['1m']['days']:.0f} / {tiers['1h']['days']:.0f}",
                     f"{out['checked']:,}", out["wrong"]])
        if (scalars, histograms) in ((1_200, 0), (500, 20)):
            promises.append([f"{scalars:,} + {histograms}: most bytes at any moment", "≤ 500,000,000", f"{out['bytes_most']:,}", verdict(out["bytes_most"], 500_000_000)])
        promises.append([f"{scalars:,} + {histograms}: RSS", "≤ 64 MB", f"{out['rss_bytes'] / 1e6:.0f} MB", verdict(out["rss_bytes"], 64e6)])
        answers = run_json(bench / "ask_bench", home, tool)["questions"]
        asked.append([f"{scalars:,} + {histograms}"] + [f"{answers[q]['p50_ms']:.2f}" if q in answers else "" for q in ("week", "p95_days", "p95_hours", "version", "metrics_name")])
        for what, limit, text in (("week", 2, "one series over 7 days"), ("p95_days", 20, "p95 over 13 months, by days"), ("version", 10, "honeytel --version"), ("metrics_name", 50, "honeytel metrics NAME")):
            if what in answers:
                promises.append([f"{scalars:,} + {histograms}: {text}, p50", f"≤ {limit} ms", f"{answers[what]['p50_ms']:.2f} ms", verdict(answers[what]["p50_ms"], limit)])
        shutil.rmtree(home, ignore_errors=True)
    text = table(["13 months of series + histograms", "points", "s to write", "GB written", "most MB at any moment", "RSS, MB", "days of 10 s / 1 min / 1 h", "values checked", "wrong"], rows)
    return text + "\n" + table(["asked of it, p50, ms", "one series, 7 days", "p95, 13 months by days", "by hours", "honeytel --version", "honeytel metrics NAME"], asked), promises


def publish(text):
    path = ROOT / "docs" / "benchmarks.md"
    page = path.read_text()
    section = f"{BEGIN}\n{text}{END}\n"
    if BEGIN in page:
        page = page[:page.index(BEGIN)] + section + page[page.index(END) + len(END):].lstrip("\n")
    else:
        page = page.rstrip("\n") + "\n\n" + section
    path.write_text(page)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--full", action="store_true", help="more series, and the thirteen months of 1,200 to 1,500: an hour and a half")
    parser.add_argument("--seconds", type=int, default=360, help="how long /proc is read")
    parser.add_argument("--system", help="a data set of system_mix.py instead of reading /proc now")
    parser.add_argument("--disk", default=str(ROOT / "build"), help="a folder on the disk that the commits are measured on")
    args = parser.parse_args()
    args.build = args.build.resolve()
    tool, bench = args.build / "honeytel", args.build / "bench" / "storage"
    began, text = time.monotonic(), "## Storage\n\n" + machine() + "\n"
    promises = []
    with tempfile.TemporaryDirectory(prefix="honeytel-storage-") as temporary:
        folder = pathlib.Path(temporary)
        for title, part in (("Bytes a point", lambda: points(bench, folder, args)), ("Spans", lambda: spans(tool, bench, folder)),
                            ("Commits", lambda: commits(bench, folder, args)), ("Thirteen months", lambda: history(tool, bench, folder, args))):
            made, promised = part()
            text += f"### {title}\n\n{made}\n"
            promises += promised
            print(made, flush=True)
    text += "### Promises\n\n" + table(["what", "promised", "measured", ""], promises)
    text += f"\nMeasured in {(time.monotonic() - began) / 60:.0f} minutes{'' if args.full else '; `--full` measures the large stores, too'}.\n"
    print(table(["what", "promised", "measured", ""], promises))
    publish(text)


if __name__ == "__main__":
    main()
