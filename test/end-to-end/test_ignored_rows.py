# ===- test_ignored_rows.py - Rows whose targets do not count --------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Logits that overflow in a node without an edge or a mask change no number of
# a run: not the losses of training, not those of the splits.
#
# ===----------------------------------------------------------------------===#

import array
import unittest

import support

NODES, FEATURES, HIDDEN, CLASSES = 6, 2, 4, 3
ALONE = NODES - 1


def flags(members):
    return "BOOL", [NODES], array.array("b", [int(i in members) for i in range(NODES)])


class IgnoredRows(unittest.TestCase):
    def setUp(self):
        self.out = support.scratch("ignored-rows")
        specification = self.out / "specification.textproto"
        specification.write_text(
            'name: "g"\n'
            f'gnn {{ layer: GCN layers: 2 hidden: {HIDDEN} graph: "small.safetensors" }}\n'
            "training { steps: 4 clip: 1.0 optimizer { lr: 0.01 } }\n"
        )
        for name, feature in [("small", 1.0), ("large", 1e38)]:
            x = array.array("f", [0.25 * (i % 5) - 0.5 for i in range(NODES * FEATURES)])
            x[ALONE * FEATURES :] = array.array("f", [feature] * FEATURES)
            masks = {
                f"{split}_mask": flags(members)
                for split, members in [("train", [0, 1, 2]), ("val", [3]), ("test", [4])]
            }
            edges = array.array("q", [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 2])
            support.write_safetensors(
                self.out / f"{name}.safetensors",
                {
                    "x": ("F32", [NODES, FEATURES], x),
                    "edge_index": ("I64", [2, 6], edges),
                    "y": ("I64", [NODES], array.array("q", [0, 1, 2, 0, 1, 2])),
                    **masks,
                },
            )
        # Hidden values below 1e38, and logits beyond fp32's range: Inf and -Inf.
        weights = array.array("f", [0.5, 0.25] * (HIDDEN // 2) + [0.125, 0.5] * (HIDDEN // 2))
        head = array.array("f", [4, 8, 4, 8, -4, -8, -4, -8, 8, 4, 8, 4])
        support.write_safetensors(
            self.out / "weights.safetensors",
            {
                "convs.0.lin.weight": ("F32", [HIDDEN, FEATURES], weights),
                "convs.0.bias": ("F32", [HIDDEN], array.array("f", [0.1] * HIDDEN)),
                "convs.1.lin.weight": ("F32", [CLASSES, HIDDEN], head),
                "convs.1.bias": ("F32", [CLASSES], array.array("f", [0.1, 0.2, 0.3])),
            },
        )
        self.executable = support.compile(specification, self.out / "exe")
        self.init = ["--init", self.out / "weights.safetensors"]

    def data(self, name):
        return ["--data", self.out / f"{name}.safetensors"]

    def test_training_keeps_its_bits(self):
        logs = []
        for name in ["small", "large"]:
            log = self.out / f"{name}.log"
            support.run([self.executable, "train", *self.data(name), *self.init, "--log", log])
            logs.append([(line["loss"], line["grad_norm"]) for line in support.read_log(log)])
        self.assertEqual(len(logs[0]), 4)
        self.assertEqual(*logs)

    def test_evaluation_keeps_its_bits(self):
        small, large = (
            support.run([self.executable, "eval", *self.data(name), *self.init]).stdout
            for name in ["small", "large"]
        )
        self.assertIn("loss", small)
        self.assertEqual(small, large)


if __name__ == "__main__":
    support.main()
