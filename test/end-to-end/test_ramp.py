# ===- test_ramp.py - A global batch that grows -----------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import math
import unittest

import support

SPECIFICATION = support.HERE / "gpt2-small.textproto"
WORLD, MICRO, GLOBAL = 2, 1, 8
START, INCREMENT, SAMPLES = 2, 2, 15
COMMON = {
    "transformer__layers": 1,
    "transformer__hidden": 48,
    "parallel__world": WORLD,
    "training__micro_batch": MICRO,
    "training__schedule__warmup_steps": 0,
    "training__schedule__kind": "CONSTANT",
}
RAMP = {
    "training__global_batch": GLOBAL,
    "training__batch_ramp__start": START,
    "training__batch_ramp__increment": INCREMENT,
    "training__batch_ramp__samples": SAMPLES,
}


def batches(steps):
    """The batch of each step: an increment after each third of the samples."""
    increments = (GLOBAL - START) // INCREMENT
    result, samples = [], 0
    for _ in range(steps):
        done = min(increments, math.floor(samples * increments / SAMPLES))
        result.append(START + done * INCREMENT)
        samples += result[-1]
    return result


class Ramp(unittest.TestCase):
    def setUp(self):
        self.out = support.scratch(f"ramp-{self._testMethodName}")
        self.data = support.repeated_text(self.out / "text.txt", 1 << 16)

    def train(self, executable, steps, *options):
        """A run that goes on from the folder's checkpoint, if it has one."""
        options = ["--steps", steps, "--seed", 3, *options]
        return support.train(executable, self.data, self.out / "log", WORLD, options)

    def facts(self, log):
        return [(line["step"], line["loss"], line["grad_norm"]) for line in log]

    def test_batches(self):
        executable = support.compile(SPECIFICATION, self.out / "exe", **COMMON, **RAMP)
        log = self.train(executable, 8)
        self.assertEqual([line["batch"] for line in log], batches(8))
        self.assertEqual(batches(8), [2, 2, 2, 4, 6, 8, 8, 8])
        info = support.run([executable, "info"]).stdout
        self.assertIn("2 samples at first, 2 more at a time, all after 15 samples", info)

    def test_same_as_batches_one_by_one(self):
        """Executables of fixed batches that go on from each other's checkpoints."""
        for stage in (1, 2):
            ramp = support.compile(
                SPECIFICATION,
                self.out / "ramp",
                parallel__zero_stage=stage,
                **COMMON,
                **RAMP,
            )
            whole = self.facts(self.train(ramp, 7))
            (self.out / "log").unlink()
            steps, parts = batches(7), []
            folder = self.out / f"checkpoints-{stage}"
            for end, batch in enumerate(steps, 1):
                if end < len(steps) and steps[end] == batch:
                    continue
                fixed = support.compile(
                    SPECIFICATION,
                    self.out / "fixed",
                    parallel__zero_stage=stage,
                    training__global_batch=batch,
                    **COMMON,
                )
                resume = ["--resume", "--allow", "training.global_batch"]
                log = self.train(fixed, end, "--checkpoint-dir", folder, *resume)
                parts = self.facts(log)
            self.assertEqual(parts, whole, f"stage {stage}")

    def test_resume_in_the_middle(self):
        executable = support.compile(
            SPECIFICATION, self.out / "exe", parallel__zero_stage=3, **COMMON, **RAMP
        )
        whole = self.facts(self.train(executable, 7))
        for middle in (1, 4, 5):
            folder = self.out / f"checkpoints-{middle}"
            self.train(executable, middle, "--checkpoint-dir", folder)
            log = self.train(executable, 7, "--checkpoint-dir", folder, "--resume")
            self.assertEqual(self.facts(log), whole, f"after step {middle}")

    def test_schedule_in_samples(self):
        schedule = {
            "training__schedule__kind": "COSINE",
            "training__schedule__warmup_samples": 10,
            "training__schedule__decay_samples": 30,
        }
        values = {
            key: value for key, value in COMMON.items() if "schedule" not in key
        }
        text = SPECIFICATION.read_text().replace("warmup_steps: 4 ", "")
        specification = self.out / "gpt2-small.textproto"
        specification.write_text(text)
        executable = support.compile(
            specification, self.out / "exe", **values, **schedule, **RAMP
        )
        samples, peak, least = 0, 1e-3, 1e-4
        for line in self.train(executable, 9):
            samples += line["batch"]
            share = min(1, (samples - 10) / 20)
            cosine = least + (peak - least) * (1 + math.cos(math.pi * share)) / 2
            expected = peak * samples / 10 if samples < 10 else cosine
            self.assertAlmostEqual(line["lr"], expected, delta=1e-9)


if __name__ == "__main__":
    support.main()
