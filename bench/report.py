#!/usr/bin/env python3
"""Makes the tables of what bench/run.sh measured. Called by it: report.py [--quick] FOLDER

Prints the text; without --quick it also writes docs/benchmarks.md and the table between the two "figures" marks of README.md and README.ja.md. Each figure is
the median of the run's rounds; a file that is missing leaves its figures out.
"""
import collections
import json
import pathlib
import re
import statistics
import sys

ROWS = [  # name in the programs, what the reader sees
    ("CounterBound", "counter, bound"),
    ("CounterDoubleBound", "counter of doubles, bound"),
    ("CounterPlain", "counter, no labels"),
    ("CounterThreeLabels", "counter, 3 labels, unbound"),
    ("GaugeSet", "gauge, bound"),
    ("HistogramBound", "histogram, bound, exponential"),
    ("SpanTwoAttributes", "span: start, 2 attributes, end"),
    ("SpanSetLater", "span, attributes set later"),
    ("SpanScopedTwoAttributes", "span, scoped (current)"),
    ("SpanNotRecorded", "span, sampler always off"),
    ("SpanNotSampled", "span, ratio of 0, not recorded"),
    ("SpanNotKept", "span, recorded but not kept"),
    ("LogThreeFields", "log, 3 fields"),
    ("LogLevelOff", "log, below the level"),
]
README_ROWS = ["CounterBound", "CounterThreeLabels", "HistogramBound", "SpanTwoAttributes", "SpanNotSampled", "LogThreeFields"]


STORAGE = "<!-- storage -->"
EXPORTING = "<!-- exporting -->"

def read_medians(folder):
    """{column: {(name, threads): ns}} and {drain benchmark: ns a record}"""
    seen, drain = collections.defaultdict(list), collections.defaultdict(list)
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text().splitlines():
            row = json.loads(line)
            seen[path.name.split(".")[0], row["name"], row["threads"]].append(row["ns"])
    for path in sorted([*folder.glob("ours-*.json"), *folder.glob("drain.*.json")]):
        for row in json.loads(path.read_text())["benchmarks"]:
            if row.get("error_occurred"):
                sys.exit(f"{path}: {row['name']}: {row.get('error_message')}")
            name, _, threads = row["name"].partition("/threads:")
            if path.name.startswith("drain"):
                drain[name].append(row["ns_record"])
            else:
                seen["ours", name, int(threads or 1)].append(row["cpu_time"])
    columns = collections.defaultdict(dict)
    for (column, name, threads), values in seen.items():
        columns[column][name, threads] = statistics.median(values)
    return columns, {name: statistics.median(values) for name, values in drain.items()}


def ns(value):
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def pair(values, name):
    cells = [ns(values[name, threads]) for threads in (1, 2) if (name, threads) in values]
    return " / ".join(cells)


def ratio(ours, theirs, name):
    cells = [f"{theirs[name, t] / ours[name, t]:.1f}×" for t in (1, 2) if (name, t) in ours and (name, t) in theirs]
    return " / ".join(cells)


def comparison(columns, names):
    rivals = [(key, title) for key, title in (("rust", "opentelemetry-rust"), ("spdlog", "spdlog async")) if key in columns]
    yield "| ns of thread CPU a call, 1 / 2 threads | ours |" + "".join(f" {title} | ratio |" for _, title in rivals)
    yield "|---|---|" + "---|---|" * len(rivals)
    for name, what in ROWS:
        if name in names and (name, 1) in columns["ours"]:
            cells = "".join(f" {pair(columns[key], name)} | {ratio(columns['ours'], columns[key], name)} |" for key, _ in rivals)
            yield f"| {what} | {pair(columns['ours'], name)} |{cells}"


def drain_rows(drain):
    yield "| ns a record, half spans of 2 attributes, half logs of 3 fields (bench/drain_bench.cc) | a drain of 16 chunks | the whole ring |"
    yield "|---|---|---|"
    for name, what in (("DrainCopy", "copied by the kernel"), ("DrainCopyAndSplit", "and checked and split"),
                       ("DrainDecode", "and decoded"), ("DrainStore", "and scrubbed and encoded for the stores")):
        cells = [f"{drain[key]:.1f}" if (key := f"{name}/{chunks}") in drain else "" for chunks in (16, 0)]
        yield f"| {what} | {cells[0]} | {cells[1]} |"


def whole_rows(folder):
    yield "| command | recorded/s | stored/s | dropped / unaccounted | CPU recorder + engine | peak RSS recorder / engine | a call: p50, p99.9, p99.99 | the loop without a call: p99.9, p99.99 |"
    yield "|---|---|---|---|---|---|---|---|"
    for name in ("rate-100000", "rate-300000", "rate-max", "spans-100000", "spans-free"):
        text = (folder / f"whole-{name}.json").read_text().strip()
        command = (folder / f"whole-{name}.command").read_text().strip()
        if not text:
            yield f"| `{command}` | did not finish | | | | | | |"
            continue
        o = json.loads(text.splitlines()[-1])
        latency = o["latency_ns"]
        yield (f"| `{command}` | {o['events_per_second']:,.0f} | {o['stored_per_second']:,.0f} | {o['dropped']:,} / {o['missing']:,} | "
               f"{o['cpu_seconds']['recorder']:.1f} + {o['cpu_seconds']['engine']:.1f} s | "
               f"{o['rss_bytes']['recorder'] / 2**20:.1f} / {o['rss_bytes']['engine'] / 2**20:.1f} MiB | "
               f"{latency['p50']:,.0f}, {latency['p99_9']:,.0f}, {latency['p99_99']:,.0f} ns | "
               f"{latency['floor_p99_9']:,.0f}, {latency['floor_p99_99']:,.0f} ns |")


def idle_sentence(folder):
    strace = folder / "idle.strace"
    if not strace.exists() or not (total := re.search(r"^100\.00\s.*?(\d+)\s+(?:\d+\s+)?total$", strace.read_text(), re.M)):
        return "The idle agent was not measured: strace is missing or may not attach here."
    calls = int(total[1])
    rss = int((folder / "idle.rss_kib").read_text()) / 1024
    return f"- Idle agent, no recorder: {calls} system calls in {(folder / 'idle.seconds').read_text().strip()} s (`strace -f -c -p`), RSS {rss:.1f} MiB."


def memory_sentence(folder):
    o = json.loads((folder / "recorder.json").read_text())
    size = int((folder / "recorder.stripped_bytes").read_text()) / 1024
    return (f"- A program that only records (bench/rss/recorder.cc), its ring full: RSS {o['rss_kib'] / 1024:.1f} MiB, peak {o['peak_kib'] / 1024:.1f} MiB; "
            f"stripped, {size:.0f} KiB.")


HEAD = """# Benchmarks

Written by `./dev bench` (bench/run.sh); do not edit. Figures are for comparison within this run: read the ratios.

"""
RULES = """
## How the calls are measured

Ours and the rivals take turns, round by round; a figure is the median of the rounds. Each is thread-CPU time over operations, on one thread
and on two that are pinned to different cores. Ours is [bench/record_bench.cc](../bench/record_bench.cc) and
[bench/unsampled_bench.cc](../bench/unsampled_bench.cc) (Google Benchmark) into a real ring, which nobody drains.
The rivals are in [bench/rivals](../bench/rivals): spans and logs go in blocks of 1,024 a thread, smaller than the queue (16,384), through the
batch processor or spdlog's thread pool to an exporter or sink that counts and drops; between blocks, outside the measured time, everything
must arrive, or the run fails. So none of them is measured while it throws records away, and none formats or sends anything. That favours
them: a block of theirs stays in the nearest caches, our ring of 10 MB does not. opentelemetry-rust records its attributes by the cheaper
of its two ways, and its bound instruments need its feature `experimental_metrics_bound_instruments`.
"""


WHOLE = "## Everything persisted"


def kept_whole(before):
    """What an earlier run measured with everything persisted, and which one it was."""
    if WHOLE not in before:
        return "Everything persisted, memory and the idle agent were not measured in this run (`./dev bench --calls`)."
    text = before[before.index(WHOLE):before.index("## How the calls")].rstrip()
    if "earlier run" in text:
        return text
    sources = re.search(r"^- sources: (.*)$", before, re.M)
    return text.replace(WHOLE, f"{WHOLE}\n\nOf an earlier run, sources {sources[1] if sources else 'unknown'}.", 1)


def full_text(folder, columns, drain, before):
    yield HEAD + "## Machine\n"
    yield "".join(f"- {line}\n" for line in (folder / "machine").read_text().splitlines())
    yield "## A call\n"
    yield "\n".join(comparison(columns, {name for name, _ in ROWS})) + "\n"
    yield "\n".join(drain_rows(drain)) + "\n"
    if not (folder / "whole-rate-100000.json").exists():
        yield kept_whole(before)
        yield RULES
        return
    yield WHOLE + "\n\nWith `taskset -c 0`, recorder and engine share that core, under `ulimit -v` of 1 GiB each.\n"
    yield "\n".join(whole_rows(folder)) + "\n"
    yield "## At rest\n\n" + memory_sentence(folder) + "\n" + idle_sentence(folder)
    yield RULES


def write_readme(path, columns):
    text = path.read_text()
    table = "\n".join(comparison(columns, set(README_ROWS)))
    new, found = re.subn(r"(<!-- figures -->\n).*?(<!-- end of figures -->)", lambda m: m[1] + table + "\n" + m[2], text, flags=re.S)
    if found != 1:
        sys.exit(f"{path.name} has no place for the figures: <!-- figures --> … <!-- end of figures -->")
    path.write_text(new)


def main():
    folder = pathlib.Path(sys.argv[-1])
    columns, drain = read_medians(folder)
    root = pathlib.Path(__file__).resolve().parent.parent
    page = root / "docs/benchmarks.md"
    before = page.read_text() if page.exists() else ""
    text = "\n".join(full_text(folder, columns, drain, before))
    print(text)
    if "--quick" in sys.argv:
        return
    kept = [before.index(mark) for mark in (EXPORTING, STORAGE) if mark in before]  # interop/figures.py's, bench/storage/run.py's
    if kept:
        text = text.rstrip("\n") + "\n\n" + before[min(kept):]
    page.write_text(text)
    for name in ("README.md", "README.ja.md"):
        write_readme(root / name, columns)


if __name__ == "__main__":
    main()
