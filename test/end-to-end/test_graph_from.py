# ===- test_graph_from.py - Graphs of others become ours --------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Needs NumPy, and runs itself again with a Python that has it: that of
# build/torch-venv, where it is there, also has PyTorch Geometric.
#
# ===----------------------------------------------------------------------===#

import contextlib
import gzip
import importlib.machinery
import importlib.util
import io
import json
import os
import pathlib
import pickle
import runpy
import sys
import types
import unittest

import support

GRAPH_FROM = support.ROOT / "scripts" / "graph-from"
SPECIFICATION = """name: "graph"
gnn { layer: GCN layers: 2 hidden: 5 graph: "out.safetensors" }
training { steps: 3 optimizer { lr: 0.01 } }
target { cpu { name: "native" threads: 1 } }
"""
# Node 5 has no edge. Three of the four pairs of nodes join nodes of one class.
PAIRS = [(0, 1), (1, 2), (3, 4), (2, 3)]
CLASSES = [0, 0, 0, 1, 1, 2]
WORDS = [[0, 3], [1], [1, 2], [3], [0, 1, 3], []]
NODES, FEATURES = 6, 4
BOTH = [*PAIRS, *((b, a) for a, b in PAIRS)]
HAS_PYG = importlib.util.find_spec("torch_geometric") is not None


def dense_words():
    import numpy as np

    x = np.zeros((NODES, FEATURES), dtype=np.float32)
    for node, words in enumerate(WORDS):
        x[node, words] = 1
    return x


class GraphFrom(unittest.TestCase):
    features = FEATURES

    def setUp(self):
        self.out = support.scratch("graph-from-" + self.id().rpartition(".")[2])

    def convert(self, source, *options, check=True):
        """Runs the script within this process, which has its modules by now."""
        done = types.SimpleNamespace(returncode=0, stderr="")
        arguments = [GRAPH_FROM, source, self.out / "out.safetensors", *options]
        before, sys.argv = sys.argv, [str(part) for part in arguments]
        try:
            with contextlib.redirect_stdout(io.StringIO()) as output:
                runpy.run_path(str(GRAPH_FROM), run_name="__main__")
        except SystemExit as end:  # Python prints a text, and exits with 1
            self.assertIsInstance(end.code, str)
            done.returncode, done.stderr = 1, f"{end.code}\n"
        finally:
            sys.argv = before
        done.stdout = output.getvalue()
        if check:
            self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def test_a_process_of_its_own(self):
        command = [sys.executable, GRAPH_FROM, self.out / "none", self.out / "out.safetensors"]
        done = support.run(command, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, f"graph-from: {self.out / 'none'} is not there\n")

    def check(self, source, *options, edges=BOTH, y=CLASSES, splits=None, words=WORDS):
        """Converts, compares what was written, and has the compiler read it."""
        said = self.convert(source, *options).stdout
        tensors = support.read_safetensors(self.out / "out.safetensors")
        (_, count), ends = tensors["edge_index"]
        found = list(zip(ends[:count], ends[count:]))
        self.assertEqual(sorted(found), sorted(edges))
        self.assertEqual(list(tensors["y"][1]), y)
        if words:
            self.assertEqual(self.rows_of(tensors), words)
        for name, nodes in (splits or {}).items():
            flags = tensors[f"{name}_mask"][1]
            self.assertEqual([n for n, flag in enumerate(flags) if flag], nodes, name)
        (self.out / "spec.textproto").write_text(SPECIFICATION)
        support.plan(self.out / "spec.textproto", gnn__features=self.features)
        return said, tensors

    def rows_of(self, tensors):
        """The columns of each node's ones."""
        if "x" in tensors:
            (_, columns), x = tensors["x"]
            rows = [x[i * columns : (i + 1) * columns] for i in range(len(x) // columns)]
            self.assertLessEqual({value for row in rows for value in row}, {0, 1})
            return [[c for c, value in enumerate(row) if value] for row in rows]
        self.assertNotIn("x.values", tensors)
        begins, columns = tensors["x.indptr"][1], tensors["x.indices"][1]
        return [list(columns[a:b]) for a, b in zip(begins, begins[1:])]

    def refuse(self, reason, *arguments):
        done = self.convert(*arguments, check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertTrue(done.stderr.startswith("graph-from: "), done.stderr)
        self.assertIn(reason, done.stderr)
        self.assertEqual(list(self.out.glob("out.safetensors*")), [])

    # Edge lists

    def edge_list(self, pairs=BOTH, classes=CLASSES, words=WORDS):
        lines = "".join(f"{a} {b}\n" for a, b in pairs)
        (self.out / "edges.txt").write_text("# from, to\n" + lines)
        (self.out / "y.txt").write_text("".join(f"{label}\n" for label in classes))
        rows = [["1" if c in row else "0" for c in range(self.features)] for row in words]
        (self.out / "x.csv").write_text("".join(",".join(row) + "\n" for row in rows))
        options = ("--labels", self.out / "y.txt", "--features", self.out / "x.csv")
        return self.out / "edges.txt", *options

    def test_edge_list(self):
        said, tensors = self.check(*self.edge_list(), "--train-per-class", 1, "--val", 1)
        for row in ("nodes +6", "edges +8, each both ways", "mean degree +1.33", "homophily +0.750"):
            self.assertRegex(said, row)
        self.assertRegex(said, "classes +3, of 1 to 3 nodes")
        flags = {name: list(tensors[f"{name}_mask"][1]) for name in ("train", "val", "test")}
        self.assertEqual([sum(f) for f in zip(*flags.values())], [1] * NODES)
        self.assertEqual({name: sum(f) for name, f in flags.items()}, dict(train=3, val=1, test=2))
        train = [label for label, flag in zip(CLASSES, flags["train"]) if flag]
        self.assertEqual(sorted(train), [0, 1, 2])

    def test_seeds_of_random_splits(self):
        source = self.edge_list([(0, 1)], [0] * 40, [[0]] * 40)
        masks = []
        for seed in (1, 1, 2):
            self.convert(*source, "--seed", seed)
            tensors = support.read_safetensors(self.out / "out.safetensors")
            masks.append([tensors[f"{name}_mask"][1] for name in ("train", "val", "test")])
        self.assertEqual(masks[0], masks[1])
        self.assertNotEqual(masks[0], masks[2])

    def test_one_direction_and_both(self):
        source = self.edge_list(PAIRS + [(0, 1), (2, 2)])
        said, _ = self.check(*source, edges=PAIRS + [(0, 1), (2, 2)])
        self.assertIn("not all both ways", said)
        said, _ = self.check(*source, "--undirected", edges=BOTH + [(2, 2)])
        self.assertIn("each both ways", said)

    def test_names_of_nodes_and_classes(self):
        edges, *_ = self.edge_list()
        edges.write_text("".join(f"p{a}\tp{b}\t0.5\n" for a, b in BOTH))
        words = ["a theory", "b", "c"]
        lines = "".join(f"p{n},{words[label][0]}\n" for n, label in enumerate(CLASSES))
        (self.out / "y.txt").write_text(lines)
        self.features = 1
        _, tensors = self.check(edges, "--labels", self.out / "y.txt", words=None)
        self.assertEqual(set(tensors["edge_weight"][1]), {0.5})

    def test_sparse_where_smaller(self):
        self.features = 200
        words = [[node] for node in range(200)]
        y = [0, 1] * 100
        source = self.edge_list([(0, 1)], y, words)
        for options, name in (((), "x.indices"), (("--dense",), "x")):
            _, tensors = self.check(*source, *options, edges=[(0, 1)], y=y, words=words)
            self.assertIn(name, tensors)

    def test_values_and_empty_last_columns(self):
        edges, *options = self.edge_list()
        (self.out / "x.csv").write_text("0.5,0,0,0\n" * NODES)
        said, tensors = self.check(edges, *options, "--sparse", words=None)
        self.assertEqual(set(tensors["x.values"][1]), {0.5})
        self.assertIn("the last 3 columns of x are empty", said)
        self.assertIn("must say features: 4", said)

    def test_refused_edge_lists(self):
        edges, *options = self.edge_list()
        self.refuse("is not there", self.out / "nothing", *options)
        self.refuse("--train-per-class 2: class 2 has only 1 nodes", edges, *options, "--train-per-class", 2)
        self.refuse("--test 7: only 2 nodes", edges, *options, "--test", 7)
        edges.write_text("0 1\n1 6\n")
        self.refuse("6 is no node; there are 6", edges, *options)
        edges.write_text("0 1\n1 b\n")
        self.refuse("edges.txt:2: invalid literal", edges, *options)
        edges.write_text("0 1 0.5\n1 2\n")
        self.refuse("some edges have a weight, some have none", edges, *options)
        edges.write_text("0 1\n")
        (self.out / "y.txt").write_text("0\n1\n")
        self.refuse("has 6 rows", edges, *options)
        (self.out / "y.txt").write_text("-1\n" * NODES)
        self.refuse("no node has a class", edges, *options)
        (self.out / "x.csv").write_text("nan,1\n" * NODES)
        (self.out / "y.txt").write_text("0\n" * NODES)
        self.refuse("the features are not all finite", edges, *options)

    def test_a_scrambled_file_is_noticed(self):
        import numpy

        loader = importlib.machinery.SourceFileLoader("graph_from", str(GRAPH_FROM))
        spec = importlib.util.spec_from_loader(loader.name, loader)
        script = importlib.util.module_from_spec(spec)
        loader.exec_module(script)
        write = script.write

        def scrambled(path, tensors):
            sources, targets = tensors["edge_index"]
            write(path, {**tensors, "edge_index": numpy.stack([sources, targets[::-1]])})

        script.write = scrambled
        before, sys.argv = sys.argv, ["graph-from", *map(str, self.edge_list())]
        sys.argv.insert(2, str(self.out / "out.safetensors"))
        try:
            with self.assertRaises(SystemExit) as end:
                script.main()
        finally:
            sys.argv = before
        self.assertIn("the homophily of what was written is", end.exception.code)
        self.assertEqual(list(self.out.glob("out.safetensors*")), [])

    # Folders

    def test_planetoid_with_gaps(self):
        # Nodes 0 to 2 are known, of which 0 and 1 train; 5 and 3 test, 4 is in no file.
        folder, x = self.out / "raw", dense_words()
        self.planetoid(folder, x)
        y = CLASSES[:4] + [-1] + CLASSES[5:]
        words = WORDS[:4] + [[]] + WORDS[5:]
        splits = {"train": [0, 1], "val": [2], "test": [3, 5]}
        said, _ = self.check(folder, y=y, words=words, splits=splits)
        self.assertIn("1 nodes are in no file", said)
        self.assertRegex(said, "homophily +0.667")
        (folder / "ind.tiny.test.index").write_text("5\n1\n")
        (self.out / "out.safetensors").unlink()
        self.refuse("test.index does not fit", folder)
        (folder / "ind.tiny.x").write_bytes(pickle.dumps(print, protocol=2))
        self.refuse("a pickle of Planetoid has no __builtin__.print", folder)
        (folder / "ind.tiny.x").unlink()
        self.refuse("ind.tiny.x is missing", folder)

    def planetoid(self, folder, x):
        import numpy as np

        folder.mkdir()

        def rows(nodes):
            """As SciPy keeps a matrix in a pickle."""
            part = x[nodes]
            matrix = csr_matrix()
            matrix._shape = part.shape
            matrix.indptr = np.concatenate([[0], np.cumsum((part != 0).sum(1))])
            matrix.indices = np.nonzero(part)[1]
            matrix.data = part[part != 0]
            return matrix

        one_hot = np.eye(3, dtype=np.int32)[CLASSES]
        graph = {}
        for a, b in BOTH + [(1, 1), (0, 1)]:  # a loop and an edge twice
            graph.setdefault(a, []).append(b)
        parts = {"x": rows([0, 1]), "allx": rows([0, 1, 2]), "tx": rows([5, 3])}
        parts |= {"y": one_hot[:2], "ally": one_hot[:3], "ty": one_hot[[5, 3]], "graph": graph}
        for name, part in parts.items():
            (folder / f"ind.tiny.{name}").write_bytes(pickle.dumps(part, protocol=2))
        (folder / "ind.tiny.test.index").write_text("5\n3\n")

    def test_graphsaint(self):
        import numpy as np

        folder = self.out / "saint"
        folder.mkdir()
        edges = sorted(BOTH)
        counts = np.bincount([a for a, _ in edges], minlength=NODES)
        np.savez(
            folder / "adj_full.npz",
            format=np.array("csr"),
            shape=np.array([NODES, NODES]),
            indptr=np.concatenate([[0], np.cumsum(counts)]),
            indices=np.array([b for _, b in edges]),
            data=np.ones(len(edges)),
        )
        np.save(folder / "feats.npy", dense_words().astype(np.float64))
        classes = {str(node): label for node, label in enumerate(CLASSES)}
        (folder / "class_map.json").write_text(json.dumps(classes))
        role = {"tr": [0, 3, 5], "va": [1], "te": [4, 2]}
        (folder / "role.json").write_text(json.dumps(role))
        splits = {"train": [0, 3, 5], "val": [1], "test": [2, 4]}
        self.check(folder, splits=splits)
        one_hot = {str(n): [int(c == label) for c in range(3)] for n, label in enumerate(CLASSES)}
        (folder / "class_map.json").write_text(json.dumps(one_hot))
        self.check(folder, splits=splits)
        self.assertIn("random splits", self.convert(folder, "--resplit").stdout)
        (self.out / "out.safetensors").unlink()
        one_hot["0"] = [1, 1, 0]
        (folder / "class_map.json").write_text(json.dumps(one_hot))
        self.refuse("has 3 labels a node", folder)
        (folder / "role.json").unlink()
        (folder / "class_map.json").write_text(json.dumps(classes))
        self.refuse("role.json is missing", folder)

    def test_ogb(self):
        folder = self.out / "ogbn_tiny"
        files = {
            "raw/edge.csv.gz": BOTH,
            "raw/node-feat.csv.gz": dense_words().tolist(),
            "raw/node-label.csv.gz": [[label] for label in CLASSES[:5]] + [["nan"]],
            "raw/num-node-list.csv.gz": [[NODES]],
            "split/time/train.csv.gz": [[0], [3]],
            "split/time/valid.csv.gz": [[2]],
            "split/time/test.csv.gz": [[1], [5]],
        }
        for name, rows in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            text = "".join(",".join(map(str, row)) + "\n" for row in rows)
            (folder / name).write_bytes(gzip.compress(text.encode()))
        y = CLASSES[:5] + [-1]
        said, _ = self.check(folder, y=y, splits={"train": [0, 3], "val": [2], "test": [1]})
        self.assertIn("1 nodes of test have no class", said)
        (self.out / "out.safetensors").unlink()
        (folder / "split" / "random").mkdir()
        self.refuse("has several splits, random, time", folder)
        self.refuse("has no train.csv", folder, "--name", "random")
        (folder / "raw" / "node-feat.csv.gz").unlink()
        self.refuse("has no node-feat.csv", folder)

    def test_folder_of_no_known_form(self):
        (self.out / "empty").mkdir()
        self.refuse("has neither adj_full.npz", self.out / "empty")

    # PyTorch Geometric

    def data(self):
        import torch
        from torch_geometric.data import Data

        # A transposed view, as many make edge_index: its memory has another order.
        edges = torch.tensor(BOTH).t()
        self.assertFalse(edges.is_contiguous())
        masks = {}
        for part, name in enumerate(("train", "val", "test")):
            columns = [[(n + k) % 3 == part for k in (0, 1)] for n in range(NODES)]
            masks[f"{name}_mask"] = torch.tensor(columns)
        x = torch.from_numpy(dense_words())
        return Data(x=x, edge_index=edges, y=torch.tensor(CLASSES)[:, None], **masks)

    @unittest.skipUnless(HAS_PYG, "PyTorch Geometric is not installed")
    def test_saved_data(self):
        import torch

        data, path = self.data(), self.out / "data.pt"
        torch.save(data, path)
        self.check(path, splits={"train": [0, 3], "val": [1, 4], "test": [2, 5]})
        self.check(path, "--split", 1, splits={"train": [2, 5], "val": [0, 3], "test": [1, 4]})
        (self.out / "out.safetensors").unlink()
        self.refuse("--split 2: there are 2 splits", path, "--split", 2)
        torch.save((data.to_dict(), None, type(data)), path)
        self.check(path, splits={"train": [0, 3]})
        attributes = torch.tensor([[float(i)] for i in range(len(BOTH))])
        data.update({"x": data.x.to_sparse_csr(), "edge_attr": attributes})
        torch.save(data, path)
        _, tensors = self.check(path)
        self.assertEqual(list(tensors["edge_weight"][1]), list(range(len(BOTH))))

    @unittest.skipUnless(HAS_PYG, "PyTorch Geometric is not installed")
    def test_refused_saved_data(self):
        import torch

        data, path = self.data(), self.out / "data.pt"
        del data.edge_index
        torch.save(data, path)
        self.refuse("has no tensor 'edge_index'", path)
        torch.save(pathlib.PurePosixPath("a"), path)
        self.refuse("--trust reads it all the same", path)
        path.write_bytes(b"no such file")
        self.refuse("data.pt", path)

    @unittest.skipUnless(HAS_PYG, "PyTorch Geometric is not installed")
    def test_datasets(self):
        from torch_geometric.datasets import KarateClub

        data = KarateClub()[0]
        self.convert(self.out, "--dataset", "KarateClub")
        tensors = support.read_safetensors(self.out / "out.safetensors")
        self.assertEqual(list(tensors["edge_index"][1]), data.edge_index.reshape(-1).tolist())
        self.assertEqual(list(tensors["y"][1]), data.y.tolist())
        (self.out / "out.safetensors").unlink()
        self.refuse("has no dataset Karate", self.out, "--dataset", "Karate")
        self.refuse("this needs OGB", self.out, "--dataset", "ogb:ogbn-arxiv")


class csr_matrix:
    """Pickled under SciPy's name."""


csr_matrix.__module__ = "scipy.sparse.csr"


def main():
    python = [support.BUILD / "torch-venv" / "bin" / "python", sys.executable, "/usr/bin/python3"]
    if not os.environ.get("GRAPH_FROM_TEST"):
        for candidate in python:
            command = [str(candidate), "-c", "import numpy"]
            if not pathlib.Path(candidate).exists():
                continue
            if support.run(command, check=False).returncode == 0:
                environment = dict(os.environ, GRAPH_FROM_TEST="1")
                os.execve(candidate, [str(candidate), *sys.argv], environment)
        print("no Python here has NumPy")
        sys.exit(77)
    # A pickle is written by importing its class's module, and those above it.
    above = [] if importlib.util.find_spec("scipy") else ["scipy", "scipy.sparse"]
    for name in [*above, "scipy.sparse.csr"]:
        sys.modules[name] = types.ModuleType(name)
    sys.modules["scipy.sparse.csr"].csr_matrix = csr_matrix
    support.main()


if __name__ == "__main__":
    main()
