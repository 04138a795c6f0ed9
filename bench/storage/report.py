"""What has been measured of the storage, kept part by part, and the page made of it: parts take from seconds to an hour and are seldom all run
at once. Used by run.py.

A part is a JSON file: tables (section, head, rows), notes, promises (what, promised, measured, verdict), and under which circumstances.
"""
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BEGIN, END = "<!-- storage -->", "<!-- end of storage -->"
SECTIONS = ("Bytes a point", "Spans", "Commits", "Thirteen months", "Asked of it")
PROMISES = ["what", "promised", "measured", ""]


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]) + "\n"


def verdict(value, limit):
    return "met" if value <= limit else "**missed**"


def load():
    return " ".join(open("/proc/loadavg").read().split()[:3])


def sources():
    head = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], stdout=subprocess.PIPE, text=True).stdout.strip()
    changed = subprocess.run(["git", "-C", ROOT, "status", "--porcelain", "--", "src", "bench"], stdout=subprocess.PIPE, text=True).stdout.strip()
    return head + (" and changes" if changed else "")


class Part:
    """One part's results, as they are kept."""

    def __init__(self, name):
        self.kept = {"name": name, "tables": [], "notes": [], "promises": [], "sources": sources(), "load": load()}

    def table(self, section, head, rows):
        self.kept["tables"].append({"section": section, "head": head, "rows": rows})

    def note(self, section, text):
        self.kept["notes"].append({"section": section, "text": text})

    def promise(self, what, promised, measured, verdict_of):
        self.kept["promises"].append([what, promised, measured, verdict_of])

    def keep(self, folder, minutes):
        self.kept |= {"minutes": minutes, "load_after": load()}
        folder.mkdir(parents=True, exist_ok=True)
        (folder / (self.kept["name"] + ".json")).write_text(json.dumps(self.kept, indent=1))


def machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown")
    return f"- CPU: {cpu}, {os.cpu_count()} cores; kernel {os.uname().release}\n"


def page(folder, names, remark):
    """All parts that are kept, in the order of `names`."""
    parts = [json.loads((folder / f"{name}.json").read_text()) for name in names if (folder / f"{name}.json").exists()]
    text = "## Storage\n\n" + (remark + "\n\n" if remark else "") + machine() + "\n"
    for section in SECTIONS:
        heads, notes = {}, []
        for part in parts:
            for one in part["tables"]:
                if one["section"] == section:
                    heads.setdefault(tuple(one["head"]), []).extend(one["rows"])
            notes += [one["text"] for one in part["notes"] if one["section"] == section]
        if heads:
            text += f"### {section}\n\n" + "\n".join(table(list(head), rows) for head, rows in heads.items()) + "".join(f"\n{note}\n" for note in notes) + "\n"
    text += "### Promises\n\n" + table(PROMISES, [row for part in parts for row in part["promises"]])
    text += "\n" + table(["measured", "sources", "load average before", "after", "minutes"],
                         [[part["name"], part["sources"], part["load"], part["load_after"], f"{part['minutes']:.0f}"] for part in parts])
    return text


def publish(text):
    path = ROOT / "docs" / "benchmarks.md"
    page_now = path.read_text()
    section = f"{BEGIN}\n{text}{END}\n"
    if BEGIN in page_now:
        page_now = page_now[:page_now.index(BEGIN)] + section + page_now[page_now.index(END) + len(END):].lstrip("\n")
    else:
        page_now = page_now.rstrip("\n") + "\n\n" + section
    path.write_text(page_now)
