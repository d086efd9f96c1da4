# ===- test_stages.py - A stage changes memory, never the mathematics ------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import unittest

import support

STEPS = ["--steps", "20", "--seed", "3"]


class Stages(unittest.TestCase):
    def losses_by_stage(self, name, specification, data, world, **values):
        out = support.scratch(f"stages-{name}-{world}")
        result = {}
        for stage in range(4):
            executable = support.compile(
                specification,
                out / f"exe{stage}",
                parallel__world=world,
                parallel__zero_stage=stage,
                **values,
            )
            log = support.train(executable, data, out / f"log{stage}", world, STEPS)
            result[stage] = support.losses(log)
            self.assertEqual(len(result[stage]), 20)
            self.assertLess(result[stage][-1], result[stage][0])
        return result

    def check_equal(self, name, specification, data, **values):
        """Bit for bit: the log prints losses so that they read back the same."""
        for world in (2, 4):
            result = self.losses_by_stage(name, specification, data, world, **values)
            for stage in (1, 2, 3):
                self.assertEqual(result[stage], result[0], f"stage {stage}, {world} ranks")

    def text(self, size):
        out = support.scratch(f"stages-text-{size}")
        return support.repeated_text(out / "text.txt", size)

    def test_bloom_tiny(self):
        specification = support.EXAMPLES / "bloom-tiny.textproto"
        self.check_equal("bloom-tiny", specification, self.text(1 << 20))

    def test_gpt2_small(self):
        specification = support.HERE / "gpt2-small.textproto"
        self.check_equal("gpt2-small", specification, self.text(1 << 16))

    def test_gcn(self):
        folder = support.GOLDEN / "gcn"
        self.check_equal(
            "gcn", folder / "specification.textproto", folder / "graph.safetensors"
        )

    def test_gcn_cora(self):
        specification = support.EXAMPLES / "gcn-cora.textproto"
        fields = {"gnn__graph": support.CORA}
        self.check_equal("gcn-cora", specification, support.CORA, **fields)

    def test_accumulation(self):
        specification = support.HERE / "gpt2-small.textproto"
        data = self.text(1 << 16)
        whole = self.losses_by_stage("whole", specification, data, 2)
        parts = self.losses_by_stage(
            "parts", specification, data, 2, training__micro_batch=1
        )
        for stage in range(4):
            for a, b in zip(parts[stage], parts[0]):
                self.assertLess(abs(a / b - 1), 1e-6, f"stage {stage}")
        # The first loss comes before any update: only the order of sums differs.
        self.assertLess(abs(parts[0][0] / whole[0][0] - 1), 1e-6)
        for a, b in zip(parts[0], whole[0]):
            self.assertLess(abs(a / b - 1), 1e-4)

    def test_world(self):
        """More ranks take the same global batch."""
        specification = support.HERE / "gpt2-small.textproto"
        data = self.text(1 << 16)
        out = support.scratch("stages-one")
        executable = support.compile(specification, out / "exe")
        one = support.losses(support.train(executable, data, out / "log", 1, STEPS))
        two = self.losses_by_stage("two", specification, data, 2)[0]
        self.assertLess(abs(one[0] / two[0] - 1), 1e-6)
        for a, b in zip(one, two):
            self.assertLess(abs(a / b - 1), 1e-4)


if __name__ == "__main__":
    support.main()
