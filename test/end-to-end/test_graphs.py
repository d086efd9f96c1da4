# ===- test_graphs.py - What a graph's file means --------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import array
import re
import unittest

import support

SPECIFICATION = """name: "graph"
gnn { layer: GCN layers: 2 hidden: 5 graph: "graph.safetensors" }
training { steps: 3 optimizer { lr: 0.01 } }
target { cpu { name: "native" threads: 1 } }
"""
NODES = 12


def ring():
    """A ring of nodes without features, of which each split has a third."""
    nodes = range(NODES)
    ends = [*nodes, *((node + 1) % NODES for node in nodes)]
    tensors = {
        "x": ("F32", [NODES, 3], array.array("f", [0] * 3 * NODES)),
        "edge_index": ("I64", [2, NODES], array.array("q", ends)),
        "y": ("I64", [NODES], array.array("q", [node // 3 % 3 for node in nodes])),
    }
    for split, name in enumerate(("train", "val", "test")):
        flags = array.array("b", [node % 3 == split for node in nodes])
        tensors[f"{name}_mask"] = ("BOOL", [NODES], flags)
    return tensors


class Graphs(unittest.TestCase):
    def test_of_equal_logits_the_first_is_the_prediction(self):
        out = support.scratch("graph-ties")
        data, specification = out / "graph.safetensors", out / "spec.textproto"
        support.write_safetensors(data, ring())
        specification.write_text(SPECIFICATION)
        executable = support.compile(specification, out / "exe")
        # Without features and with biases of 0 all logits are 0, so that class
        # 0 is predicted everywhere: two of a split's four nodes have it.
        output = support.run([executable, "eval", "--data", data]).stdout
        accuracies = [float(a) for a in re.findall(r"accuracy ([0-9.]+)", output)]
        self.assertEqual(accuracies, [0.5, 0.5, 0.5], output)


if __name__ == "__main__":
    support.main()
