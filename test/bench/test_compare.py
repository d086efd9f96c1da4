#!/usr/bin/env python3
# ===- test_compare.py - Results of benchmarks, held against each other -----===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "bench"))
import compare
import native
import results


class Compare(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, rows, benchmark="step", **changes):
        made = results.Results(benchmark)
        for row in rows:
            made.add(*row)
        made.result.update(changes)
        with contextlib.redirect_stdout(io.StringIO()):
            made.write(self.folder / name)
        return self.folder / name

    def compare(self, old, new, *options):
        """The exit code, and what is said."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = compare.main([str(old), str(new), *options])
        return code, said.getvalue()

    def pair(self, before, after, better="less", contender="Tessera"):
        row = ["a", contender, "step", "ms"]
        return self.write("old", [[*row, before, better]]), self.write("new", [[*row, after, better]])

    def test_an_executable(self):
        """The lines of bench/Measurements.h."""
        lines = self.folder / "lines"
        lines.write_text('["adamw, 2 threads", "Tessera", "memory", "GB/s", [3, 1.5e-05], "more"]\n')
        found = results.Results("kernels")
        native.read(lines, found)
        row = found.result["measurements"][0]
        self.assertEqual((row["case"], row["unit"], row["better"]), ("adamw, 2 threads", "GB/s", "more"))
        self.assertEqual(row["values"], [3, 1.5e-05])

    def test_a_file(self):
        path = self.write("one", [["gpt2", "Tessera", "step", "ms", [3, 1, 2, 4, 100]]])
        result = json.loads(path.read_text())
        self.assertEqual(result["benchmark"], "step")
        self.assertGreater(result["machine"]["cores"], 0)
        row = result["measurements"][0]
        self.assertEqual((row["median"], row["first_quartile"], row["third_quartile"]), (3, 2, 4))
        self.assertEqual(results.summary([2, 1]), {"median": 1.5, "first_quartile": 1, "third_quartile": 2})

    def test_what_is_worse(self):
        calm, slow = [100, 101, 99, 100, 102], [110, 111, 109, 110, 112]
        for before, after, better, code, word in (
            (calm, calm, "less", 0, ""),
            (calm, slow, "less", 1, "1.100 times: worse"),
            (slow, calm, "less", 0, "0.909 times: better"),
            (calm, slow, "more", 0, "1.100 times: better"),
            (slow, calm, "more", 1, "0.909 times: worse"),
        ):
            found, said = self.compare(*self.pair(before, after, better))
            self.assertEqual(found, code, (before, after, better))
            self.assertIn(word, said)

    def test_what_is_within_the_spread(self):
        # The median is a tenth above, but one round in four was as slow before.
        noisy = [90, 95, 100, 120, 125]
        self.assertEqual(self.compare(*self.pair(noisy, [108, 109, 110, 111, 112]))[0], 0)
        self.assertEqual(self.compare(*self.pair([100] * 5, [98, 99, 110, 111, 112]))[0], 0)
        # A single round far off does not hide the others.
        self.assertEqual(self.compare(*self.pair([100, 101, 99, 100, 300], [110, 111, 109, 110, 112]))[0], 1)

    def test_what_is_too_little(self):
        pair = self.pair(1000, 1005)
        self.assertEqual(self.compare(*pair)[0], 0)
        self.assertEqual(self.compare(*pair, "--least", "0.1")[0], 1)

    def test_peers_do_not_fail(self):
        code, said = self.compare(*self.pair(100, 200, contender="PyTorch"))
        self.assertEqual(code, 0)
        self.assertIn("worse", said)

    def test_what_is_no_longer_measured(self):
        one, two = ["a", "Tessera", "step", "ms", 1], ["b", "Tessera", "step", "ms", 1]
        code, said = self.compare(self.write("old", [one, two]), self.write("new", [one]))
        self.assertEqual(code, 1)
        self.assertIn("no longer measured", said)
        code, said = self.compare(self.write("old", [one]), self.write("new", [one, two]))
        self.assertEqual(code, 0)
        self.assertIn("b, Tessera, step: 1 (1 to 1) ms, new", said)

    def test_what_cannot_be_compared(self):
        row = ["a", "Tessera", "step", "ms", 1]
        old = self.write("old", [row])
        other = {"cpu": "abacus", "cores": 10, "memory_bytes": 0}
        code, said = self.compare(old, self.write("new", [row], machine=other))
        self.assertEqual(code, 2)
        self.assertIn("--any-machine", said)
        self.assertEqual(self.compare(old, self.folder / "new", "--any-machine")[0], 0)
        (self.folder / "text").write_text("{}")
        for new, word in (
            (self.write("gnn", [row], benchmark="gnn"), "is of step"),
            (self.write("seconds", [[*row[:3], "s", 1]]), "in ms there, in s here"),
            (self.write("twice", [row, row]), "twice"),
            (self.folder / "nothing", "No such file"),
            (self.folder / "text", "no results"),
        ):
            code, said = self.compare(old, new)
            self.assertEqual(code, 2, word)
            self.assertIn(word, said)


if __name__ == "__main__":
    unittest.main()
