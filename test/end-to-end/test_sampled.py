# ===- test_sampled.py - Training on sampled neighbourhoods ----------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# What is computed from samples, test_golden.py compares with PyTorch Geometric.
#
# ===----------------------------------------------------------------------===#

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import unittest

import support

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "graphs"))
import block_model

GRAPH = support.GOLDEN / "sampled-sage" / "graph.safetensors"
SAGE = support.GOLDEN / "sampled-sage" / "specification.textproto"


def sample(executable, path, *options, data=GRAPH, check=True):
    command = [executable, "sample", "--data", data, "--save", path, *options]
    return support.run(command, check=check)


class Sampled(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.out = support.scratch("sampled")
        cls.one = support.compile(SAGE, cls.out / "one", gnn__dropout=0.3)

    def weights_and_losses(self, executable, name, world, *options):
        save, log = self.out / f"{name}.safetensors", self.out / f"{name}.log"
        command = support.launcher(world) + [executable, "train", "--data", GRAPH]
        support.run(command + ["--save", save, "--log", log, *options])
        lines = support.read_log(log)
        return save.read_bytes(), [(line["loss"], line["grad_norm"]) for line in lines]

    def test_two_ranks_are_one_that_accumulates_two(self):
        weights, losses = self.weights_and_losses(self.one, "whole", 1)
        for stage in range(4):
            two = support.compile(
                SAGE,
                self.out / f"two{stage}",
                gnn__dropout=0.3,
                parallel__world=2,
                parallel__zero_stage=stage,
            )
            actual = self.weights_and_losses(two, f"two{stage}", 2)
            self.assertEqual(actual[1], losses, f"stage {stage}")
            self.assertEqual(actual[0], weights, f"stage {stage}")

    def test_skipping_rows_beyond_counts_changes_no_bit(self):
        """Without `nn.counted` all rows that there is room for are computed."""
        trained = []
        for threads in (1, 2):
            module = self.out / f"module{threads}.mlir"
            settings = support.settings(
                {"gnn.dropout": 0.3, "gnn.layer_norm": "true", "target.cpu.threads": threads}
            )
            compile = [support.TESSERA, "compile"]
            support.run(compile + [SAGE, "--compile-to", "zero", "-o", module] + settings)
            text = module.read_text()
            plain = re.sub(r'nn\.counted = "count\.\d+", ', "", text)
            self.assertNotEqual(plain, text)
            everything = self.out / f"everything{threads}.mlir"
            everything.write_text(plain)
            for source in (module, everything):
                executable = source.with_suffix("")
                support.run(compile + ["--compile-from", "zero", source, "-o", executable])
                has_counts = '"count.0"' in support.run([executable, "info", "--json"]).stdout
                self.assertEqual(has_counts, source == module)
                trained.append(self.weights_and_losses(executable, source.stem, 1))
        for other in trained[1:]:
            self.assertEqual(other, trained[0])

    def test_seeds_choose_what_is_sampled(self):
        first, again, other = (
            self.weights_and_losses(self.one, f"seed{i}", 1, "--seed", seed)
            for i, seed in enumerate((3, 3, 4))
        )
        self.assertEqual(first, again)
        self.assertNotEqual(first[1], other[1])

    def test_resumes_within_an_epoch(self):
        whole = self.weights_and_losses(self.one, "unbroken", 1)
        checkpoints = ["--checkpoint-dir", self.out / "checkpoints", "--checkpoint-every", 100]
        self.weights_and_losses(self.one, "resumed", 1, *checkpoints, "--steps", 7)
        resumed = self.weights_and_losses(self.one, "resumed", 1, *checkpoints, "--resume")
        self.assertEqual(resumed, whole)

    def test_says_what_it_samples(self):
        save = ["--save", self.out / "said", "--steps", 7]
        done = support.run([self.one, "train", "--data", GRAPH, *save])
        for text in [
            "batch        12 seeds (6 x 2 micro-batches x 1 ranks)",
            "sampling     4, all, 2 edges into a node by hop, without replacement",
            "order        shuffled",
            "micro-batches, room for 150 and ",
            " per rank, with two micro-batches, in the arena",
            " nodes/s",
        ]:
            self.assertIn(text, done.stdout)

    def test_every_training_node_is_a_seed_of_each_epoch(self):
        tensors = support.read_safetensors(GRAPH)
        mask = tensors["train_mask"][1]
        training = [node for node, flag in enumerate(mask) if flag]
        steps = -(-len(training) // 12)
        sample(self.one, self.out / "epochs", "--steps", 2 * steps)
        dumped = support.read_safetensors(self.out / "epochs")
        epochs = []
        for epoch in range(2):
            seeds = []
            for step in range(epoch * steps, (epoch + 1) * steps):
                for batch in range(2):
                    prefix = f"step.{step + 1}.batch.{batch}."
                    counts, nodes = (dumped[prefix + n][1] for n in ("counts", "nodes"))
                    seeds += nodes[: counts[0]]
                    self.assertEqual(len(nodes), counts[-1])
                    labels = [tensors["y"][1][node] for node in nodes[: counts[0]]]
                    self.assertEqual(list(dumped[prefix + "y"][1]), labels)
                    self.check_edges(tensors, dumped, prefix)
            epochs.append(seeds)
            self.assertEqual(sorted(seeds), training)
        self.assertNotEqual(*epochs)

    def check_edges(self, tensors, dumped, prefix):
        """Each sampled edge is one of the graph's, into a node that is expanded."""
        ends, nodes = tensors["edge_index"][1], dumped[prefix + "nodes"][1]
        half = len(ends) // 2
        there = set(zip(ends[:half], ends[half:]))
        sampled = dumped[prefix + "edge_index"][1]
        expanded = dumped[prefix + "counts"][1][-2]
        half = len(sampled) // 2
        for source, target in zip(sampled[:half], sampled[half:]):
            self.assertIn((nodes[source], nodes[target]), there)
            self.assertLess(target, expanded)

    def test_any_number_of_threads_samples_the_same(self):
        dumps = set()
        for threads in (1, 2, 3):
            path = self.out / f"threads{threads}"
            environment = dict(support.ENVIRONMENT, OMP_NUM_THREADS=str(threads))
            command = [self.one, "sample", "--data", GRAPH, "--save", path, "--seed", 9]
            support.run(command + ["--steps", 5], env=environment)
            dumps.add(path.read_bytes())
        self.assertEqual(len(dumps), 1)

    def start(self, executable, name, world):
        """A run that goes on and has made its first step."""
        log = self.out / f"{name}.log"
        command = support.launcher(world) + [executable, "train", "--data", GRAPH]
        command += ["--steps", 10**7, "--log", log]
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=support.ENVIRONMENT,
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and (not log.exists() or not log.stat().st_size):
            time.sleep(0.02)
        return process

    def test_a_signal_ends_it(self):
        process = self.start(self.one, "signal", 1)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=60), 128 + signal.SIGTERM)

    def test_ends_where_a_rank_dies(self):
        two = support.compile(SAGE, self.out / "dies", parallel__world=2)
        process = self.start(two, "dies", 2)
        ranks = list(support.processes(two))
        self.assertEqual(len(ranks), 2)
        os.kill(ranks[1], signal.SIGKILL)
        self.assertNotEqual(process.wait(timeout=60), 0)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and list(support.processes(two)):
            time.sleep(0.1)
        self.assertEqual(list(support.processes(two)), [])

    def test_others_have_nothing_to_dump(self):
        executable = support.compile(support.GOLDEN / "sage" / "specification.textproto", self.out / "no")
        done = sample(executable, self.out / "nothing", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("samples no neighbourhoods", done.stderr)
        self.assertIn("training.sampling", done.stderr)

    def test_evaluates_with_all_neighbours(self):
        # With dropout, which eval has none of, no sums are taken ahead, as with
        # sampling: bits are the same.
        whole = support.compile(
            support.GOLDEN / "sage-sum" / "specification.textproto",
            self.out / "whole",
            gnn__aggregation="MEAN",
            gnn__root_weight="true",
            gnn__dropout="0.5",
            gnn__graph=f'"{GRAPH}"',
        )
        weights = ["--init", support.GOLDEN / "sampled-sage" / "weights.safetensors"]
        texts = [
            support.run([executable, "eval", "--data", GRAPH, *weights]).stdout
            for executable in (self.one, whole)
        ]
        self.assertEqual(*texts)


AUDIT = """name: "audit"
gnn { layer: SAGE layers: 2 hidden: 16 graph: "graph.safetensors" }
training {
  steps: 60
  sampling { fan_out: [5, 3] batch: 16 }
  optimizer { kind: ADAM lr: 0.02 }
}
audit {
  setting: TSTF
  train_nodes_per_class: 20
  test_nodes: 60
  attack { hidden: [16] epochs: 20 }
  ablation: NO_EDGES
}
target { cpu { name: "native" threads: 1 } }
"""


class Audit(unittest.TestCase):
    def test_models_learn_from_samples_of_their_subgraphs(self):
        out = support.scratch("sampled-audit")
        tensors = block_model.block_model(
            nodes=500, classes=3, features=40, degree=5, homophily=0.7, seed=1
        )
        support.write_safetensors(out / "graph.safetensors", tensors)
        (out / "spec.textproto").write_text(AUDIT)
        executable = support.compile(out / "spec.textproto", out / "exe")
        reports = []
        for name, options in (("first", []), ("again", []), ("other", ["--seed", 5])):
            command = [executable, "audit", "--data", out / "graph.safetensors"]
            command += ["--seeds", 1, "--report", out / name, *options]
            support.run(command)
            reports.append((out / name / "report.json").read_bytes())
        self.assertEqual(reports[0], reports[1])
        self.assertNotEqual(reports[0], reports[2])
        (run,) = json.loads(reports[0])["runs"]
        for model in ("target", "shadow"):
            # A subgraph whose nodes were numbered wrongly teaches nothing.
            self.assertGreater(run[model]["train_accuracy"], 0.9)
            self.assertGreater(run[model]["test_accuracy"], 0.5)


if __name__ == "__main__":
    support.main()
