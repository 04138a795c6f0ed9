#!/usr/bin/env python3
"""The tree's own law: who may include whom, how large files and functions may be, what may not lie about. Part of ./dev lint and CI.

Prints `file:line: rule: what is wrong` and exits 1, or prints one line and exits 0. A rule is a function that takes the Tree and yields
findings; tools/check_tree_test.py breaks each of them once. Text is enough here: nothing is parsed as C++.
Usage: check_tree.py [ROOT]
"""
import itertools
import pathlib
import re
import subprocess
import sys

# Room -> rooms that it may include (DESIGN's law; src/README.md tells it in prose). Public headers are open to every room.
LAW = {
    "base": set(),
    "ring": {"base"},
    "record": {"base", "ring"},
    "sli": {"base"},
    "config": {"base", "sli"},
    "scrub": {"base"},
    "store": {"base"},
    "audit": {"base"},
    "consent": {"base", "audit"},
    "net": {"base", "consent"},
    "alert": {"base", "consent", "net"},
    "export": {"base", "consent", "net", "store"},
    "engine": {"base", "ring", "record", "config", "scrub", "store", "sli", "alert", "audit", "consent", "net", "export"},
    "query": {"base", "ring", "scrub", "store", "sli", "audit", "consent", "config"},
    "view": {"base", "query"},
    "extension": {"query"},
}
LAW["cli"] = set(LAW)

NO_THIRD_PARTY = {"base", "ring", "record"}  # honeylink::telemetry: libc and the compiler's library only
C_LIBRARY = re.compile(
    r"^(sys|linux|asm|arpa|netinet|net)/[\w/]+\.h$"
    r"|^(unistd|fcntl|signal|pthread|sched|time|stdlib|stdio|string|strings|stdint|stddef|errno|limits|elf|link|dlfcn|dirent|poll|pwd|math"
    r"|features|alloca|cpuid|x86intrin|[a-z]?mmintrin|arm_acle|syslog|execinfo|spawn|ucontext|getopt|endian|byteswap|stdatomic|cxxabi)\.h$")
HEAVY_IN_PUBLIC = {"atomic", "chrono", "string", "functional", "iostream", "mutex", "thread"}
HEAVY_ALLOWED = {"include/honeylink/testing.h"}  # linked into tests only
CODE_DIRS = ("src", "include", "tests", "fuzz", "bench", "examples", "interop", "tools", "web")
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
# Spelled in pieces: this file is read by its own rule.
MARKERS = re.compile("|".join([r"\bTO" + r"DO\b", r"\bFIX" + r"ME\b", r"\bXX" + r"X\b", r"\bHA" + r"CK\b", r"(?<![\w.~-])/wo" + r"rk/\w",
                               r"(?<![\w.~-])/ro" + r"ot/\w"]))
MARKUP = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|\beval\(|new Function|setAttribute\(.style|DOMParser|<style|\sstyle=|\son\w+=")
TEXT_SUFFIXES = {".cc", ".h", ".py", ".sh", ".cmake", ".md", ".txt", ".in", ".json", ".toml", ".service", ".yml", ".yaml", ".pml", ".c", ".ts", ".mjs", ".css", ".html"}


class Tree:
    """The files of a checkout: those git knows or would add; without git, all but build/. Read once, shared by the rules."""

    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        self.files = sorted(path for path in self._names() if (self.root / path).is_file())
        self._lines = {}

    def _names(self):
        if (self.root / ".git").exists():
            done = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=self.root, capture_output=True, text=True, check=True)
            return {name for name in done.stdout.split("\0") if name}
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*") if "build" not in path.relative_to(self.root).parts}

    def lines(self, name):
        if name not in self._lines:
            self._lines[name] = (self.root / name).read_text(encoding="utf-8", errors="replace").splitlines()
        return self._lines[name]

    def code(self, *suffixes, under=CODE_DIRS):
        return [name for name in self.files if name.split("/")[0] in under and name.endswith(suffixes)]

    def includes(self, name):
        """(line number, '<' or '"', what) of each #include."""
        return [(number, match[1], match[2]) for number, line in enumerate(self.lines(name), 1) if (match := INCLUDE.match(line))]


def rooms_and_places(tree):
    """Every source lies in a room that the law knows, directly in its folder; nothing lies deeper than one folder below it."""
    for name in [name for name in tree.files if name.startswith("src/")]:
        parts = name.split("/")
        if len(parts) == 2:
            if name.endswith((".cc", ".h")):
                yield name, 1, "place", "a source belongs in a room, not in src/ itself"
            continue
        if parts[1] not in LAW:
            yield name, 1, "place", f"room '{parts[1]}' is not in the law of tools/check_tree.py"
        if len(parts) > 3 and name.endswith(".cc"):
            yield name, 1, "place", "no room builds it: the build takes src/<room>/*.cc"
        if len(parts) > 4:
            yield name, 1, "place", "folders under src are two deep at most"


def include_law(tree):
    """Rooms include what the law allows, by its path from src/; public headers include public headers only."""
    for name in tree.code(".cc", ".h", under=("src",)):
        room = name.split("/")[1]
        for number, kind, what in tree.includes(name):
            head = what.split("/")[0]
            if head in LAW and "/" in what:
                if head != room and head not in LAW.get(room, set()):
                    yield name, number, "include", f"{room} may not include {head} ({what})"
            elif kind == '"' and head != "honeylink" and (room, head) != ("cli", "link"):  # the demo's: examples/link
                yield name, number, "include", f'"{what}": name a file of ours from src/ or include/, <...> for others\''
    for name in tree.code(".h", under=("include",)):
        for number, kind, what in tree.includes(name):
            if kind == '"' and not what.startswith("honeylink/"):
                yield name, number, "include", f"a public header includes public headers only, not {what}"
            elif kind == "<" and "." in what and not what.startswith("honeylink/"):
                yield name, number, "include", f"a public header includes no {what}"
            elif kind == "<" and what in HEAVY_IN_PUBLIC and name not in HEAVY_ALLOWED:
                yield name, number, "include", f"<{what}> is too heavy for a public header"


def third_party(tree):
    """base, ring and record are honeylink::telemetry and need nobody; CLI11 and cpp-httplib are compiled in one file each."""
    for name in tree.code(".cc", ".h", under=("src",)):
        tested = name.endswith("_test.cc")
        for number, kind, what in tree.includes(name):
            stranger = kind == "<" and "." in what and not C_LIBRARY.match(what) and not what.startswith("honeylink/")
            stranger = stranger or (kind == "<" and "++" in what)
            if name.split("/")[1] in NO_THIRD_PARTY and stranger and not (tested and what.startswith(("gtest/", "gmock/"))):
                yield name, number, "third-party", f"{name.split('/')[1]} is part of honeylink::telemetry and may not include <{what}>"
    for prefix in ("CLI/", "httplib.h"):
        users = [(name, number) for name in tree.code(".cc", ".h", under=("src",)) for number, _, what in tree.includes(name) if what.startswith(prefix)]
        for name, number in users[1:]:
            yield name, number, "third-party", f"<{prefix}...> takes seconds to compile: {users[0][0]} includes it already, one file may"


def build_arrows(tree):
    """The rooms of cmake/targets.cmake link no more than the law lets them include."""
    name = "cmake/targets.cmake"
    for number, line in enumerate(tree.lines(name) if name in tree.files else [], 1):
        if match := re.match(r"\s*honeylink_room\((\w+)([^)]*)\)", line):
            for used in re.findall(r"\bhl_(\w+)", match[2]):
                if used not in LAW.get(match[1], set()):
                    yield name, number, "include", f"the build lets {match[1]} use {used}, the law does not"


def dead_headers(tree):
    """A header that nobody includes is dead; public headers and examples' own are the users' to include."""
    users = tree.code(".cc", ".h", ".c")
    included = {}
    for user in users:
        for _, _, what in tree.includes(user):
            included.setdefault(what.split("/")[-1], set()).add(user)
    for name in tree.code(".h"):
        public = name.startswith("include/honeylink/") and "/internal/" not in name
        if not public and not included.get(name.split("/")[-1], set()) - {name}:
            yield name, 1, "dead", "no file includes it"


def strip_text(lines):
    """Code with comments, strings and characters emptied, so that braces in them do not count. Line numbers stay."""
    text = "\n".join(lines)
    pattern = re.compile(r'R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])\'(?:\\.|[^\'\\\n])+\'|//[^\n]*|/\*.*?\*/', re.S)
    return pattern.sub(lambda match: "\n" * match[0].count("\n") or " ", text)


def functions(lines):
    """(first line, lines) of each function body, found by braces: one that follows a ')' and stands in no other function."""
    text, line, since, stack, body_start = strip_text(lines), 1, "", [], None
    for character in text:
        if character == "\n":
            line += 1
        if character == "{":
            is_scope = re.search(r"\b(namespace|class|struct|enum|union)\b[^()=]*$|\bextern\b\s*$", since.replace("[[nodiscard]]", ""))
            is_body = not is_scope and ")" in since and body_start is None
            stack.append("body" if is_body else "other")
            if is_body:
                body_start = line
            since = ""
        elif character == "}":
            if stack and stack.pop() == "body":
                yield body_start, line - body_start + 1
                body_start = None
            since = ""
        elif character == ";":
            since = ""
        else:
            since += character


def sizes(tree):
    """Files of 400 lines, functions of 70, at the most; what is longer holds two ideas."""
    for name in [*tree.code(".cc", ".h", ".py", ".sh", ".c", ".ts", ".mjs"), *[name for name in ("dev",) if name in tree.files]]:
        lines = tree.lines(name)
        if len(lines) > FILE_LINES_MAX:
            yield name, FILE_LINES_MAX + 1, "size", f"{len(lines)} lines, {FILE_LINES_MAX} at most"
        if name.endswith((".cc", ".h")):
            for start, length in functions(lines):
                if length > FUNCTION_LINES_MAX:
                    yield name, start, "size", f"a function of {length} lines, {FUNCTION_LINES_MAX} at most"


def markers(tree):
    """No promises to come back, no paths of one person's machine."""
    for name in tree.files:
        if pathlib.Path(name).suffix in TEXT_SUFFIXES or name in ("dev", ".ci/run"):
            for number, line in enumerate(tree.lines(name), 1):
                if match := MARKERS.search(line):
                    yield name, number, "marker", f"'{match[0]}' does not belong in the tree"


def heads(tree):
    """Every source says at its head what it is; headers are guarded."""
    for name in tree.code(".cc", ".h", under=("src", "include", "fuzz", "bench", "tests")):
        lines = tree.lines(name)
        if lines and not lines[0].startswith(("//", "/*", "#include", "#pragma once")) or not lines:
            yield name, 1, "head", "the file's first line says what it is"
        if name.endswith(".h") and not any(line.startswith(("#pragma once", "#ifndef HONEYLINK_")) for line in lines):
            yield name, 1, "head", "no #pragma once"
        if name.startswith("src/") and not name.endswith("_test.cc") and lines and not lines[0].startswith(("//", "/*")):
            yield name, 1, "head", "the file's first lines say what it is, who calls it, what must stay true"


def page(tree):
    """The page of honeytel view writes text, never markup, and speaks with its own server only (F29)."""
    for name in tree.code(".ts", ".html", ".css", under=("web",)):
        if not name.startswith("web/src/"):
            continue
        for number, line in enumerate(tree.lines(name), 1):
            if match := MARKUP.search(line):
                yield name, number, "page", f"'{match[0]}' makes markup or code of text: textContent, h() and s() do not"
            if match := re.search(r"https?://(?!www\.w3\.org/2000/svg\b)", line):
                yield name, number, "page", "the page asks nobody but its own server"
        if name.endswith(".ts") and not tree.lines(name)[0].startswith("//"):
            yield name, 1, "head", "the file's first lines say what it is"
    for name in ("web/package.json", "web/package-lock.json"):
        for number, line in enumerate(tree.lines(name) if name in tree.files else [], 1):
            if '"resolved"' in line or re.search(r'"(\^|~|>|\*|latest)[^"]*"', line) and name == "web/package.json":
                yield name, number, "page", "exact versions, and no addresses of where they lie"


def readme_example(tree):
    """The README's program is examples/00_readme.cc below its head comment, letter by letter, so that it compiles and runs."""
    if "README.md" not in tree.files:
        return
    text = "\n".join(tree.lines("README.md"))
    blocks = re.findall(r"^```cpp\n(.*?)^```$", text, re.S | re.M)
    example = "examples/00_readme.cc"
    if example not in tree.files:
        yield "README.md", 1, "readme", f"{example} is missing"
        return
    code = list(itertools.dropwhile(lambda line: line.startswith("//"), tree.lines(example)))
    if "\n".join(code) + "\n" not in blocks:
        yield "README.md", 1, "readme", f"no ```cpp block equals {example}"


def readme_japanese(tree):
    """README.ja.md says what README.md says: the same figures, code, headings, links and pictures; each leads to the other."""
    english, japanese = "README.md", "README.ja.md"
    if english not in tree.files or japanese not in tree.files:
        return
    texts = {name: "\n".join(tree.lines(name)) for name in (english, japanese)}
    for name, other in ((english, japanese), (japanese, english)):
        if f"]({other})" not in texts[name]:
            yield name, 1, "readme", f"no link to {other}"
    parts = [("figures", r"<!-- figures -->(.*?)<!-- end of figures -->"), ("code", r"^```(?:cpp|cmake)\n(.*?)^```$"),
             ("links", r"\]\(((?!README)[^)]+)\)"), ("headings", r"^(#+) ")]
    for what, pattern in parts:
        found = [re.findall(pattern, texts[name], re.S | re.M) for name in (english, japanese)]
        if (sorted(found[0]) if what == "links" else found[0]) != (sorted(found[1]) if what == "links" else found[1]):
            yield japanese, 1, "readme", f"its {what} are not those of {english}"


def traceability(tree):
    """What docs/traceability.md names exists: files by their path, tests as Suite.Case."""
    name = "docs/traceability.md"
    cases = {f"{match[1]}.{match[2]}" for user in tree.code("_test.cc") for line in tree.lines(user)
             if (match := re.match(r"\s*TEST(?:_[FP])?\((\w+),\s*(\w+)\)", line))}
    for number, line in enumerate(tree.lines(name) if name in tree.files else [], 1):
        for quoted in re.findall(r"`([^`]+)`", line) if line.startswith("|") else []:
            if re.fullmatch(r"[\w.-]+(/[\w.-]+)+", quoted) and quoted not in tree.files and not any(file.startswith(quoted + "/") for file in tree.files):
                yield name, number, "traceability", f"{quoted} does not exist"
            elif re.fullmatch(r"[A-Z]\w+\.\w+", quoted) and pathlib.Path(quoted).suffix not in TEXT_SUFFIXES and quoted not in cases:
                yield name, number, "traceability", f"no test is called {quoted}"


RULES = [rooms_and_places, include_law, third_party, build_arrows, dead_headers, sizes, markers, heads, page, readme_example, readme_japanese, traceability]


def main():
    tree = Tree(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent)
    findings = sorted(finding for rule in RULES for finding in rule(tree))
    for name, number, rule, what in findings:
        print(f"{name}:{number}: {rule}: {what}")
    print(f"check_tree: {len(tree.files)} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
