# ===- test_cora.py - A GCN learns Cora ------------------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# The graph is no part of the sources: $TESSERA_CORA names cora.safetensors.
#
# ===----------------------------------------------------------------------===#

import re
import unittest

import support


class Cora(unittest.TestCase):
    def test_accuracy_of_the_standard_split(self):
        cora = support.cora()
        if not cora:
            self.skipTest("no Cora here: set TESSERA_CORA to cora.safetensors")
        out = support.scratch("cora")
        executable = support.compile(
            support.EXAMPLES / "gcn-cora.textproto", out / "exe"
        )
        weights = out / "weights.safetensors"
        for seed in ("1", "2", "3"):
            options = ["--seed", seed, "--save", weights]
            support.train(executable, cora, out / "log", 1, options)
            command = [executable, "eval", "--data", cora, "--init", weights]
            output = support.run(command).stdout
            accuracy = re.search(r"^test .* accuracy ([0-9.]+)", output, re.M)
            self.assertIsNotNone(accuracy, output)
            print(f"seed {seed}: {accuracy.group(1)}")
            self.assertGreaterEqual(float(accuracy.group(1)), 0.80)


if __name__ == "__main__":
    support.main()
