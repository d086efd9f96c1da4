#!/usr/bin/env python3
# ===- test_tidy.py - What scripts/tidy looks at, and for how long ----------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import contextlib
import importlib.machinery
import importlib.util
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

SCRIPT = pathlib.Path(__file__).resolve().parent.parent.parent / "scripts" / "tidy"
loader = importlib.machinery.SourceFileLoader("tidy", str(SCRIPT))
tidy = importlib.util.module_from_spec(importlib.util.spec_from_loader("tidy", loader))
loader.exec_module(tidy)

CONFIGURATION = """
Checks: '-*,readability-identifier-naming'
CheckOptions:
  - { key: readability-identifier-naming.FunctionCase, value: camelBack }
"""


class Tidy(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name) / "project"
        self.root.mkdir()
        self.enterContext(mock.patch.object(tidy, "ROOT", self.root))

    def git(self, *arguments):
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=self.root, check=True, capture_output=True)

    def write(self, name, text):
        (self.root / name).write_text(text)

    def commit(self, **files):
        for name, text in files.items():
            self.write(f"{name}.cpp", text)
        self.git("add", ".")
        self.git("commit", "-m", "step")

    def make_history(self):
        self.git("init")
        self.commit(first="", second="", third="", fourth="")
        self.commit(second="int a;")
        self.commit(third="int b;")

    def test_the_latest_come_first(self):
        self.make_history()
        self.assertEqual(tidy.changed(20), ["third.cpp", "second.cpp"])
        self.assertEqual(tidy.changed(1), ["third.cpp"])
        self.write("fourth.cpp", "int c;")
        self.assertEqual(tidy.changed(1), ["fourth.cpp", "third.cpp"])

    def test_a_shallow_clone_has_no_history(self):
        self.make_history()
        clone = self.root.parent / "clone"
        self.git("clone", "--depth", "1", f"file://{self.root}", str(clone))
        with mock.patch.object(tidy, "ROOT", clone):
            self.assertIsNone(tidy.changed(20))

    def test_a_folder_without_git_has_no_history(self):
        self.assertIsNone(tidy.changed(20))

    def run_on(self, name, *options):
        """The exit code, and what is printed."""
        command = {"directory": str(self.root), "file": name, "command": f"clang++ -c {name}"}
        self.write("compile_commands.json", json.dumps([command]))
        self.write(".clang-tidy", CONFIGURATION)
        said = io.StringIO()
        arguments = ["tidy", "--build", str(self.root), *options]
        with mock.patch.object(sys, "argv", arguments), contextlib.redirect_stdout(said):
            code = tidy.main()
        return code, said.getvalue()

    def test_a_finding_fails(self):
        self.write("a.cpp", "void Shout() {}\n")
        code, said = self.run_on("a.cpp", "a.cpp")
        self.assertEqual(code, 1)
        self.assertIn("invalid case style for function 'Shout'", said)
        self.assertIn("tidy: 1 files: 1 findings", said)

    def test_a_clean_file_passes(self):
        self.write("a.cpp", "void speak() {}\n")
        code, said = self.run_on("a.cpp", "a.cpp")
        self.assertEqual((code, said), (0, "tidy: 1 files: no findings\n"))

    def test_a_file_that_does_not_compile_fails(self):
        self.write("a.cpp", "void speak( {}\n")
        code, said = self.run_on("a.cpp", "a.cpp")
        self.assertEqual(code, 1)
        self.assertIn("error: ", said)

    def test_want_of_time_is_no_failure(self):
        self.write("a.cpp", "void Shout() {}\n")
        code, said = self.run_on("a.cpp", "--seconds", "0", "a.cpp")
        self.assertEqual((code, said), (0, "tidy: 0 files, 1 not looked at in 0 s: no findings\n"))

    def test_some_files_without_a_history(self):
        self.write("a.cpp", "void Shout() {}\n")
        with mock.patch.object(tidy, "FEW", ["a.cpp", "not-built.cpp"]):
            code, said = self.run_on("a.cpp")
        self.assertEqual(code, 1)
        self.assertIn("tidy: no history is here; looking at some files", said)


if __name__ == "__main__":
    unittest.main()
