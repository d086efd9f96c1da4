# ===- test_graph_generator.py - Graphs to test with are as asked for -------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import collections
import re
import sys
import unittest

import support

sys.path.insert(0, str(support.ROOT / "test" / "graphs"))
from block_model import block_model, edges_of, homophily

SPECIFICATION = """name: "graph"
gnn { layer: GCN layers: 2 hidden: 16 graph: "graph.safetensors" }
training { steps: 60 optimizer { lr: 0.05 } }
target { cpu { name: "native" threads: 1 } }
"""


def words_of(graph):
    begins, columns = graph["x.indptr"][2], graph["x.indices"][2]
    return [list(columns[a:b]) for a, b in zip(begins, begins[1:])]


class Generator(unittest.TestCase):
    def test_options_are_what_comes_out(self):
        for share in (0.2, 0.9):
            graph = block_model(nodes=500, degree=5, homophily=share, isolated=0.1)
            edges = list(zip(*edges_of(graph)))
            self.assertEqual(len(edges), 2500)
            self.assertEqual(len(set(edges)), 2500)
            self.assertEqual({(b, a) for a, b in edges}, set(edges))
            self.assertTrue(all(a != b for a, b in edges))
            self.assertAlmostEqual(homophily(graph), share, delta=0.001)
            self.assertGreaterEqual(500 - len({a for a, _ in edges}), 50)
            sizes = collections.Counter(graph["y"][2])
            self.assertEqual(sorted(sizes), [0, 1, 2, 3])
            self.assertEqual(len(set(sizes.values())), 4)
            flags = [graph[f"{name}_mask"][2] for name in ("train", "val", "test")]
            self.assertEqual([sum(f) for f in zip(*flags)], [1] * 500)
            train = collections.Counter(y for y, f in zip(graph["y"][2], flags[0]) if f)
            self.assertEqual(set(train.values()), {10})

    def test_loops_duplicates_and_directed_edges(self):
        graph = block_model(directed=True, self_loops=7, duplicates=11)
        edges = list(zip(*edges_of(graph)))
        self.assertEqual(len(edges), 800 + 7 + 11)
        self.assertEqual(sum(a == b for a, b in edges), 7)
        plain = [edge for edge in edges if edge[0] != edge[1]]
        self.assertEqual(len(plain) - len(set(plain)), 11)
        self.assertTrue(any((b, a) not in set(edges) for a, b in plain))

    def test_seeds(self):
        self.assertEqual(block_model(seed=3), block_model(seed=3))
        self.assertNotEqual(block_model(seed=3), block_model(seed=4))

    def test_dense_features_are_the_sparse_ones(self):
        rows = words_of(block_model())
        (_, (_, columns), x) = block_model(dense=True)["x"]
        dense = [x[i : i + columns] for i in range(0, len(x), columns)]
        self.assertEqual(rows, [[c for c, value in enumerate(row) if value] for row in dense])
        self.assertEqual(max(max(row) for row in rows), 39)

    def test_what_does_not_exist(self):
        with self.assertRaisesRegex(ValueError, "no room for degree 9"):
            block_model(nodes=10, degree=9)
        with self.assertRaisesRegex(ValueError, "too few for 4 classes"):
            block_model(nodes=7)
        with self.assertRaisesRegex(TypeError, "has no edge"):
            block_model(edge=1)

    def test_a_model_learns_its_classes(self):
        """Well where words and edges say something of them, else not."""
        for name, values in {
            "words": {"signal": 0.9, "homophily": 0.9},
            "nothing": {"signal": 0, "homophily": 0.25},
        }.items():
            out = support.scratch(f"graph-generator-{name}")
            graph = block_model(nodes=400, train_per_class=40, **values)
            support.write_safetensors(out / "graph.safetensors", graph)
            (out / "spec.textproto").write_text(SPECIFICATION)
            support.compile(out / "spec.textproto", out / "exe")
            data, weights = out / "graph.safetensors", out / "weights.safetensors"
            support.train(out / "exe", data, out / "log", 1, ["--save", weights])
            command = [out / "exe", "eval", "--data", data, "--init", weights]
            output = support.run(command).stdout
            accuracy = float(re.search(r"^test .* accuracy ([0-9.]+)", output, re.M).group(1))
            print(f"{name}: {accuracy}")
            if name == "words":
                self.assertGreater(accuracy, 0.85)
            else:
                self.assertLess(accuracy, 0.5)


if __name__ == "__main__":
    support.main()
