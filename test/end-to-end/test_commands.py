# ===- test_commands.py - What an executable's commands compute ------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import array
import re
import unittest

import support

LENGTH = 40  # of gpt2-small's samples


def small(executable, **values):
    """gpt2-small with one layer, which learns a pattern in a second."""
    specification = support.HERE / "gpt2-small.textproto"
    values = {"transformer__layers": 1, "training__optimizer__lr": 0.01, **values}
    return support.compile(specification, executable, **values)


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.out = support.scratch("what-commands-compute")
        cls.executable = small(cls.out / "exe", training__schedule__kind="CONSTANT")
        cls.text = cls.out / "text"
        cls.text.write_bytes(b"abc" * 1400)
        cls.weights = cls.out / "weights.safetensors"
        train = [cls.executable, "train", "--data", cls.text, "--steps", 200]
        support.run([*train, "--save", cls.weights])

    def evaluate(self, content, *options):
        data = self.out / "evaluated"
        data.write_bytes(content)
        command = [self.executable, "eval", "--data", data, "--init", self.weights, *options]
        return support.run(command).stdout

    def test_eval_counts_samples_and_names_the_data(self):
        said = self.evaluate(b"abc" * LENGTH + b"a")
        self.assertRegex(said, rf"samples +3 of {LENGTH} tokens")
        self.assertRegex(said, r"data +bytes")
        self.assertLess(float(re.search(r"loss +(\S+)", said)[1]), 0.5)
        wrong = float(re.search(r"loss +(\S+)", self.evaluate(b"a" * (LENGTH + 1)))[1])
        self.assertGreater(wrong, 1)
        # Weights of --init count, and there need be none.
        command = [self.executable, "eval", "--data", self.out / "evaluated"]
        random = float(re.search(r"loss +(\S+)", support.run(command).stdout)[1])
        self.assertGreater(random, 3)
        (self.out / "evaluated").write_bytes(b"a" * LENGTH)
        done = support.run(command, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"has {LENGTH} tokens; one sample takes {LENGTH + 1}", done.stderr)


class Resuming(unittest.TestCase):
    def refuses(self, command, *parts):
        done = support.run(command, check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertEqual(done.stderr.count("error:"), 1, done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)
        return done.stderr

    def test_settings_that_determine_the_mathematics_are_compared(self):
        out = support.scratch("another-model")
        data, checkpoints = out / "text", out / "checkpoints"
        data.write_bytes(b"abc" * 1400)
        options = ["--data", data, "--checkpoint-dir", checkpoints]
        first = small(out / "first")
        support.run([first, "train", *options, "--steps", 2])
        other = small(
            out / "other",
            transformer__heads=6,
            transformer__layer_norm__eps=1e-3,
            training__optimizer__lr=0.02,
        )
        resume = ["train", *options, "--resume", "--steps"]
        said = self.refuses(
            [other, *resume, 3],
            "transformer.heads is 12 there and 6 here",
            "transformer.layer_norm.eps is 1e-05 there and 0.001 here",
            "training.optimizer.lr is 0.01 there and 0.02 here",
            "--allow training.optimizer.lr --allow transformer.heads "
            "--allow transformer.layer_norm.eps",
        )
        self.assertEqual(said.count(" there and "), 3, said)
        # Weights alone do not depend on the optimizer.
        said = self.refuses(
            [other, "eval", "--data", data, "--init", checkpoints], "heads", "layer_norm.eps"
        )
        self.assertNotIn("optimizer", said)
        allowed = [part for part in said.split("give ")[-1].split()]
        support.run([other, "eval", "--data", data, "--init", checkpoints, *allowed])
        # What is free: ranks, stage, micro-batches, recomputation, threads, precision.
        free = small(
            out / "free",
            parallel__world=2,
            parallel__zero_stage=3,
            training__micro_batch=2,
            training__recompute="LAYER",
            training__precision__compute="BF16",
            training__seed=9,
            target__cpu__threads=1,
        )
        done = support.run([*support.launcher(2), free, *resume, 3])
        self.assertNotIn("warning", done.stderr)
        self.refuses([other, *resume, 4], "transformer.heads")

    def test_another_graph_is_other_data(self):
        out = support.scratch("another-graph")
        nodes, graph = 12, out / "graph.safetensors"
        specification = out / "s.textproto"
        specification.write_text(
            f'gnn {{ layer: GCN layers: 2 hidden: 4 graph: "{graph}" }}\n'
            "training { steps: 4 optimizer { lr: 0.01 } }\n"
        )

        def write(path, feature):
            masks = {f"{split}_mask": ("BOOL", [nodes], [1] * nodes) for split in ("train", "val", "test")}
            tensors = {
                "x": ("F32", [nodes, 3], array.array("f", [feature] * 3 * nodes)),
                "edge_index": ("I64", [2, nodes], array.array("q", [*range(nodes), *range(1, nodes), 0])),
                "y": ("I64", [nodes], array.array("q", [n % 3 for n in range(nodes)])),
            }
            tensors.update({k: (t, s, array.array("b", v)) for k, (t, s, v) in masks.items()})
            support.write_safetensors(path, tensors)

        write(graph, 0.5)
        executable = support.compile(specification, out / "exe")
        train = [executable, "train", "--checkpoint-dir", out / "checkpoints"]
        support.run([*train, "--data", graph, "--steps", 2])
        copy, other = out / "copy", out / "other"
        copy.write_bytes(graph.read_bytes())
        write(other, 0.25)
        support.run([*train, "--data", copy, "--resume", "--steps", 3])
        self.refuses([*train, "--data", other, "--resume", "--steps", 4], "other data", "--allow data")
        support.run([*train, "--data", other, "--resume", "--steps", 4, "--allow", "data"])


if __name__ == "__main__":
    support.main()
