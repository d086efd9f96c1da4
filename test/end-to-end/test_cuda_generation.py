# ===- test_cuda_generation.py - Texts by GPUs, on doubles -----------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# The programs that write from a cache, and the scores of texts, against those of CPUs.
#
# ===----------------------------------------------------------------------===#

import json
import math
import unittest

import support
import test_generation as texts
from doubles import Executable


class Generation(unittest.TestCase):
    """The programs that write from a cache, against those of CPUs."""

    def check_logits(self, name, precision, tolerance):
        out = support.scratch(f"cuda-logits-{name}-{precision}")
        specification = out / "specification.textproto"
        specification.write_text(texts.MODELS[name] + texts.TRAINING)
        values = {"training__precision__compute": precision, "generation__batch": 3}
        cpu = texts.logits_executable(out, "cpu", specification.read_text(), **values)
        gpu = Executable(specification, out / "gpu", texts.logits_environment(out), **values)

        def logits(lines, order="lazy"):
            return texts.logits(gpu.path, lines, FAKE_CUDA_ORDER=order, **gpu.doubles("logits"))

        first, second = texts.text(1, 40), texts.text(2, 9)
        more = texts.text(3, 4)
        lines = [texts.append(0, first), texts.append(2, second)]
        lines += [texts.step([(2, token), (0, token)]) for token in more]
        rows = logits(lines)
        for row, expected in zip(rows, texts.logits(cpu, lines), strict=True):
            row, expected = texts.numbers(row), texts.numbers(expected)
            worst = max(abs(a - b) for a, b in zip(row, expected, strict=True))
            self.assertLess(worst, tolerance)
        self.assertEqual(rows, logits(lines, "eager"))
        # Alone, and in another slot that has had another text.
        lines = [texts.append(1, second), "clear 1", texts.append(1, first)]
        lines += [texts.step([(1, token)]) for token in more]
        alone = logits(lines)[1:]
        self.assertEqual(alone, [rows[0], *rows[3::2]])

    def test_logits(self):
        for name in texts.MODELS:
            with self.subTest(name):
                self.check_logits(name, "FP32", 1e-5)

    def test_logits_in_16_bits(self):
        for name, precision in (("bloom", "FP16"), ("gpt2", "BF16"), ("mistral", "BF16")):
            with self.subTest(name):
                self.check_logits(name, precision, 0.05)

    def test_text(self):
        """Two models in one executable: what one has trained the other writes with."""
        out = support.scratch("cuda-texts")
        data = support.repeated_text(out / "text.txt", 1 << 14)
        specification = out / "specification.textproto"
        specification.write_text(texts.MODELS["mistral"] + texts.TRAINING)
        fields = {
            "transformer__vocabulary": 256,
            "transformer__sequence_length": 32,
            "training__global_batch": 4,
            "generation__batch": 2,
        }
        gpu = Executable(specification, out / "gpu", **fields)
        cpu = support.compile(specification, out / "cpu", **fields)
        weights = out / "weights.safetensors"
        gpu.train(data, out / "log", options=["--steps", "8", "--save", weights])
        prompts = out / "prompts.jsonl"
        prompts.write_text('{"prompt": "This "}\n{"prompt": "a"}\n{"prompt": "and so on"}\n')
        command = ["generate", "--init", weights, "--prompts", prompts, "--max-tokens", "12"]
        gpu.run([*command, "--out", out / "gpu.jsonl"])
        support.run([cpu, *command, "--out", out / "cpu.jsonl"])
        self.assertEqual((out / "gpu.jsonl").read_text(), (out / "cpu.jsonl").read_text())
        self.check_scores(gpu, cpu, weights, out)
        self.check_pinned(gpu, specification, fields)

    def check_scores(self, gpu, cpu, weights, out):
        known = out / "known.jsonl"
        # One in two windows.
        known.write_text('{"text": "This is"}\n{"text": "a text of forty characters, or a few more."}\n')
        command = ["score", "--init", weights, "--texts", known, "--logprobs", "5"]
        gpu.run([*command, "--out", out / "gpu.jsonl"])
        support.run([cpu, *command, "--out", out / "cpu.jsonl"])
        lines, others = (
            [json.loads(line) for line in (out / name).read_text().splitlines()]
            for name in ("gpu.jsonl", "cpu.jsonl")
        )
        self.assertEqual(len(lines), 2)
        for line, other in zip(lines, others, strict=True):
            for mine, theirs in zip(line["logprobs"], other["logprobs"], strict=True):
                self.assertEqual(mine["id"], theirs["id"])
                for one, two in zip([mine, *mine["top"]], [theirs, *theirs["top"]], strict=True):
                    self.assertAlmostEqual(one["logprob"], two["logprob"], delta=1e-5)

    def check_pinned(self, gpu, specification, fields):
        """The plan states what all programs pin: their inputs, twice, and what all
        programs do."""
        values = {"target__cuda__arch": "sm_90a", **fields}
        training, generation = support.plans(specification, **values)
        manifests = json.loads(support.run([gpu.path, "info", "--json"]).stdout)

        def inputs(manifest, *programs):
            return sum(
                2 * int(slot["type"][1:]) // 8 * math.prod(slot["shape"])
                for program in programs
                for slot in manifest["programs"][program]["inputs"]
                if slot["when"] != "load"
            )

        bounce = training["pinned_bytes"] - inputs(manifests[0], "train")
        expected = bounce + inputs(manifests[1], "prefill", "decode", "score")
        self.assertEqual(generation["pinned_bytes"], expected)


if __name__ == "__main__":
    support.main()
