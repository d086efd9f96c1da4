# ===- test_dropout.py - What dropout draws depends on ---------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# The golden tests say that the draws are the documented ones. Here: on what they
# do not depend.
#
# ===----------------------------------------------------------------------===#

import re
import unittest

import support

GPT2 = support.HERE / "gpt2-small.textproto"
RATES = {"transformer__hidden_dropout": 0.2, "transformer__attention_dropout": 0.3}
GCN = support.GOLDEN / "gcn-dropout"


class Dropout(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.out = support.scratch("dropout")
        cls.data = support.repeated_text(cls.out / "text.txt", 1 << 16)

    def text_losses(self, name, world=1, options=(), env=None, **values):
        executable = support.compile(
            GPT2, self.out / name, parallel__world=world, **{**RATES, **values}
        )
        options = ["--steps", "6", *options]
        run_options = {"env": {**support.ENVIRONMENT, **env}} if env else {}
        log = support.train(
            executable, self.data, self.out / f"{name}.log", world, options, **run_options
        )
        return [(line["loss"], line["grad_norm"]) for line in log]

    def graph_losses(self, name, world=1, **values):
        executable = support.compile(
            GCN / "specification.textproto", self.out / name, parallel__world=world, **values
        )
        log = support.train(
            executable, GCN / "graph.safetensors", self.out / f"{name}.log", world
        )
        return [(line["loss"], line["grad_norm"]) for line in log]

    def check_near(self, losses, others):
        """The same draws, sums in another order: as without dropout."""
        self.assertLess(abs(losses[0][0] / others[0][0] - 1), 1e-6)
        for a, b in zip(losses, others):
            self.assertLess(abs(a[0] / b[0] - 1), 1e-4)

    def test_sparse_features_drop_what_dense_ones_would(self):
        example = support.EXAMPLES / "gcn-cora-dropout.textproto"
        losses = []
        for name, values in (("sparse", {}), ("dense", {"gnn__feature_entries": 0})):
            executable = support.compile(example, self.out / name, **values)
            log = self.out / f"{name}.log"
            run = support.train(executable, support.CORA, log, 1, ["--steps", "20"])
            losses.append([(line["loss"], line["grad_norm"]) for line in run])
        self.check_near(*losses)

    def test_stages_have_the_same_bits(self):
        for losses in (self.text_losses, self.graph_losses):
            stages = [
                losses(f"stage{stage}", 2, parallel__zero_stage=stage) for stage in range(4)
            ]
            for stage in (1, 2, 3):
                self.assertEqual(stages[0], stages[stage], f"stage {stage}")

    def test_recomputation_has_the_same_bits(self):
        for values in ({}, {"training__precision__compute": "BF16"}):
            kept, recomputed = (
                self.text_losses(f"recompute-{mode}", training__recompute=mode, **values)
                for mode in ("NONE", "LAYER")
            )
            self.assertEqual(kept, recomputed)

    def test_ranks_and_micro_batches_draw_the_same(self):
        one = self.text_losses("one")
        self.check_near(one, self.text_losses("two", 2))
        self.check_near(one, self.text_losses("parts", training__micro_batch=2))
        self.check_near(one, self.text_losses("both", 2, training__micro_batch=1))
        self.check_near(self.graph_losses("graph-one"), self.graph_losses("graph-two", 2))

    def test_threads_draw_the_same(self):
        one, two = (
            self.text_losses("threads", env={"OMP_NUM_THREADS": str(threads)})
            for threads in (1, 2)
        )
        self.check_near(one, two)

    def test_seeds_and_steps_draw_differently(self):
        """With one set of weights, whose learning rate is 0: only draws differ."""
        frozen = {"training__optimizer__lr": 0, "training__schedule__min_lr": 0}
        weights = self.out / "weights.safetensors"
        executable = support.compile(GPT2, self.out / "frozen", **RATES, **frozen)
        # A sample alone, so that each step reads the same tokens.
        data = self.out / "constant"
        data.write_bytes(b"a" * 2000)
        train = [executable, "train", "--data", data, "--steps"]
        support.run([*train, "1", "--save", weights])
        runs = []
        for seed in ("5", "6", "5"):
            log = self.out / f"frozen-{len(runs)}.log"
            options = ["--steps", "3", "--seed", seed, "--init", weights]
            runs.append(support.losses(support.train(executable, data, log, 1, options)))
        self.assertEqual(runs[0], runs[2])
        self.assertEqual(len(set(runs[0] + runs[1])), 6)

    def test_a_run_that_resumes_draws_what_it_would_have(self):
        whole = self.text_losses("whole")
        checkpoint = self.out / "checkpoints"
        stops = ["--checkpoint-dir", checkpoint, "--checkpoint-every", "3"]
        log = self.out / "resumed.log"
        executable = self.out / "whole"
        support.train(executable, self.data, log, 1, ["--steps", "3", *stops])
        support.train(executable, self.data, log, 1, ["--steps", "6", *stops, "--resume"])
        resumed = [(line["loss"], line["grad_norm"]) for line in support.read_log(log)]
        self.assertEqual(whole, resumed)

    def test_nothing_drops_in_evaluation(self):
        weights = self.out / "evaluated.safetensors"
        plain = support.compile(GPT2, self.out / "plain")
        dropping = support.compile(GPT2, self.out / "dropping", **RATES)
        support.run([plain, "train", "--data", self.data, "--steps", 3, "--save", weights])

        def outputs(executable):
            read = ["--init", weights]
            said = support.run([executable, "eval", "--data", self.data, *read]).stdout
            text = [executable, "generate", *read, "--prompt", "ab", "--max-tokens", "8"]
            return re.search(r"loss +\S+", said)[0], support.run(text).stdout

        self.assertEqual(outputs(plain), outputs(dropping))

    def test_a_rate_of_0_changes_nothing(self):
        model = ["--compile-to", "model", "-o", "-"]
        command = [support.TESSERA, "compile", GPT2, *model]
        zero = {key.replace("__", "."): 0 for key in RATES}

        def operations(options):
            # Without what the specification says, which travels with it.
            return re.sub(r"^module .*$", "", support.run(command + options).stdout, flags=re.M)

        self.assertEqual(operations([]), operations(support.settings(zero)))


if __name__ == "__main__":
    support.main()
