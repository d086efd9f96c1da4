# ===- test_cpu.py - Executables for another CPU ---------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import re
import unittest

import support

SMALL = {
    "parallel__world": 1,
    "parallel__zero_stage": 0,
    "transformer__layers": 1,
    "transformer__hidden": 32,
    "transformer__heads": 2,
    "transformer__sequence_length": 16,
}


class ForeignCpu(unittest.TestCase):
    def test_is_refused_with_what_it_runs(self):
        folder = support.scratch("cpu")
        data = folder / "data"
        data.write_bytes(bytes(range(256)) * 40)
        specification = support.EXAMPLES / "bloom-tiny.textproto"
        # Nothing since AMD's Excavator has XOP, FMA4 and TBM.
        foreign = folder / "foreign"
        support.compile(specification, foreign, target__cpu__name="bdver4", **SMALL)
        train = ["train", "--data", data, "--steps", 2]
        log = folder / "log"
        done = support.run([foreign, *train, "--log", log], check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(
            done.stderr,
            r"^foreign: error: this machine's CPU lacks .*xop, fma4 and tbm, .*"
            r"\(compiled for 'bdver4'\)",
        )
        self.assertFalse(log.exists())
        self.assertIn("bdver4", support.run([foreign, "info"]).stdout)
        level = re.search(r"target\.cpu\.name=(\S+),", done.stderr)[1]
        fitting = folder / "fitting"
        support.compile(specification, fitting, target__cpu__name=level, **SMALL)
        support.run([fitting, *train, "--log", log])
        self.assertEqual(len(support.read_log(log)), 2)


if __name__ == "__main__":
    unittest.main()
