# ===- test_precision.py - Training in 16 bits -----------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# training.precision: equal bits in all stages, PyTorch's autocast as the
# reference, and what a rank keeps.
#
# ===----------------------------------------------------------------------===#

import json
import math
import unittest

import support

SMALL = support.HERE / "gpt2-small.textproto"
STEPS = ["--steps", "12"]


def precision(compute, gradients="FP32"):
    return {
        "training__precision__compute": compute,
        "training__precision__gradients": gradients,
    }


class Precision(unittest.TestCase):
    def losses(self, name, world=1, stage=0, specification=SMALL, **values):
        out = support.scratch(f"precision-{name}")
        data = support.repeated_text(out / "text.txt", 1 << 16)
        executable = support.compile(
            specification,
            out / "exe",
            parallel__world=world,
            parallel__zero_stage=stage,
            **values,
        )
        return support.losses(support.train(executable, data, out / "log", world, STEPS))

    def check_stages(self, world, *types):
        whole = self.losses("stage", world, 0, **precision(*types))
        self.assertLess(whole[-1], whole[0])
        for stage in (1, 2, 3):
            losses = self.losses("stage", world, stage, **precision(*types))
            self.assertEqual(losses, whole, f"stage {stage}, {types}")

    def test_stages_bf16(self):
        self.check_stages(2, "BF16")

    def test_stages_bf16_gradients(self):
        self.check_stages(4, "BF16", "BF16")

    def test_stages_fp16(self):
        self.check_stages(2, "FP16", "FP16")

    def test_weights_beyond_the_type_are_refused(self):
        """65519 is rounded to FP16's largest number, 65520 is not."""
        out = support.scratch("precision-large-weights")
        data = support.repeated_text(out / "text.txt", 1 << 16)
        executable = support.compile(SMALL, out / "exe", **precision("FP16"))
        weights = out / "weights.safetensors"
        train = [executable, "train", "--data", data, "--steps", "0"]
        support.run([*train, "--save", weights])
        tensors = support.read_safetensors(weights)
        name = "wpe.weight"
        columns = tensors[name][0][1]
        for value, code in ((65519, 0), (65520, 1)):
            tensors[name][1][2 * columns + 3] = value
            entries = {n: ("F32", *tensor) for n, tensor in tensors.items()}
            support.write_safetensors(weights, entries)
            done = support.run([*train, "--init", weights], check=False)
            self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(
            f"element [2, 3] of tensor '{name}' of '{weights}' is 65520: FP16 holds numbers "
            "up to 65504; compile with training.precision.compute BF16 or FP32",
            done.stderr,
        )

    def test_near_single_precision(self):
        single = self.losses("single")
        for compute, tolerance in (("BF16", 3e-3), ("FP16", 5e-4)):
            losses = self.losses("near", **precision(compute))
            self.assertNotEqual(losses, single)
            for a, b in zip(losses, single):
                self.assertLess(abs(a / b - 1), tolerance, compute)

    def check_autocast(self, name):
        """Losses and gradients are as near to the truth as PyTorch's are."""
        folder = support.GOLDEN / name
        expected = json.loads((folder / "expected.json").read_text())
        reference = expected["bfloat16_autocast"]
        out = support.scratch(f"precision-{name}")
        executable = support.compile(
            folder / "specification.textproto", out / "exe", **precision("BF16")
        )
        init = ["--init", folder / "weights.safetensors"]
        log = support.train(executable, support.golden_tokens(folder), out / "log", 1, init)
        for a, b in zip(support.losses(log), reference["losses"]):
            self.assertLess(abs(a / b - 1), 1e-2)
        command = [executable, "grads", "--data", support.golden_tokens(folder), *init]
        support.run(command + ["--out", out / "gradients.safetensors"])
        actual = support.read_safetensors(out / "gradients.safetensors")
        single = support.read_safetensors(folder / "gradients.safetensors")
        ratios = []
        for parameter, distance in reference["gradients_from_float64"].items():
            own = support.relative_distance(actual[parameter][1], single[parameter][1])
            self.assertLess(own, 3 * distance + 1e-3, parameter)
            ratios.append(math.log(own / distance))
        mean = math.exp(sum(ratios) / len(ratios))
        print(f"{name}: gradients are {mean:.2f} times as far off as PyTorch's")
        self.assertLess(mean, 1.5)

    def test_autocast_bloom(self):
        self.check_autocast("bloom-3-heads")

    def test_autocast_gpt2(self):
        self.check_autocast("gpt2-4-heads")

    def test_autocast_qwen3(self):
        self.check_autocast("qwen3")

    def test_loss_scale(self):
        """It falls from a first value that overflows; steps are skipped alike."""
        values = {
            **precision("FP16"),
            "training__precision__loss_scale__initial": 2.0**40,
            "training__precision__loss_scale__window": 5,
            "training__precision__loss_scale__hysteresis": 1,
        }
        logs = []
        for stage in (0, 3):
            out = support.scratch("precision-scale")
            data = support.repeated_text(out / "text.txt", 1 << 16)
            executable = support.compile(
                SMALL, out / "exe", parallel__world=2, parallel__zero_stage=stage, **values
            )
            options = ["--steps", "40"]
            checkpoint = ["--checkpoint-dir", out / "c", "--resume"]
            whole = support.train(executable, data, out / "log", 2, options)
            # The scale goes on as it was.
            support.train(executable, data, out / "own", 2, ["--steps", "25", *checkpoint])
            resumed = support.train(executable, data, out / "own", 2, options + checkpoint)
            keys = ("step", "loss", "loss_scale")
            logs.append([[line[key] for key in keys] for line in whole])
            self.assertEqual([[line[key] for key in keys] for line in resumed], logs[-1])
        self.assertEqual(logs[0], logs[1])
        skipped = [line.get("skipped", False) for line in whole]
        self.assertTrue(all(skipped[:5]))
        trained = [line["loss"] for line in whole if not line.get("skipped")]
        self.assertGreater(len(trained), 10)
        self.assertLess(trained[-1], trained[0])
        scales = [line["loss_scale"] for line in whole]
        self.assertEqual(scales[1], scales[0] / 2)
        self.assertIn(True, [b == 2 * a for a, b in zip(scales, scales[1:])])

    def test_resume(self):
        """To the bit; and in another precision from the masters."""
        out = support.scratch("precision-resume")
        data = support.repeated_text(out / "text.txt", 1 << 16)
        executables = {
            compute: support.compile(
                SMALL,
                out / compute,
                parallel__world=2,
                parallel__zero_stage=stage,
                **precision(compute),
            )
            for compute, stage in (("BF16", 2), ("FP32", 3))
        }
        whole = support.losses(
            support.train(executables["BF16"], data, out / "whole", 2, STEPS)
        )
        checkpoint = ["--checkpoint-dir", out / "c", "--resume"]
        support.train(
            executables["BF16"], data, out / "log", 2, ["--steps", "7", *checkpoint]
        )
        support.run(["cp", "-r", out / "c", out / "d"])
        log = support.train(executables["BF16"], data, out / "log", 2, STEPS + checkpoint)
        self.assertEqual(support.losses(log), whole)
        checkpoint[1] = out / "d"
        log = support.train(
            executables["FP32"], data, out / "other", 2, STEPS + checkpoint
        )
        self.assertEqual([line["step"] for line in log], list(range(8, 13)))
        for a, b in zip(support.losses(log), whole[7:]):
            self.assertLess(abs(a / b - 1), 3e-3)

    def test_model_states(self):
        """16 bytes per parameter: 2 and 2 or 4 of gradients, and 12 in fp32."""
        for types, gradient in ((("BF16", "BF16"), 2), (("FP16",), 4)):
            for stage in range(4):
                plan = support.plan(
                    SMALL,
                    parallel__world=4,
                    parallel__zero_stage=stage,
                    **precision(*types),
                )
                single = support.plan(SMALL, parallel__world=4, parallel__zero_stage=stage)
                memory, other = plan["memory"], single["memory"]
                expected = {
                    "parameters": other["parameters"] / 2,
                    "gradients": other["gradients"] * gradient / 4,
                    # The moments, and a master of half their size.
                    "optimizer": other["optimizer"] * 3 / 2,
                }
                # A state of a group fills whole cache lines.
                for category, size in expected.items():
                    self.assertGreaterEqual(memory[category], size)
                    self.assertLess(memory[category], size + 64 * len(plan["groups"]))
                self.assertLess(memory["activations"], 0.6 * other["activations"])


if __name__ == "__main__":
    support.main()
