#!/usr/bin/env python3
"""The tables of the storage, measured: bytes a point beside Prometheus and VictoriaMetrics on the same points, bytes a span beside rows and
Parquet, commits, questions, thirteen months. Called by `./dev bench --storage`; prints the tables and puts them into docs/benchmarks.md.

usage: run.py BUILD [PART...]        parts: points spans find commits history-SERIES-HISTOGRAMS; where none is named: points spans commits history-40-0 history-40-2
Results are kept in BUILD/bench/storage/results; a part that is measured again replaces its own, and the page shows all that are there.
"""
import argparse
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import peers
import report
from report import ROOT, verdict

USUAL = ["points", "spans", "commits", "history-40-0", "history-40-2"]
LARGE = ["find", "history-1200-0", "history-500-20", "history-1500-0", "history-600-40"]


def say(text):
    print(f"[storage] {text}", file=sys.stderr, flush=True)


def run_json(*words):
    done = subprocess.run([str(w) for w in words], stdout=subprocess.PIPE, check=False, text=True)
    if done.returncode not in (0, 1) or not done.stdout.strip():
        raise SystemExit(f"{words[0]} failed ({done.returncode})")
    return json.loads(done.stdout.strip().splitlines()[-1])


def points(part, tool, bench, folder, args):
    """Bytes a point on the same data, ours and the peers'."""
    series = 160 if args.full else 48
    sets = {}
    for kind, many in (("decimal", series), ("full", series // 4), ("ratio", series // 4), ("walk", series // 4)):
        sets[kind] = folder / f"{kind}.set"
        subprocess.run([bench / "points_bench", "make", kind, str(many), "60480", sets[kind]], check=True)
    if args.system:
        sets["system"] = pathlib.Path(args.system)
    else:
        sets["system"] = folder / "system.set"
        say(f"reading /proc {args.ticks} times, every {args.every:g} s")
        subprocess.run([sys.executable, pathlib.Path(__file__).parent / "system_mix.py", sets["system"], str(args.ticks), str(args.every)], check=True, stdout=subprocess.DEVNULL)
    _, ticks, held = peers.read_set(sets["system"])
    taken = "every 10 s" if args.every == 10 else f"taken every {args.every:g} s and stored as every 10 s"
    names = {"decimal": "decimal series, 7 days", "system": f"an operating system's {len(held)} series, {ticks:,} ticks {taken}", "full": "full doubles, 7 days",
             "ratio": "… their half that are shares of two counts", "walk": "… their half that walk at random"}
    limits = {"decimal": 0.8, "system": 0.5, "full": 5.4}
    rows, aggregate = [], None
    for kind in ("decimal", "system", "full", "ratio", "walk"):
        say(f"{names[kind]}: ours")
        ours = run_json(bench / "points_bench", "store", sets[kind], folder / f"home-{kind}")
        count = ours["points"]
        mine = ours["bytes"] / count
        row = [names[kind], f"{count:,}", f"{mine:.3f}", f"{ours['segment_bytes'] / count:.3f}"]
        if kind not in limits:
            rows.append(row + [""] * 4 + [ours["wrong"], ""])
            continue
        say(f"{names[kind]}: Prometheus")
        prometheus, _ = peers.prometheus(sets[kind], folder, say)
        say(f"{names[kind]}: VictoriaMetrics")
        victoria, lossy = peers.victoria_metrics(sets[kind], folder, say)
        rows.append(row + [f"{prometheus / count:.3f}", f"{victoria / count:.3f}", f"{ours['bytes'] / prometheus:.2f}", f"{ours['bytes'] / victoria:.2f}", ours["wrong"], f"{lossy:,}"])
        part.promise(f"{names[kind]}: bytes a point", f"≤ {limits[kind]}", f"{mine:.3f}", verdict(mine, limits[kind]))
        part.promise("… beside VictoriaMetrics", "≤ 0.95", f"{ours['bytes'] / victoria:.2f}", verdict(ours["bytes"] / victoria, 0.95))
        if kind != "full":
            part.promise("… beside Prometheus", "≤ 0.3", f"{ours['bytes'] / prometheus:.2f}", verdict(ours["bytes"] / prometheus, 0.3))
        if kind == "decimal":
            aggregate = ours
    minutes = aggregate["series"] * (aggregate["ticks"] // 6)
    part.table("Bytes a point", ["points of 10 s", "points", "ours, B", "of it segments", "Prometheus", "VictoriaMetrics", "ours / Prometheus", "ours / VictoriaMetrics",
                                 "ours: not bit-equal", "VictoriaMetrics: not bit-equal"], rows)
    part.note("Bytes a point", f"""A point is a series' value at a tick, whether it moved or not; of a gauge that did not move nothing is stored. Rolled up, the decimal series take
{aggregate['aggregate_segment_bytes'] / minutes:.2f} B a minute and series ({aggregate['aggregate_segment_bytes'] / aggregate['aggregates']:.2f} B a minute in which it moved) for count, sum, min, max and last; a file of its own costs
about 0.1 MB, which shows where there are few ticks.""")


def rows_bytes(path, rows):
    """The same spans as rows of SQLite with two indexes."""
    db = sqlite3.connect(path)
    columns = list(rows[0])
    db.execute(f"CREATE TABLE spans({', '.join(columns)})")
    db.execute("CREATE INDEX by_trace ON spans(trace_id)")
    db.execute("CREATE INDEX by_time ON spans(start_unix_nano)")
    db.executemany(f"INSERT INTO spans VALUES({', '.join('?' * len(columns))})", [[row[c] for c in columns] for row in rows])
    db.commit()
    db.execute("VACUUM")
    db.close()
    return path.stat().st_size


def parquet_bytes(path, rows):
    """… and as Parquet, made as small as it gets: ids as bytes, times as differences, in the order of traces, one row group, zstd 9."""
    import pyarrow
    import pyarrow.parquet
    rows = sorted(rows, key=lambda row: (row["trace_id"], row["start_unix_nano"]))
    raw = lambda text: bytes.fromhex(text) if text else None
    texts = ("name", "service", "module", "kind", "status", "attributes")
    columns = {"trace_id": pyarrow.array([raw(r["trace_id"]) for r in rows], pyarrow.binary(16)), "span_id": pyarrow.array([raw(r["span_id"]) for r in rows], pyarrow.binary(8)),
               "parent_span_id": pyarrow.array([raw(r["parent_span_id"]) for r in rows], pyarrow.binary(8)),
               "start_unix_nano": pyarrow.array([r["start_unix_nano"] for r in rows], pyarrow.int64()), "duration_ns": pyarrow.array([r["duration_ns"] for r in rows], pyarrow.int64())}
    columns |= {name: pyarrow.array([r[name] for r in rows], pyarrow.string()) for name in texts}
    pyarrow.parquet.write_table(pyarrow.table(columns), path, compression="zstd", compression_level=9, row_group_size=len(rows), use_dictionary=list(texts), write_statistics=False,
                                column_encoding={"start_unix_nano": "DELTA_BINARY_PACKED", "duration_ns": "DELTA_BINARY_PACKED"})
    return path.stat().st_size


def spans(part, tool, bench, folder, args):
    """The demo's own spans, packed by its engine, as rows and as Parquet; and what the benchmark's cost with ids from elsewhere."""
    say("blocks of spans")
    out = json.loads(subprocess.run([bench.parent / "span_block_bench", "--benchmark_format=json", "--benchmark_filter=pack_spans"], check=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)["benchmarks"]
    packed = {one["name"].split(":")[1][0]: one for one in out}
    home = folder / "demo"
    say("the demo, 240 s, and a minute and a half until its engine packs")
    subprocess.run([tool, "demo", "--headless", "--duration", "240s", "--home", home], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ask = lambda sql: json.loads(subprocess.run([tool, "sql", sql, "--json", "--limit", "0", "--home", home], check=True, stdout=subprocess.PIPE).stdout)["rows"]
    agent = subprocess.Popen([tool, "agent", "--home", home], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 120
        while ask("SELECT count(*) AS n FROM traces.blk")[0]["n"] == 0 and time.monotonic() < end:
            time.sleep(2)
    finally:
        peers.stop(agent)
    mine = ask("SELECT sum(n) AS n, sum(length(data) + length(zone)) AS bytes, (SELECT coalesce(sum(length(data) + 4), 0) FROM traces.val) + (SELECT 16 * count(*) FROM traces.trace_range) + "
               "(SELECT coalesce(sum(length(filter)), 0) FROM traces.foreign_ids) AS beside, max(t1) AS newest FROM traces.blk")[0]
    rows = ask("SELECT trace_id, span_id, parent_span_id, name, service, module, kind, status, start_unix_nano, duration_ns, attributes FROM spans ORDER BY start_unix_nano")
    rows = rows[:mine["n"]] if mine["n"] else rows
    ours = (mine["bytes"] + mine["beside"]) / mine["n"] if mine["n"] else float("nan")
    found = [[f"ours, in blocks, values and what finds traces counted", f"{ours:.1f}"], ["SQLite rows, two indexes", f"{rows_bytes(folder / 'rows.db', rows) / len(rows):.1f}"]]
    try:
        found.append(["Parquet, zstd 9, one row group", f"{parquet_bytes(folder / 'spans.parquet', rows) / len(rows):.1f}"])
    except ImportError:
        found.append(["Parquet", "not measured: no pyarrow"])
    foreign = packed["1"]["bytes_span"]
    found += [["ours, of bench/span_block_bench.cc's spans", f"{packed['0']['bytes_span']:.1f}"], ["… with ids from elsewhere", f"{foreign:.1f}"]]
    part.promise("a span with our ids, the demo's", "≤ 12 B", f"{ours:.1f} B", verdict(ours, 12))
    part.promise("a span with foreign ids, the benchmark's", "≤ 24 B", f"{foreign:.1f} B", verdict(foreign, 24))
    rate = packed["0"]["items_per_second"]
    part.promise("spans packed a second", "≥ 1 M", f"{rate / 1e6:.1f} M", verdict(-rate, -1e6))
    part.table("Spans", [f"{len(rows):,} of the demo's spans, where nothing else is said", "B a span"], found)


def find(part, tool, bench, folder, args):
    """A trace by its id, and the slowest of an hour, among ten million spans."""
    say("ten million spans")
    environment = dict(os.environ, HONEYLINK_BENCH_SPANS="10000000", TMPDIR=str(folder))
    out = json.loads(subprocess.run([bench.parent / "span_find_bench", "--benchmark_format=json", "--benchmark_repetitions=9", "--benchmark_report_aggregates_only=true",
                                     "--benchmark_filter=digits:32|slowest"], check=True, stdout=subprocess.PIPE, env=environment).stdout)["benchmarks"]
    rows = []
    for name, what, limit in (("find_trace/digits:32", "a trace by its id", 1), ("find_slowest", "the 20 slowest of an hour", 5)):
        median = next(one for one in out if one["run_name"] == name and one["aggregate_name"] == "median")
        wall, cpu = median["real_time"] / 1e3, median["cpu_time"] / 1e3
        rows.append([what, f"{wall:.2f}", f"{cpu:.2f}"])
        part.promise(f"{what} among 10 million spans", f"≤ {limit} ms", f"{wall:.2f} ms, CPU {cpu:.2f} ms", verdict(wall, limit))
    part.table("Asked of it", ["10 million spans, 1,000 a second; medians of 9", "ms", "CPU, ms"], rows)


def commits(part, tool, bench, folder, args):
    rows = []
    for series, limit in ((1_000, 2.0), (10_000, 5.0)):
        say(f"1,000 commits of {series:,} series beside a reader")
        place = pathlib.Path(args.disk) / f"honeytel-commits-{os.getpid()}-{series}"
        place.mkdir()
        try:
            out = run_json(bench / "commit_bench", place, series, 1_000)
        finally:
            shutil.rmtree(place, ignore_errors=True)
        commit, disk, part_of = out["commit"], out["fdatasync"], out["slice"]
        allowed = limit if series == 1_000 else max(limit, 5 * disk["p99_ms"])
        rows.append([f"{series:,}", f"{commit['p50_ms']:.2f}", f"{commit['p99_ms']:.2f}", f"{commit['max_ms']:.2f}", f"{disk['p50_ms']:.2f}", f"{disk['p99_ms']:.2f}",
                     f"{part_of['max_ms']:.1f}", f"{out['upkeep']['max_ms']:.0f}", out["reader_asked"]])
        part.promise(f"commit of {series:,} series, p99", f"≤ {allowed:.1f} ms", f"{commit['p99_ms']:.2f} ms", verdict(commit["p99_ms"], allowed))
    part.table("Commits", ["series a tick", "commit p50, ms", "p99", "max", "fdatasync p50", "p99", "longest slice of upkeep", "all slices of an hour", "reader's questions"], rows)
    part.note("Commits", "Upkeep (packing an hour, rolling up) is done in slices between which the engine ticks and drains; a slice asks to end after 5 ms.")


def history(part, tool, bench, folder, args):
    _, scalars, histograms = part.kept["name"].split("-")
    name = f"{int(scalars):,} + {histograms}"
    say(f"thirteen months of {name} series and histograms")
    home = folder / "history"
    out = run_json(tool, "bench", "--history", "13mo", "--series", scalars, "--histograms", histograms, "--keep", home, "--json")
    tiers = {t["tier"]: t for t in out["tiers"]}
    minute = tiers["1m"]["bytes"] / max(tiers["1m"]["values"], 1)
    part.table("Thirteen months", ["13 months of series + histograms", "points", "s to write", "to check", "GB written", "most MB at any moment", "RSS, MB", "days of 10 s / 1 min / 1 h", "B a minute", "values checked", "wrong"],
               [[name, f"{out['points'] / 1e6:,.0f} M", f"{out['seconds_to_write']:,.0f}", f"{out['seconds_to_check']:,.0f}", f"{out['written_bytes'] / 1e9:.1f}", f"{out['bytes_most'] / 1e6:.1f}",
                 f"{out['rss_bytes'] / 1e6:.0f}", f"{tiers['10s']['days']:.1f} / {tiers['1m']['days']:.0f} / {tiers['1h']['days']:.0f}", f"{minute:.2f}", f"{out['checked']:,}", out["wrong"]]])
    part.promise(f"{name}: most bytes at any moment", "≤ 500,000,000", f"{out['bytes_most']:,}", verdict(out["bytes_most"], 500_000_000))
    part.promise(f"{name}: RSS", "≤ 64 MB", f"{out['rss_bytes'] / 1e6:.0f} MB", verdict(out["rss_bytes"], 64e6))
    if histograms == "0":
        part.promise(f"{name}: five-field minute, in its segment", "≤ 2.0 B", f"{minute:.2f} B", verdict(minute, 2))
    for limit, of in ((60, 40), (2_700, 1_500)):
        if histograms == "0" and int(scalars) == of:
            part.promise(f"{name}: time to write", f"≤ {limit:,} s", f"{out['seconds_to_write']:,.0f} s", verdict(out["seconds_to_write"], limit))
    if int(scalars) == 1_500:
        part.promise(f"{name}: written", "≤ 60 GB", f"{out['written_bytes'] / 1e9:.1f} GB", verdict(out["written_bytes"], 60e9))
    answers = run_json(bench / "ask_bench", home, tool)["questions"]
    part.table("Asked of it", ["13 months of series + histograms: p50, ms", "one series, 7 days", "p95, 13 months in default steps (days)", "by hours", "honeytel --version", "honeytel metrics NAME"],
               [[name] + [f"{answers[q]['p50_ms']:.2f}" if q in answers else "" for q in ("week", "p95_days", "p95_hours", "version", "metrics_name")]])
    for what, limit, text in (("week", 2, "one series over 7 days"), ("p95_days", 20, "p95 over 13 months, default steps"), ("version", 10, "honeytel --version"), ("metrics_name", 50, "honeytel metrics NAME")):
        if what in answers:
            part.promise(f"{name}: {text}, p50", f"≤ {limit} ms", f"{answers[what]['p50_ms']:.2f} ms", verdict(answers[what]["p50_ms"], limit))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("parts", nargs="*", help="what to measure")
    parser.add_argument("--full", action="store_true", help="more series; ten million spans; the thirteen months of 1,200 to 1,500 series: three hours")
    parser.add_argument("--ticks", type=int, default=1440, help="how often /proc is read")
    parser.add_argument("--every", type=float, default=0.25, help="seconds between two; 10: as they are stored")
    parser.add_argument("--system", help="a data set of system_mix.py, taken --every so many seconds, instead of reading /proc now")
    parser.add_argument("--disk", default=str(ROOT / "build"), help="a folder on the disk that the commits are measured on")
    parser.add_argument("--remark", default="", help="a sentence to stand above the figures")
    args = parser.parse_args()
    args.build = args.build.resolve()
    tool, bench = args.build / "honeytel", args.build / "bench" / "storage"
    kinds = {"points": points, "spans": spans, "find": find, "commits": commits, "history": history}
    asked = args.parts or USUAL + (LARGE if args.full else [])
    for name in asked:
        if name.split("-")[0] not in kinds or (name.startswith("history") and name.count("-") != 2):
            parser.error(f"no part {name}")
    results = bench / "results"
    for name in asked:
        began, part = time.monotonic(), report.Part(name)
        with tempfile.TemporaryDirectory(prefix="honeytel-storage-", dir=args.disk) as temporary:
            kinds[name.split("-")[0]](part, tool, bench, pathlib.Path(temporary), args)
        part.keep(results, (time.monotonic() - began) / 60)
    kept = [path.stem for path in results.glob("*.json")]
    text = report.page(results, [name for name in USUAL + LARGE if name in kept] + sorted(set(kept) - set(USUAL + LARGE)), args.remark)
    print(text)
    report.publish(text)


if __name__ == "__main__":
    main()
