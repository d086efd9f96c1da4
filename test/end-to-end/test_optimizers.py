# ===- test_optimizers.py - Each optimizer against PyTorch's own ------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# test/golden/generate_optimizers.py says how the expected losses came about.
# Lion's steps hang on signs, which rounding changes near zero: on given gradients
# it is compared in test/codegen/cpu/OptimizerTest.cpp.
#
# ===----------------------------------------------------------------------===#

import json
import re
import unittest

import support

MODEL = support.GOLDEN / "bloom-4-heads"
DATA = support.golden_tokens(MODEL)
INIT = ["--init", MODEL / "weights.safetensors"]
RUNS = json.loads((support.GOLDEN / "optimizers" / "losses.json").read_text())["runs"]
LION = {"kind": "lion", "lr": 1e-3, "beta2": 0.95, "weight_decay": 0.1}


def as_text(value):
    """A value as the text format has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, str) else repr(value)


def fields(values):
    return " ".join(f"{key}: {as_text(value)}" for key, value in values.items())


def specification(path, optimizer):
    """bloom-4-heads with another optimizer, as a file at `path`."""
    rest = {k: v for k, v in optimizer.items() if k not in ("kind", "groups", "losses")}
    groups = "".join(f" groups {{ {fields(g)} }}" for g in optimizer.get("groups", []))
    text = (MODEL / "specification.textproto").read_text()
    new = f"optimizer {{ kind: {optimizer['kind'].upper()} {fields(rest)}{groups} }}"
    text, count = re.subn(r"optimizer \{[^}]*\}", lambda _: new, text)
    assert count == 1
    path.write_text(text)
    return path


def layouts():
    """(ranks, stage)."""
    return [(1, 0), (2, 0), (2, 1), (2, 2), (2, 3)]


class Optimizers(unittest.TestCase):
    def compile(self, name, optimizer, world=1, stage=0, **values):
        out = support.scratch(f"optimizers-{name}-{world}-{stage}")
        return support.compile(
            specification(out / "specification.textproto", optimizer),
            out / "exe",
            parallel__world=world,
            parallel__zero_stage=stage,
            **values,
        )

    def train(self, executable, world, *options, log="log"):
        path = executable.parent / log
        return support.losses(support.train(executable, DATA, path, world, options))

    def check(self, name):
        expected = RUNS[name]["losses"]
        for world, stage in layouts():
            executable = self.compile(name, RUNS[name], world, stage)
            losses = self.train(executable, world, *INIT)
            self.assertEqual(len(losses), len(expected))
            for step, (loss, reference) in enumerate(zip(losses, expected)):
                where = f"step {step + 1}, {world} ranks, stage {stage}"
                self.assertLess(abs(loss / reference - 1), 1e-5, where)

    def test_adam(self):
        self.check("adam")

    def test_sgd(self):
        self.check("sgd")

    def test_sgd_momentum(self):
        self.check("sgd-momentum")

    def test_sgd_nesterov(self):
        self.check("sgd-nesterov")

    def test_adamw_groups(self):
        self.check("adamw-groups")

    def test_lion_is_the_same_at_all_stages(self):
        losses = {
            layout: self.train(self.compile("lion", LION, *layout), layout[0], *INIT)
            for layout in layouts()
        }
        for stage in (1, 2, 3):
            self.assertEqual(losses[2, stage], losses[2, 0], f"stage {stage}")
        self.assertLess(losses[2, 0][-1], losses[2, 0][0] - 0.1)
        self.assertLess(abs(losses[2, 0][0] / losses[1, 0][0] - 1), 1e-6)

    def test_lion_offloaded(self):
        whole = self.compile("lion-memory", LION)
        offloaded = self.compile("lion-file", LION, parallel__offload="OPTIMIZER")
        options = [*INIT, "--offload-dir", offloaded.parent]
        self.assertEqual(self.train(offloaded, 1, *options), self.train(whole, 1, *INIT))

    def test_sgd_resumes_at_another_stage(self):
        """Without momentum a checkpoint has weights alone."""
        first = self.compile("sgd-resume", RUNS["sgd"], 2, 1)
        second = self.compile("sgd-resume", RUNS["sgd"], 2, 3)
        whole = self.train(first, 2, *INIT, log="whole")
        folder = first.parent / "checkpoints"
        save = ["--checkpoint-dir", folder, "--checkpoint-every", 8]
        self.train(first, 2, *INIT, *save, "--steps", 8)
        index = json.loads(next(folder.glob("step-*/checkpoint.json")).read_text())
        states = {piece[0] for file in index["files"] for piece in file["pieces"]}
        self.assertEqual(states, {"weight"})
        resumed = self.train(second, 2, *save, "--resume", "--steps", 20)
        self.assertEqual(resumed, whole[8:])

    def test_refuses_the_checkpoint_of_another_optimizer(self):
        sgd = self.compile("refused-sgd", RUNS["sgd-momentum"])
        folder = sgd.parent / "checkpoints"
        save = ["--checkpoint-dir", folder, "--checkpoint-every", 5]
        self.train(sgd, 1, *INIT, *save, "--steps", 5)
        lion = self.compile("refused-lion", LION)
        command = [lion, "train", "--data", DATA, "--order", "sequential", *save, "--resume"]
        done = support.run(command, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("training.optimizer.kind is SGD there and LION here", done.stderr)
        allow = [
            option
            for name in re.findall(r"--allow (\S+)", done.stderr)
            for option in ("--allow", name)
        ]
        done = support.run(command + allow, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("has no 'exp_avg' of its parameters", done.stderr)

    def test_plans_hold_the_states_alone(self):
        out = support.scratch("optimizers-plan")
        bytes_of = {}
        for name, optimizer in (
            ("adam", RUNS["adam"]),
            ("lion", LION),
            ("sgd", RUNS["sgd"]),
            ("sgd-momentum", RUNS["sgd-momentum"]),
        ):
            plan = support.plan(specification(out / f"{name}.textproto", optimizer))
            bytes_of[name] = plan["memory"]["optimizer"]
        self.assertEqual(bytes_of["sgd"], 0)
        self.assertGreater(bytes_of["lion"], 0)
        self.assertEqual(bytes_of["sgd-momentum"], bytes_of["lion"])
        self.assertEqual(bytes_of["adam"], 2 * bytes_of["lion"])


if __name__ == "__main__":
    support.main()
