#!/usr/bin/env python3
"""Each rule of check_tree.py has teeth: a small tree that is clean, then one case per rule with exactly that rule broken."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
HEAD = "// What it is.\n"
GUARDED = HEAD + "#pragma once\n"
README = "# name\n\n```cpp\nint main() {}\n```\n"
CLEAN = {
    "src/base/file.h": GUARDED + "#include <fcntl.h>\n#include <string>\n",
    "src/base/file.cc": HEAD + '#include "base/file.h"\n',
    "src/ring/writer.cc": HEAD + '#include "base/file.h"\n#include "honeylink/telemetry.h"\n#include <sys/mman.h>\nvoid f() {\n}\n',
    "src/ring/writer_test.cc": HEAD + "#include <gtest/gtest.h>\nTEST(Ring, Holds) {}\n",
    "src/store/store.cc": HEAD + "#include <sqlite3.h>\n",
    "src/cli/main.cc": HEAD + "#include <CLI/CLI.hpp>\n",
    "include/honeylink/telemetry.h": GUARDED + '#include <cstdint>\n#include "honeylink/internal/cells.h"\n',
    "include/honeylink/internal/cells.h": GUARDED,
    "cmake/targets.cmake": "honeylink_room(ring hl_base)\n",
    "examples/00_readme.cc": "// What it is.\nint main() {}\n",
    "docs/traceability.md": "| F01 | `src/ring/writer.cc` `src/ring` | `Ring.Holds` | `honeytel logs` |\n",
    "README.md": README,
}


def check(changes):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {**CLEAN, **changes}.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        done = subprocess.run([sys.executable, HERE / "check_tree.py", folder], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.splitlines()[:-1]


class CheckTree(unittest.TestCase):
    def broken(self, changes, where, what):
        status, findings = check(changes)
        self.assertEqual(status, 1)
        self.assertEqual(len(findings), 1, findings)
        self.assertTrue(findings[0].startswith(where + ": "), findings)
        self.assertIn(what, findings[0])

    def test_a_clean_tree_passes(self):
        self.assertEqual(check({}), (0, []))

    def test_a_room_that_the_law_does_not_know(self):
        self.broken({"src/attic/a.cc": HEAD}, "src/attic/a.cc:1", "not in the law")

    def test_a_source_outside_any_room(self):
        self.broken({"src/a.cc": HEAD}, "src/a.cc:1", "belongs in a room")

    def test_a_source_that_no_room_builds(self):
        self.broken({"src/base/deep/a.cc": HEAD}, "src/base/deep/a.cc:1", "no room builds it")

    def test_folders_three_deep(self):
        self.broken({"src/base/a/b/notes.txt": ""}, "src/base/a/b/notes.txt:1", "two deep")

    def test_a_room_includes_one_that_it_may_not(self):
        self.broken({"src/base/file.cc": HEAD + '#include "base/file.h"\n#include "ring/writer.h"\n'}, "src/base/file.cc:3", "base may not include ring")

    def test_an_include_by_a_bare_name(self):
        self.broken({"src/base/file.cc": HEAD + '#include "file.h"\n'}, "src/base/file.cc:2", "name a file of ours")

    def test_a_public_header_includes_a_private_one(self):
        self.broken({"include/honeylink/telemetry.h": GUARDED + '#include "honeylink/internal/cells.h"\n#include "base/file.h"\n'},
                    "include/honeylink/telemetry.h:4", "public headers only")

    def test_a_public_header_includes_a_heavy_one(self):
        self.broken({"include/honeylink/internal/cells.h": GUARDED + "#include <atomic>\n"}, "include/honeylink/internal/cells.h:3", "too heavy")

    def test_a_public_header_includes_a_third_party(self):
        self.broken({"include/honeylink/internal/cells.h": GUARDED + "#include <zstd.h>\n"}, "include/honeylink/internal/cells.h:3", "zstd.h")

    def test_the_recorder_includes_a_third_party(self):
        self.broken({"src/ring/writer.cc": HEAD + "#include <zstd.h>\n"}, "src/ring/writer.cc:2", "may not include <zstd.h>")
        self.broken({"src/ring/writer.cc": HEAD + "#include <toml++/toml.h>\n"}, "src/ring/writer.cc:2", "toml++")

    def test_the_recorder_includes_googletest_outside_tests(self):
        self.broken({"src/ring/writer.cc": HEAD + "#include <gtest/gtest.h>\n"}, "src/ring/writer.cc:2", "gtest")

    def test_two_files_compile_cli11(self):
        self.broken({"src/cli/more.cc": HEAD + "#include <CLI/CLI.hpp>\n"}, "src/cli/more.cc:2", "seconds to compile")

    def test_the_build_has_an_arrow_that_the_law_has_not(self):
        self.broken({"cmake/targets.cmake": "honeylink_room(base)\nhoneylink_room(base hl_ring)\n"}, "cmake/targets.cmake:2", "the law does not")

    def test_a_header_that_nobody_includes(self):
        self.broken({"src/ring/old.h": GUARDED}, "src/ring/old.h:1", "no file includes it")

    def test_a_header_that_only_includes_itself(self):
        self.broken({"src/ring/old.h": GUARDED + '#include "ring/old.h"\n'}, "src/ring/old.h:1", "no file includes it")

    def test_a_file_too_long(self):
        self.broken({"src/base/file.cc": HEAD + '#include "base/file.h"\n' + "int x;\n" * 399}, "src/base/file.cc:401", "401 lines")

    def test_a_function_too_long(self):
        body = "int f(int a) {\n" + '  g("}", \'}\');  // }\n' * 69 + "}\n"
        self.broken({"src/base/file.cc": '// A.\n#include "base/file.h"\nnamespace x {\n' + body + "}\n"}, "src/base/file.cc:4", "71 lines")

    def test_a_class_may_be_longer_than_a_function(self):
        body = "class A {\n" + "  int f(int a) { return a; }\n" * 90 + "};\n"
        self.assertEqual(check({"src/base/file.cc": '// A.\n#include "base/file.h"\n' + body}), (0, []))

    def test_a_marker(self):
        for marker in ("TO" + "DO: later", "FIX" + "ME", "see /ro" + "ot/notes"):
            self.broken({"src/base/file.cc": HEAD + '#include "base/file.h"\n// ' + marker + "\n"}, "src/base/file.cc:3", "does not belong")

    def test_a_source_without_a_head(self):
        self.broken({"src/base/file.cc": '#include "base/file.h"\n'}, "src/base/file.cc:1", "what it is")

    def test_a_header_without_a_guard(self):
        self.broken({"src/base/file.h": HEAD}, "src/base/file.h:1", "#pragma once")

    def test_the_readme_shows_another_program(self):
        self.broken({"README.md": README.replace("main", "Main")}, "README.md:1", "no ```cpp block equals")

    def test_the_readme_example_changed(self):
        status, findings = check({"README.md": README, "examples/00_readme.cc": "int main() { return 1; }\n"})
        self.assertEqual((status, len(findings)), (1, 1))

    def test_the_japanese_readme_has_other_figures_links_or_code(self):
        english = README + "\n[日本語](README.ja.md) [a](src/a)\n<!-- figures -->\n| 1 |\n<!-- end of figures -->\n"
        same = english.replace("README.ja.md", "README.md")
        self.assertEqual(check({"README.md": english, "README.ja.md": same})[0], 0)
        for old, new, what in (("| 1 |", "| 2 |", "figures"), ("src/a", "src/b", "links"), ("main", "Main", "code")):
            self.broken({"README.md": english, "README.ja.md": same.replace(old, new)}, "README.ja.md:1", f"its {what} are not")
        self.broken({"README.md": english, "README.ja.md": same.replace("(README.md)", "")}, "README.ja.md:1", "no link to README.md")

    def test_the_page_makes_markup_of_text(self):
        self.broken({"web/src/a.ts": HEAD + "element.inner" + "HTML = text;\n"}, "web/src/a.ts:2", "makes markup")

    def test_the_page_asks_somebody_else(self):
        self.broken({"web/src/a.css": "@import url(https://example.org/a.css);\n"}, "web/src/a.css:1", "nobody but its own server")

    def test_the_lock_file_names_where_packages_lie(self):
        self.broken({"web/package-lock.json": '{\n"resolved": "x"}\n'}, "web/package-lock.json:2", "no addresses")

    def test_a_package_without_an_exact_version(self):
        self.broken({"web/package.json": '{\n"esbuild": "^1.0.0"}\n'}, "web/package.json:2", "exact versions")

    def test_the_traceability_names_a_file_that_is_gone(self):
        self.broken({"docs/traceability.md": "# T\n| F01 | `src/ring/gone.cc` |\n"}, "docs/traceability.md:2", "does not exist")

    def test_the_traceability_names_a_test_that_is_gone(self):
        self.broken({"docs/traceability.md": "# T\n| F01 | `Ring.Gone` |\n"}, "docs/traceability.md:2", "no test is called")


if __name__ == "__main__":
    unittest.main()
