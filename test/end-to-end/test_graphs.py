# ===- test_graphs.py - What a graph's file means --------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import array
import math
import random
import re
import unittest

import support

SPECIFICATION = """name: "graph"
gnn { layer: GCN layers: 2 hidden: 5 graph: "graph.safetensors" }
training { steps: 3 optimizer { lr: 0.01 } }
target { cpu { name: "native" threads: 1 } }
"""
NODES = 12
FEATURES = 3
CODES = {"F64": "d", "F32": "f", "I64": "q", "I32": "i", "I16": "h", "I8": "b"}
CODES |= {"U32": "I", "U16": "H", "U8": "B", "BOOL": "b"}


def retyped(tensor, dtype):
    _, shape, values = tensor
    return dtype, shape, array.array(CODES[dtype], [type_of(dtype)(v) for v in values])


def type_of(dtype):
    return float if dtype.startswith("F") else int


def reshaped(tensor, *shape):
    dtype, _, values = tensor
    return dtype, list(shape), values


def ring(empty=False):
    """A ring of nodes with small whole numbers as features, or with zeros; each
    split has a third of them."""
    nodes = range(NODES)
    ends = [*nodes, *((node + 1) % NODES for node in nodes)]
    features = [0 if empty else i * 7 % 5 for i in range(NODES * FEATURES)]
    tensors = {
        "x": ("F32", [NODES, FEATURES], array.array("f", features)),
        "edge_index": ("I64", [2, NODES], array.array("q", ends)),
        "y": ("I64", [NODES], array.array("q", [node // 3 % 3 for node in nodes])),
    }
    for split, name in enumerate(("train", "val", "test")):
        flags = array.array("b", [node % 3 == split for node in nodes])
        tensors[f"{name}_mask"] = ("BOOL", [NODES], flags)
    return tensors


def sparse_ring():
    """The ring, its features as compressed rows."""
    sparse = ring()
    values = sparse.pop("x")[2]
    used = [i for i, value in enumerate(values) if value]
    begins = [sum(i < node * FEATURES for i in used) for node in range(NODES + 1)]
    sparse["x.indptr"] = ("I64", [NODES + 1], array.array("q", begins))
    columns = array.array("q", [i % FEATURES for i in used])
    sparse["x.indices"] = ("I64", [len(used)], columns)
    numbers = array.array("f", [values[i] for i in used])
    sparse["x.values"] = ("F32", [len(used)], numbers)
    return sparse


class Graphs(unittest.TestCase):
    def make(self, name, tensors, **fields):
        """A folder with the graph and an executable of its model."""
        out = support.scratch(name)
        support.write_safetensors(out / "graph.safetensors", tensors)
        (out / "spec.textproto").write_text(SPECIFICATION)
        support.compile(out / "spec.textproto", out / "exe", **fields)
        return out

    def losses(self, out, tensors, world=1):
        support.write_safetensors(out / "data.safetensors", tensors)
        log = support.train(out / "exe", out / "data.safetensors", out / "log", world)
        (out / "log").unlink()
        self.assertEqual(len(log), 3)
        return support.losses(log)

    def test_of_equal_logits_the_first_is_the_prediction(self):
        out = self.make("graph-ties", ring(empty=True))
        # Without features and with biases of 0 all logits are 0, so that class
        # 0 is predicted everywhere: two of a split's four nodes have it.
        command = [out / "exe", "eval", "--data", out / "graph.safetensors"]
        output = support.run(command).stdout
        accuracies = [float(a) for a in re.findall(r"accuracy ([0-9.]+)", output)]
        self.assertEqual(accuracies, [0.5, 0.5, 0.5], output)

    def test_a_model_without_edges(self):
        # The edges are read and checked, but of no consequence.
        tensors = ring()
        options = {"gnn__layer": "MLP", "gnn__normalization": "NONE"}
        out = self.make("graph-mlp", tensors, **options)
        losses = self.losses(out, tensors)
        self.assertLess(losses[-1], losses[0])
        turned = list(reversed(tensors["edge_index"][2]))
        tensors["edge_index"] = ("I64", [2, NODES], array.array("q", turned))
        self.assertEqual(self.losses(out, tensors), losses)

    def test_nodes_that_are_not_learned_from(self):
        # What only they need is left out, and nothing else differs.
        cases = [
            ("GCN", {}),
            ("GCN", {"gnn__layers": 1, "gnn__normalize_features": "true"}),
            ("GIN", {}),
            ("SAGE", {}),
            ("SGC", {"gnn__layers": 1, "gnn__hops": 2}),
            ("GCN", {"gnn__layers": 3, "gnn__dropout": 0.5}),
            ("MLP", {}),
            ("SAGE", {"gnn__aggregation": "MAX", "parallel__world": 2}),
        ]
        for i, (layer, fields) in enumerate(cases):
            # Of sparse features not all are read otherwise.
            for tensors in (ring(), sparse_ring())[: 2 if i < 5 else 1]:
                options = {"gnn__layer": layer, **fields}
                world = fields.get("parallel__world", 1)
                every = self.make("graph-all", tensors, gnn__train_nodes=0, **options)
                few = self.make("graph-few", tensors, **options)
                expected, losses = (self.losses(o, tensors, world) for o in (every, few))
                for a, b in zip(expected, losses):
                    self.assertLess(abs(a - b), 1e-6 * abs(a), options)

    def test_room_for_nodes_that_are_learned_from(self):
        graph = ring()
        out = self.make("graph-room", graph, gnn__train_nodes=6, gnn__train_edges=8)
        exact = self.make("graph-exact", graph)
        for a, b in zip(self.losses(exact, graph), self.losses(out, graph)):
            self.assertLess(abs(a - b), 1e-6 * abs(a))
        flags = array.array("b", [1] * 7 + [0] * 5)
        more = dict(graph, train_mask=("BOOL", [NODES], flags))
        support.write_safetensors(out / "data.safetensors", more)
        command = [out / "exe", "train", "--data", out / "data.safetensors"]
        done = support.run(command, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(
            "has 7 training nodes, the model was compiled for 6: compile it with this "
            "graph, or with gnn.train_nodes and gnn.train_edges for it",
            done.stderr,
        )

    def test_sparse_features(self):
        # Zeros are not multiplied, and nothing else differs.
        graph, sparse = ring(), sparse_ring()
        for layer in ("GCN", "MLP", "SAGE", "SGC", "GIN"):
            for normalize in ("false", "true"):
                options = {"gnn__normalize_features": normalize, "gnn__layer": layer}
                if layer == "SGC":
                    options["gnn__hops"] = 2
                dense = self.make("graph-dense", graph, **options)
                out = self.make("graph-sparse", sparse, **options)
                for tensors in (sparse, graph):
                    expected, losses = (self.losses(o, tensors) for o in (dense, out))
                    for a, b in zip(expected, losses):
                        self.assertLess(abs(a - b), 1e-6 * abs(a), options)
        # Fewer entries than there is room for are taken, more are not.
        out = self.make("graph-fewer", sparse)
        self.losses(out, dict(graph, x=ring(empty=True)["x"]))
        ones = ("F32", [NODES, FEATURES], array.array("f", [1] * NODES * FEATURES))
        support.write_safetensors(out / "data.safetensors", dict(graph, x=ones))
        command = [out / "exe", "train", "--data", out / "data.safetensors"]
        done = support.run(command, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(
            f"has {NODES * FEATURES} features that are not 0, the model was compiled for "
            f"{len(sparse['x.indices'][2])}: compile it with this graph's sizes",
            done.stderr,
        )

    def test_generate_is_for_texts(self):
        out = self.make("graph-generate", ring())
        command = [out / "exe", "generate", "--init", out / "none", "--prompt", "a"]
        done = support.run([*command, "--max-tokens", 1], check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("this is a model of graphs: use 'eval'", done.stderr)
        self.assertEqual(done.stdout, "")

    def test_types_and_shapes_of_the_same_numbers(self):
        graph = ring()
        out = self.make("graph-types", graph)
        expected = self.losses(out, graph)
        for dtype in CODES:
            if dtype != "BOOL":
                other = dict(graph, x=retyped(graph["x"], dtype))
                self.assertEqual(self.losses(out, other), expected, dtype)
        for dtype in ("I32", "I16", "I8", "U32", "U16", "U8"):
            other = {name: retyped(t, dtype) for name, t in graph.items()}
            self.assertEqual(self.losses(out, other), expected, dtype)
        other = dict(graph)
        for name in ("y", "train_mask", "val_mask", "test_mask"):
            other[name] = reshaped(graph[name], NODES, 1)
        self.assertEqual(self.losses(out, other), expected)
        # A node in no mask needs no label, and a model may have more classes.
        other = dict(graph)
        flags = array.array("b", graph["val_mask"][2])
        flags[1] = 0
        labels = array.array("q", graph["y"][2])
        labels[1] = -1
        other.update(val_mask=("BOOL", [NODES], flags), y=("I64", [NODES], labels))
        self.assertEqual(self.losses(out, other), expected)
        labels = array.array("q", [min(label, 1) for label in labels])
        self.losses(out, dict(other, y=("I64", [NODES], labels)))

    def test_weights_of_edges(self):
        graph = ring()
        out = self.make("graph-weights", graph)
        plain = self.losses(out, graph)
        ones = ("F32", [NODES], array.array("f", [1] * NODES))
        self.assertEqual(self.losses(out, dict(graph, edge_weight=ones)), plain)
        numbers = array.array("d", [0.25 * (1 + i % 5) for i in range(NODES)])
        weights = ("F64", [NODES], numbers)
        weighted = self.losses(out, dict(graph, edge_weight=weights))
        self.assertNotEqual(weighted, plain)
        attributes = dict(graph, edge_attr=reshaped(weights, NODES, 1))
        self.assertEqual(self.losses(out, attributes), weighted)
        command = [out / "exe", "train", "--data", out / "data.safetensors"]
        self.assertIn("'edge_attr' weighs the edges", support.run(command).stdout)

    def test_self_loops_alone(self):
        graph = dict(ring(), edge_index=("I64", [2, 0], array.array("q")))
        out = self.make("graph-no-edges", graph)
        self.assertTrue(all(loss > 0 for loss in self.losses(out, graph)))
        self.assertEqual(self.shape_said(out), "12 nodes, 0 edges (mean degree 0.00), 3 classes")

    def test_the_table_says_what_the_graph_is_like(self):
        graph = ring()
        out = self.make("graph-said", graph)
        begin = "12 nodes, 12 edges (mean degree 1.00), 3 classes"
        self.assertEqual(self.shape_said(out), f"{begin}, homophily 0.750")
        # Its transpose's memory under its own shape, as some converters leave it.
        ends = graph["edge_index"][2]
        pairs = array.array("q", [end for pair in zip(ends, ends[NODES:]) for end in pair])
        scrambled = dict(graph, edge_index=("I64", [2, NODES], pairs))
        support.write_safetensors(out / "graph.safetensors", scrambled)
        self.assertEqual(self.shape_said(out), f"{begin}, homophily 0.000")

    def shape_said(self, out):
        command = [out / "exe", "train", "--data", out / "graph.safetensors", "--steps", 0]
        return re.search("^  graph +(.*)$", support.run(command).stdout, re.M).group(1)

    def test_compiler_and_executable_refuse_alike(self):
        graph = ring()
        out = self.make("graph-refused", graph)
        table = reshaped(graph["val_mask"], NODES // 2, 2)
        ends = array.array("q", graph["edge_index"][2])
        ends[3] = NODES
        features = array.array("f", graph["x"][2])
        features[4] = float("nan")
        negative = array.array("f", [-3] + [1] * (NODES - 1))
        both = array.array("f", [1] * NODES)
        without = dict(graph)
        del without["test_mask"]
        cases = {
            "it has no tensor 'test_mask'": without,
            "tensor 'val_mask' has shape": dict(graph, val_mask=table),
            "element [0, 3] of tensor 'edge_index' is 12": dict(
                graph, edge_index=("I64", [2, NODES], ends)
            ),
            "element [1, 1] of tensor 'x' is nan": dict(
                graph, x=("F32", [NODES, FEATURES], features)
            ),
            "into node 1, its edge to itself included, have the sum -2": dict(
                graph, edge_weight=("F32", [NODES], negative)
            ),
            "it has both 'edge_weight' and 'edge_attr'": dict(
                graph,
                edge_weight=("F32", [NODES], both),
                edge_attr=("F32", [NODES], both),
            ),
            "tensor 'y' has type F32": dict(graph, y=retyped(graph["y"], "F32")),
        }
        data, specification = out / "graph.safetensors", out / "spec.textproto"
        commands = [
            [support.TESSERA, "compile", specification, "-o", out / "other"],
            [support.TESSERA, "plan", specification],
            [out / "exe", "train", "--data", data],
            [out / "exe", "eval", "--data", data],
        ]
        for reason, tensors in cases.items():
            support.write_safetensors(data, tensors)
            self.check_refused(commands, reason)
        support.write_safetensors(data, graph)
        data.write_bytes(data.read_bytes()[:-5])
        self.check_refused(commands, "is it cut short?")
        self.assertFalse((out / "other").exists())

    def check_refused(self, commands, reason):
        for command in commands:
            done = support.run(command, check=False)
            self.assertEqual(done.returncode, 1, (reason, command, done.stderr))
            self.assertIn(reason, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_loading_takes_little_beside_the_plan(self):
        """Edges are sorted within the arena: what else a run takes does not
        grow with them."""
        beside = []
        for nodes, edges in ((NODES, NODES), (20_000, 1_000_000)):
            graph = self.random_graph(nodes, edges)
            out = self.make(f"graph-memory-{nodes}", graph)
            plan = support.plan(out / "spec.textproto")["peak_bytes"]
            command = [out / "exe", "train", "--data", out / "graph.safetensors"]
            beside.append(support.most_memory(command) - plan)
        self.assertLess(beside[1] - beside[0], 0.1 * plan, f"plan {plan}, beside {beside}")

    def random_graph(self, nodes, edges):
        draw = random.Random(1).randrange
        ends = array.array("i", [draw(nodes) for _ in range(2 * edges)])
        graph = {
            "x": ("F32", [nodes, 1], array.array("f", [1] * nodes)),
            "edge_index": ("I32", [2, edges], ends),
            "y": ("U8", [nodes], array.array("B", [node % 3 for node in range(nodes)])),
        }
        for name in ("train_mask", "val_mask", "test_mask"):
            graph[name] = ("BOOL", [nodes], array.array("b", [1] * nodes))
        return graph

    def test_what_nothing_uses_is_named(self):
        graph = dict(ring(), pos=("F32", [1], array.array("f", [0])))
        out = self.make("graph-unused", graph)
        data, specification = out / "graph.safetensors", out / "spec.textproto"
        for command in (
            [support.TESSERA, "plan", specification],
            [out / "exe", "train", "--data", data],
            [out / "exe", "eval", "--data", data],
        ):
            done = support.run(command)
            self.assertIn("has what nothing here uses: 'pos'", done.stderr)


class Predictions(unittest.TestCase):
    """What `predict` writes, by the formula of two layers of GCN."""

    @classmethod
    def setUpClass(cls):
        cls.out = support.scratch("predictions")
        cls.graph, cls.weights = cls.out / "graph.safetensors", cls.out / "weights.safetensors"
        support.write_safetensors(cls.graph, ring())
        (cls.out / "spec.textproto").write_text(SPECIFICATION)
        cls.executable = support.compile(cls.out / "spec.textproto", cls.out / "exe")
        support.train(cls.executable, cls.graph, cls.out / "log", options=["--save", cls.weights])

    def predict(self, name, *options, check=True):
        command = [self.executable, "predict", "--data", self.graph, "--init", self.weights]
        return support.run([*command, "--out", self.out / name, *options], check=check)

    def expected(self):
        """Logits in double precision: each node's mean of itself and the one before it, as
        both have a degree of 2 with self-loops."""
        tensors = support.read_safetensors(self.weights)

        def layer(number, rows):
            (width, inputs), weight = tensors[f"convs.{number}.lin.weight"]
            bias = tensors[f"convs.{number}.bias"][1]
            products = [
                [sum(row[j] * weight[i * inputs + j] for j in range(inputs)) for i in range(width)]
                for row in rows
            ]
            return [
                [(products[node][i] + products[node - 1][i]) / 2 + bias[i] for i in range(width)]
                for node in range(NODES)
            ]

        x = ring()["x"][2]
        hidden = layer(0, [x[node * FEATURES : (node + 1) * FEATURES] for node in range(NODES)])
        return layer(1, [[max(0, value) for value in row] for row in hidden])

    def test_tensors(self):
        said = self.predict("p.safetensors").stdout
        self.assertIn("predictions of 12 nodes for 3 classes", said)
        tensors = support.read_safetensors(self.out / "p.safetensors")
        self.assertEqual(set(tensors), {"logits", "posteriors"})
        expected = self.expected()
        for node, row in enumerate(expected):
            total = sum(map(math.exp, row))
            for i, logit in enumerate(row):
                self.assertAlmostEqual(tensors["logits"][1][3 * node + i], logit, delta=2e-6)
                posterior = tensors["posteriors"][1][3 * node + i]
                self.assertAlmostEqual(posterior, math.exp(logit) / total, delta=1e-6)
        self.assertEqual([shape for shape, _ in tensors.values()], [[NODES, 3]] * 2)

    def test_table(self):
        self.predict("p.csv")
        self.predict("p.safetensors")
        tensors = support.read_safetensors(self.out / "p.safetensors")
        lines = (self.out / "p.csv").read_text().splitlines()
        self.assertEqual(
            lines[0], "node,class,logit_0,logit_1,logit_2,posterior_0,posterior_1,posterior_2"
        )
        self.assertEqual(len(lines), NODES + 1)
        found = 0
        for node, line in enumerate(lines[1:]):
            number, likeliest, *values = line.split(",")
            own = slice(3 * node, 3 * node + 3)
            logits = list(tensors["logits"][1][own])
            self.assertEqual(int(number), node)
            self.assertEqual(int(likeliest), logits.index(max(logits)))
            # The same floats.
            written = array.array("f", map(float, values))
            self.assertEqual(list(written), logits + list(tensors["posteriors"][1][own]))
            found += ring()["y"][2][node] == int(likeliest) and node % 3 == 2
        command = [self.executable, "eval", "--data", self.graph, "--init", self.weights]
        accuracy = re.search(r"^test .* accuracy (\S+)", support.run(command).stdout, re.M)[1]
        self.assertAlmostEqual(float(accuracy), found / 4, delta=1e-6)

    def test_what_cannot_be_written_is_refused_at_once(self):
        for name, reason in {
            "graph.safetensors": "--out",
            "weights.safetensors": "--out",
            "none/p.csv": "there is no folder",
            "p.txt": "ends in .safetensors or .csv",
        }.items():
            before = self.graph.read_bytes(), self.weights.read_bytes()
            done = self.predict(name, check=False)
            self.assertEqual(done.returncode, 1, name)
            self.assertEqual(done.stderr.count("error:"), 1, done.stderr)
            self.assertIn(reason, done.stderr)
            self.assertEqual(before, (self.graph.read_bytes(), self.weights.read_bytes()))

    def test_options_of_texts_are_refused(self):
        for given in (["--samples", 2], ["--data-type", "u16"], ["--field", "body"], ["--lines"], ["--end", "x"], ["--no-end"]):
            evaluated = support.run([self.executable, "eval", "--data", self.graph, *given], check=False)
            for done in (self.predict("refused.csv", *given, check=False), evaluated):
                self.assertEqual(done.returncode, 1, given)
                self.assertEqual(done.stderr.count("error:"), 1, done.stderr)
                self.assertIn(f"{given[0]} is of no use: a graph", done.stderr)
                self.assertFalse((self.out / "refused.csv").exists())


if __name__ == "__main__":
    support.main()
