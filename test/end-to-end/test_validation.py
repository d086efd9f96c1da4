# ===- test_validation.py - Measuring while a run trains -------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# `train --eval-data`: val_loss and val_accuracy are those of `eval`, as are those of a
# graph's splits, steps are not disturbed, and a resumed run chooses and stops as one that
# was never interrupted.

import os
import random
import re
import signal
import subprocess
import time
import unittest

import support

SMALLER = {
    "transformer__layers": 2,
    "transformer__hidden": 64,
    "transformer__sequence_length": 64,
    "training__global_batch": 4,
    "training__micro_batch": 2,
    "training__schedule__kind": "CONSTANT",
    "training__optimizer__lr": 0.02,
}
FORMS = {
    "one": {"parallel__world": 1},
    "one-bf16": {"parallel__world": 1, "training__precision__compute": "BF16"},
    "one-offload": {"parallel__world": 1, "parallel__offload": "OPTIMIZER"},
    "stage-0": {"parallel__world": 2, "parallel__zero_stage": 0},
    "stage-1": {"parallel__world": 2, "parallel__zero_stage": 1},
    "stage-2": {"parallel__world": 2, "parallel__zero_stage": 2},
    "stage-3": {"parallel__world": 2, "parallel__zero_stage": 3},
    "quantized": {
        "parallel__world": 2,
        "parallel__zero_stage": 3,
        "parallel__quantized_gathers": 1,
    },
}


class Validation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.out = support.scratch("validation")
        # Little to learn from and a high rate: what is learned is soon too much.
        text = support.repeated_text(cls.out / "all", 60000).read_bytes()
        cls.data, cls.held = cls.out / "data.txt", cls.out / "held.txt"
        cls.data.write_bytes(text[:330])
        cls.held.write_bytes(text[30000:31000])
        cls.executables = {}

    def executable(self, form):
        if form not in self.executables:
            self.executables[form] = support.compile(
                support.EXAMPLES / "bloom-tiny.textproto",
                self.out / f"exe-{form}",
                **SMALLER,
                **FORMS[form],
            )
        return self.executables[form]

    def command(self, form, name, *options):
        command = support.launcher(FORMS[form]["parallel__world"]) + [self.executable(form), "train"]
        command += ["--data", self.data, "--log", self.out / f"{name}.log", *options]
        return [str(part) for part in command]

    def train(self, form, name, *options, **run_options):
        done = support.run(self.command(form, name, *options), **run_options)
        return support.read_log(self.out / f"{name}.log"), done

    def validated(self, *options):
        return ["--eval-data", self.held, *options]

    def evaluate(self, form, weights, *options):
        """The loss; the accuracy, as it is printed, in self.accuracy."""
        command = [self.executable(form), "eval", "--data", self.held, "--init", weights]
        said = support.run([*command, *options]).stdout
        self.accuracy = re.search(r"^accuracy +(\S+)", said, re.M)[1]
        return float(re.search(r"^loss +(\S+)", said, re.M)[1])

    def test_losses(self):
        """Of eval, on any ranks and in any stage; and steps are those without."""
        for form in FORMS:
            with self.subTest(form):
                weights = self.out / f"{form}.safetensors"
                plain, _ = self.train(form, f"{form}-plain", "--steps", 6)
                options = ["--eval-every", 2, "--steps", 5, "--save", weights]
                log, done = self.train(form, form, *self.validated(*options))
                self.assertEqual(support.losses(log), support.losses(plain)[:5])
                self.assertEqual([line["step"] for line in log if "val_loss" in line], [2, 4, 5])
                self.assertIn(f"val_loss {log[-1]['val_loss']:.9g}", done.stdout)
                self.assertRegex(done.stdout, r"validation +every 2 steps on 15 samples of")
                expected = self.evaluate(form, weights)
                self.check_loss(form, log[-1]["val_loss"], expected)
                if form != "quantized":
                    self.assertEqual(f"{log[-1]['val_accuracy']:.6f}", self.accuracy)
                # Fewer samples than a round of all ranks has, and not whole batches.
                for count in (1, 3, 7):
                    options = ["--steps", 5, "--eval-samples", count]
                    log, _ = self.train(form, f"{form}-{count}", *self.validated(*options))
                    expected = self.evaluate(form, weights, "--samples", count)
                    self.check_loss(form, log[-1]["val_loss"], expected)

    def check_loss(self, form, loss, expected):
        if FORMS[form]["parallel__world"] == 1:
            self.assertEqual(loss, expected)
        elif form != "quantized":  # where eval has parameters as they are
            self.assertLess(abs(loss / expected - 1), 1e-6)
        else:
            self.assertLess(abs(loss / expected - 1), 0.05)

    def test_memory_is_the_trainings(self):
        for form in ("one", "stage-3"):
            manifest = support.json.loads(support.run([self.executable(form), "info", "--json"]).stdout)
            programs = manifest["programs"]
            self.assertEqual(programs["validate"]["within"], "train")
            self.assertLessEqual(
                programs["validate"]["arena_bytes"], programs["train"]["arena_bytes"]
            )
            states = {
                state["group"]: state["offset"]
                for state in programs["train"]["states"]
                if state["state"] == "parameter"
            }
            for state in programs["validate"]["states"]:
                self.assertEqual(state["offset"], states[state["group"]])

    def best_of(self, log):
        losses = {line["step"]: line["val_loss"] for line in log if "val_loss" in line}
        return min(losses, key=losses.get), losses

    def test_the_best_is_kept(self):
        for form, more in (("one", []), ("stage-3", ["--checkpoint-async"])):
            with self.subTest(form):
                checkpoints = self.out / f"best-{form}"
                options = ["--steps", 60, "--eval-every", 3, "--checkpoint-every", 10, "--keep-best"]
                options += ["--checkpoint-dir", checkpoints, *more]
                log, done = self.train(form, f"best-{form}", *self.validated(*options))
                best, losses = self.best_of(log)
                self.assertLess(best, 50)
                self.assertIn(f"best: val_loss {losses[best]:.9g} after step {best}, in", done.stdout)
                self.assertEqual(os.readlink(checkpoints / "best"), f"step-{best:012d}")
                folders = sorted(path.name for path in checkpoints.glob("step-*"))
                self.assertEqual(folders, [f"step-{step:012d}" for step in (best, 50, 60)])
                loss = self.evaluate(form, checkpoints / "best")
                self.assertLess(abs(loss / losses[best] - 1), 1e-6)

    def test_patience_and_resuming(self):
        for form in ("one", "stage-3"):
            with self.subTest(form):
                options = ["--eval-every", 3, "--patience", 3, "--keep-best", "--checkpoint-every", 4]
                options = self.validated("--steps", 200, *options)
                whole = self.out / f"whole-{form}"
                log, done = self.train(form, f"whole-{form}", *options, "--checkpoint-dir", whole)
                best, losses = self.best_of(log)
                last = log[-1]["step"]
                self.assertEqual(last, best + 9)
                self.assertIn(f"ended early: no measurement since step {best} was better", done.stdout)
                # It stays at its end.
                again, _ = self.train(form, f"whole-{form}", *options, "--checkpoint-dir", whole, "--resume")
                self.assertEqual(len(again), len(log))
                for attempt in range(3):
                    self.check_resumed(form, attempt, options, best, losses, last)

    def check_resumed(self, form, attempt, options, best, losses, last):
        """A run that signals interrupt at any time, until it ends by itself."""
        draw = random.Random(f"{form}-{attempt}")
        name = f"cut-{form}-{attempt}"
        options = [*options, "--checkpoint-dir", self.out / name]
        resume = []
        for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM):
            steps = draw.randrange(1, last)
            command = self.command(form, name, *options, *resume)
            process = subprocess.Popen(
                command, env=support.ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            path = self.out / f"{name}.log"
            while process.poll() is None:
                if path.exists() and len(path.read_bytes().splitlines()) >= steps:
                    break
                time.sleep(0.002)
            for rank in support.processes(self.executable(form)):
                try:
                    os.kill(rank, number)
                except ProcessLookupError:
                    pass
            process.wait()
            resume = ["--resume"]
        log, _ = self.train(form, name, *options, *resume)
        self.assertEqual(log[-1]["step"], last)
        self.assertEqual(self.best_of(log), (best, losses))
        self.assertEqual(os.readlink(self.out / name / "best"), f"step-{best:012d}")

    def test_other_data(self):
        checkpoints = self.out / "other"
        options = ["--eval-every", 2, "--checkpoint-dir", checkpoints]
        self.train("one", "other", *self.validated(*options, "--steps", 4))
        done = support.run(
            self.command("one", "other", "--eval-data", self.data, *options, "--steps", 6, "--resume")
        )
        self.assertIn("what was best there is forgotten", done.stderr)
        # Measured anew, as nothing is known of the step that it goes on from.
        log = support.read_log(self.out / "other.log")
        self.assertEqual([line["step"] for line in log if "val_loss" in line], [2, 4, 4, 6])

    def test_refusals(self):
        def refused(text, *options):
            done = support.run(self.command("one", "refused", "--steps", 1, *options), check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(text, done.stderr)
            self.assertFalse((self.out / "refused.log").exists())

        refused("give --eval-data PATH", "--patience", 2)
        refused("--keep-best needs --checkpoint-dir", *self.validated("--keep-best"))
        refused("No such file", "--eval-data", self.out / "none")
        refused("--eval-every takes an integer of at least 1", *self.validated("--eval-every", 0))
        short = self.out / "short.txt"
        short.write_text("x" * 64)
        refused("one sample takes 65", "--eval-data", short)
        log = self.out / "refused.log"
        refused("is the data", *self.validated("--save", self.held))
        self.assertFalse(log.exists())


GCN = support.GOLDEN / "gcn"
SAMPLED = support.GOLDEN / "sampled-sage"
GRAPH_FORMS = {
    "whole": (GCN, {}),
    # What no training node needs is left out in training, not in validation.
    "one-layer": (GCN, {"gnn__layers": 1}),
    "every": (GCN, {"gnn__train_nodes": 0}),
    "no-features-ahead": (GCN, {"gnn__dropout": 0.25}),
    "gat": (support.GOLDEN / "gat", {}),
    "stage-0": (GCN, {"parallel__world": 2, "parallel__zero_stage": 0}),
    "stage-3": (GCN, {"parallel__world": 2, "parallel__zero_stage": 3}),
    "offload": (GCN, {"parallel__offload": "OPTIMIZER"}),
    "sampled": (SAMPLED, {}),
    "sampled-2": (SAMPLED, {"parallel__world": 2, "parallel__zero_stage": 2, "training__sampling__batch": 3}),
}
SPLITS = ("train", "val", "test")


class GraphValidation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.out = support.scratch("graph-validation")
        cls.executables = {}

    def executable(self, form):
        if form not in self.executables:
            folder, fields = GRAPH_FORMS[form]
            self.executables[form] = support.compile(
                folder / "specification.textproto", self.out / f"exe-{form}", **fields
            )
        return self.executables[form]

    def data(self, form):
        return GRAPH_FORMS[form][0] / "graph.safetensors"

    def train(self, form, name, *options, **run_options):
        world = GRAPH_FORMS[form][1].get("parallel__world", 1)
        command = support.launcher(world) + [self.executable(form), "train"]
        log = self.out / f"{name}.log"
        command += ["--data", self.data(form), "--log", log, "--seed", 3, *options]
        done = support.run([str(part) for part in command], **run_options)
        return (support.read_log(log) if log.exists() else []), done

    def evaluate(self, form, weights):
        command = [self.executable(form), "eval", "--data", self.data(form), "--init", weights]
        said = support.run(command).stdout
        return dict(
            (split, (loss, accuracy))
            for split, loss, accuracy in re.findall(r"^(\w+) +loss (\S+) +accuracy (\S+)", said, re.M)
        )

    def test_scores(self):
        """Of eval, on any ranks and however little training reads; and steps are
        those without."""
        for form in GRAPH_FORMS:
            with self.subTest(form):
                weights = self.out / f"{form}.safetensors"
                plain, _ = self.train(form, f"{form}-plain", "--steps", 6)
                options = ["--eval-every", 2, "--steps", 5, "--save", weights]
                log, done = self.train(form, form, *options)
                self.assertEqual(support.losses(log), support.losses(plain)[:5])
                self.assertEqual([line["step"] for line in log if "val_loss" in line], [2, 4, 5])
                self.assertRegex(done.stdout, "validation +every 2 steps on the splits of the graph")
                expected = self.evaluate(form, weights)
                self.assertEqual(set(expected), set(SPLITS))
                for split, (loss, accuracy) in expected.items():
                    measured = log[-1][f"{split}_loss"]
                    if "parallel__world" not in GRAPH_FORMS[form][1]:
                        self.assertEqual(f"{measured:.9g}", loss)
                    self.assertLess(abs(measured / float(loss) - 1), 1e-6)
                    self.assertEqual(f"{log[-1][f'{split}_accuracy']:.6f}", accuracy)

    def test_memory(self):
        """Of a whole graph what training has is enough; else the plan says how much
        more it is, and only a run that validates takes it."""
        for form in ("every", "whole", "sampled"):
            with self.subTest(form):
                programs = support.json.loads(
                    support.run([self.executable(form), "info", "--json"]).stdout
                )["programs"]
                train, validate = programs["train"], programs["validate"]
                self.assertEqual(validate["within"], "train")
                more = validate["arena_bytes"] - train["arena_bytes"]
                folder, fields = GRAPH_FORMS[form]
                planned = support.plan(folder / "specification.textproto", **fields)
                self.assertEqual(planned["peak_bytes"], train["arena_bytes"])
                self.assertEqual(planned["validating_bytes"], validate["arena_bytes"] if more > 0 else 0)
                info = support.run([self.executable(form), "info"]).stdout
                self.assertEqual("validating" in info, more > 0)
                self.assertEqual(more > 0, form != "every")
                _, plain = self.train(form, f"memory-{form}", "--steps", 1)
                _, done = self.train(form, f"memory-{form}-2", "--steps", 1, "--eval-every", 1)
                arenas = [re.search(r"arena +(\S+ \S+) per rank", d.stdout)[1] for d in (plain, done)]
                self.assertEqual(arenas[0] != arenas[1], more > 0)

    def test_best_patience_and_resuming(self):
        for form in ("whole", "stage-3", "sampled"):
            with self.subTest(form):
                # A rate at which the loss soon rises.
                self.executables[form] = support.compile(
                    GRAPH_FORMS[form][0] / "specification.textproto",
                    self.out / f"exe-fast-{form}",
                    **GRAPH_FORMS[form][1],
                    training__optimizer__lr=0.5,
                )
                options = ["--steps", 300, "--eval-every", 2, "--patience", 3, "--keep-best"]
                options += ["--checkpoint-every", 5, "--checkpoint-dir"]
                log, done = self.train(form, f"best-{form}", *options, self.out / f"c-{form}")
                losses = {line["step"]: line["val_loss"] for line in log if "val_loss" in line}
                best = min(losses, key=losses.get)
                self.assertEqual(log[-1]["step"], best + 6)
                self.assertIn(f"ended early: no measurement since step {best} was better", done.stdout)
                self.assertEqual(os.readlink(self.out / f"c-{form}" / "best"), f"step-{best:012d}")
                loss, _ = self.evaluate(form, self.out / f"c-{form}" / "best")["val"]
                self.assertLess(abs(float(loss) / losses[best] - 1), 1e-6)
                # Ended on the way, it goes on to the same end: the last step is always
                # measured, and so must be one that the whole run measures.
                cut = [*options, self.out / f"cut-{form}"]
                for steps in (2, best + 2):
                    cut[1] = steps
                    self.train(form, f"cut-{form}", *cut, *(["--resume"] if steps > 2 else []))
                cut[1] = 300
                again, _ = self.train(form, f"cut-{form}", *cut, "--resume")
                found = {line["step"]: line["val_loss"] for line in again if "val_loss" in line}
                self.assertEqual({step: found[step] for step in losses}, losses)
                self.assertEqual(again[-1]["step"], best + 6)
                self.assertEqual(os.readlink(self.out / f"cut-{form}" / "best"), f"step-{best:012d}")
                del self.executables[form]

    def test_refusals(self):
        def refused(text, *options, data=None):
            done = support.run(
                [self.executable("whole"), "train", "--data", data or self.data("whole"), *options],
                check=False,
            )
            self.assertEqual(done.returncode, 1)
            self.assertIn(text, done.stderr)

        refused("--eval-data is of no use", "--eval-data", self.data("whole"))
        refused("--eval-samples is of no use", "--eval-samples", 3)
        tensors = {
            name: ({8: "I64", 1: "BOOL"}.get(values.itemsize, "F32"), shape, values)
            for name, (shape, values) in support.read_safetensors(self.data("whole")).items()
        }
        kind, shape, values = tensors["val_mask"]
        tensors["val_mask"] = (kind, shape, type(values)(values.typecode, [0] * len(values)))
        bare = self.out / "bare.safetensors"
        support.write_safetensors(bare, tensors)
        refused("has no nodes for validation (val_mask)", "--patience", 2, data=bare)
        options = ["--eval-every", 1, "--steps", 1]
        done = support.run([self.executable("whole"), "train", "--data", bare, *options])
        self.assertIn("test_accuracy", done.stdout)
        self.assertNotIn("val_loss", done.stdout)


if __name__ == "__main__":
    support.main()
