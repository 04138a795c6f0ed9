#!/usr/bin/env python3
"""Wrong uses of the public API must not compile, with the given compiler; the control file of the right uses must.

Called by ctest as rejects.<compiler>. cases.txt holds `name|code` lines, "\\n" in the code is a line break. A case counts as refused only
if the compiler's first error lies in the case or in the API's own headers, so that a missing file or a typing mistake cannot pass.
Usage: run.py g++|clang++-14
"""
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
INCLUDE = HERE.parent.parent / "include"
FLAGS = ["-std=c++20", "-Wall", "-Wextra", "-Wconversion", "-Werror", f"-I{INCLUDE}"]
PRELUDE = '#include "honeylink/telemetry.h"\nnamespace tel = honeylink::telemetry;\n'
# An error of these kinds means that the case is broken, not that the API refused it.
BROKEN_CASE = re.compile(r"No such file|file not found|expected ('|unqualified|primary|declaration)|undeclared identifier|not declared in this scope")


def compile_text(compiler, path):
    # -c, not -fsyntax-only: clang reports some of the API's own errors only when it generates code.
    done = subprocess.run([compiler, *FLAGS, "-c", "-o", os.devnull, str(path)], capture_output=True, text=True, timeout=120,
                          env={**os.environ, "LC_ALL": "C"})
    errors = [line for line in done.stderr.splitlines() if "error:" in line]
    return done.returncode, errors


def judge(compiler, folder, number, line):
    name, code = line.split("|", 1)
    path = folder / f"case_{number}.cc"
    path.write_text(PRELUDE + code.replace("\\n", "\n") + "\n")
    status, errors = compile_text(compiler, path)
    if status == 0:
        return f"{name}: compiles, and must not"
    if not errors:
        return f"{name}: the compiler failed without an error"
    if BROKEN_CASE.search(errors[0]):
        return f"{name}: refused for the wrong reason: {errors[0]}"
    return None


def main():
    if len(sys.argv) != 2 or not shutil.which(sys.argv[1]):
        print(__doc__, file=sys.stderr)
        return 2
    compiler = sys.argv[1]
    status, errors = compile_text(compiler, HERE / "control.cc")
    failures = [] if status == 0 else [f"control.cc does not compile: {error}" for error in errors[:3]]
    lines = [line for line in (HERE / "cases.txt").read_text().splitlines() if line and not line.startswith("#")]
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(judge, compiler, pathlib.Path(folder), number, line) for number, line in enumerate(lines)]
        failures += [job.result() for job in jobs if job.result()]
    print("\n".join([*failures, f"{compiler}: {len(lines)} wrong uses, {len(failures)} failures"]))
    return 1 if failures or not lines else 0


if __name__ == "__main__":
    sys.exit(main())
