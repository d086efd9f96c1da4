# ===- test_offload.py - Optimizer states in a file ------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import os
import resource
import subprocess
import unittest

import support

BLOOM = support.EXAMPLES / "bloom-tiny.textproto"
# 19 million parameters: 152 MB of moments in 10 groups of 13 MB at most.
LARGE = {
    "transformer__layers": 6,
    "transformer__hidden": 512,
    "transformer__heads": 8,
    "transformer__sequence_length": 32,
    "training__global_batch": 4,
}


def compile_both(out, **values):
    return [
        support.compile(BLOOM, out / offload, parallel__offload=offload, **values)
        for offload in ("NONE", "OPTIMIZER")
    ]


def peak_resident(executable, data, steps):
    """Bytes of the largest resident set of a one-rank run."""
    command = [str(executable), "train", "--data", str(data), "--steps", str(steps)]
    command += ["--order", "sequential"]
    process = subprocess.Popen(command, env=support.ENVIRONMENT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise AssertionError(f"{' '.join(command)}\nended with {process.returncode}")
    return usage.ru_maxrss * 1024


class Offload(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = support.scratch("offload-text")
        cls.data = support.repeated_text(folder / "text.txt", 1 << 16)

    def test_same_losses(self):
        """To the bit: whole states and parts, masters, both forms of communication."""
        for world, stage, compute in (
            (1, 0, "FP32"),
            (2, 0, "FP32"),
            (2, 3, "FP32"),
            (2, 3, "BF16"),
        ):
            out = support.scratch(f"offload-{world}-{stage}")
            values = {
                "parallel__world": world,
                "parallel__zero_stage": stage,
                "training__precision__compute": compute,
            }
            plan = support.plan(BLOOM, parallel__offload="OPTIMIZER", **values)
            self.assertEqual(plan["memory"]["optimizer"], 0)
            memory, file = compile_both(out, **values)
            options = ["--steps", "6"]
            expected = support.train(memory, self.data, out / "log", world, options)
            for form in ("shared", "messages")[:world]:
                environment = dict(support.ENVIRONMENT, TESSERA_COMM=form)
                options += ["--offload-dir", out]
                got = support.train(
                    file, self.data, out / "log", world, options, env=environment
                )
                self.assertEqual(support.losses(got), support.losses(expected))
            self.assertEqual(
                sorted(path.name for path in out.iterdir()), ["NONE", "OPTIMIZER", "log"]
            )

    def test_resumes(self):
        out = support.scratch("offload-resume")
        values = {"parallel__world": 2, "parallel__zero_stage": 1}
        memory, file = compile_both(out, **values)
        expected = support.train(memory, self.data, out / "log", 2, ["--steps", "6"])
        for first, second in ((file, memory), (memory, file)):
            folder = support.scratch("offload-checkpoints")
            options = ["--checkpoint-dir", folder, "--steps"]
            support.train(first, self.data, out / "log", 2, options + ["3"])
            options += ["6", "--resume"]
            got = support.train(second, self.data, out / "log", 2, options)
            self.assertEqual(support.losses(got)[-3:], support.losses(expected)[-3:])

    def test_memory(self):
        """The peak is lower by the offloaded bytes, but for two groups of them."""
        out = support.scratch("offload-memory")
        values = dict(LARGE, parallel__world=1, parallel__zero_stage=0)
        memory, file = compile_both(out, **values)
        plan = support.plan(BLOOM, parallel__offload="OPTIMIZER", **values)
        whole = support.plan(BLOOM, **values)
        states = whole["memory"]["optimizer"]
        self.assertEqual(plan["memory"]["optimizer"], 0)
        self.assertEqual(plan["peak_bytes"], whole["peak_bytes"] - states)
        self.assertLess(abs(plan["offloaded_bytes"] - states), 64 * 4096)
        saved = peak_resident(memory, self.data, 3) - peak_resident(file, self.data, 3)
        two_groups = 2 * 2 * 4 * (12 * 512 * 512 + 13 * 512)
        print(f"offloaded {states / 1e6:.1f} MB, saved {saved / 1e6:.1f} MB")
        self.assertGreater(saved, states - two_groups)

    def test_trains_where_memory_is_short(self):
        out = support.scratch("offload-cap")
        values = dict(LARGE, parallel__world=1, parallel__zero_stage=0)
        memory, file = compile_both(out, **values)
        plan = support.plan(BLOOM, parallel__offload="OPTIMIZER", **values)
        limit = plan["peak_bytes"] + plan["offloaded_bytes"] // 2
        command = ["train", "--data", self.data, "--steps", "2", "--log"]

        def cap():
            # Private memory that can be written to: mapped files do not count.
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

        environment = dict(support.ENVIRONMENT, OMP_STACKSIZE="1M")
        done = support.run([memory, *command, out / "log"], check=False, preexec_fn=cap, env=environment)
        self.assertEqual(done.returncode, 1)
        self.assertIn("GB that the plan needs", done.stderr)
        capped, whole = out / "capped.log", out / "whole.log"
        support.run([file, *command, capped], preexec_fn=cap, env=environment)
        support.run([memory, *command, whole])
        self.assertEqual(
            *(support.losses(support.read_log(log)) for log in (capped, whole))
        )

    def test_option_without_offload(self):
        out = support.scratch("offload-option")
        memory = support.compile(BLOOM, out / "exe", parallel__world=1, parallel__zero_stage=0)
        command = [memory, "train", "--data", self.data, "--offload-dir", out]
        done = support.run(command, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("compile it with --set parallel.offload=OPTIMIZER", done.stderr)


if __name__ == "__main__":
    support.main()
