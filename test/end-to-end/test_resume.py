# ===- test_resume.py - Killed at any moment, resumed bit for bit ----------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import os
import pathlib
import random
import signal
import subprocess
import time
import unittest

import support

STEPS = 120
EVERY = 4
SMALLER = {
    "transformer__layers": 2,
    "transformer__hidden": 64,
    "transformer__sequence_length": 64,
    "training__steps": STEPS,
}


class Resume(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.out = support.scratch("resume")
        cls.data = support.repeated_text(cls.out / "text.txt", 1 << 20)
        cls.executables, cls.whole = {}, {}
        for world in (1, 2):
            cls.executables[world] = support.compile(
                support.EXAMPLES / "bloom-tiny.textproto",
                cls.out / f"exe{world}",
                parallel__world=world,
                parallel__zero_stage=3,
                **SMALLER,
            )
            log = support.train(
                cls.executables[world], cls.data, cls.out / f"whole{world}", world
            )
            cls.whole[world] = support.losses(log)
            assert len(cls.whole[world]) == STEPS

    def command(self, world, name, *options):
        return support.launcher(world) + [
            self.executables[world],
            "train",
            *("--data", self.data, "--order", "sequential"),
            *("--checkpoint-dir", self.out / name, "--checkpoint-every", EVERY),
            *("--log", self.out / f"{name}.log", *options),
        ]

    def start(self, world, name, *options):
        command = [str(part) for part in self.command(world, name, *options)]
        return subprocess.Popen(
            command,
            env=support.ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait_for_steps(self, process, name, steps):
        """Returns once the log has `steps` lines."""
        log = self.out / f"{name}.log"
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if log.exists() and log.read_bytes().count(b"\n") >= steps:
                return
            if process.poll() is not None:
                break
            time.sleep(0.002)
        self.fail(f"no {steps} steps in {log}: {process.communicate()[0]}")

    def resume_and_compare(self, world, name, seen):
        """Resumes; the steps lost are at most those since the last checkpoint."""
        (self.out / f"{name}.log").rename(self.out / f"{name}.before.log")
        before = support.read_log(self.out / f"{name}.before.log")
        support.run(self.command(world, name, "--resume"))
        after = support.read_log(self.out / f"{name}.log")
        whole = self.whole[world]
        for line in before + after:
            self.assertEqual(line["loss"], whole[line["step"] - 1], f"step {line['step']}")
        self.assertEqual(after[-1]["step"], STEPS)
        # The checkpoint of a step is written before the next one is logged.
        last_checkpoint = (seen - 1) // EVERY * EVERY
        self.assertGreaterEqual(after[0]["step"], last_checkpoint + 1)

    def test_stopped_and_resumed(self):
        for world in (1, 2):
            name = f"stopped{world}"
            support.run(self.command(world, name, "--steps", "22"))
            self.assertEqual(len(support.read_log(self.out / f"{name}.log")), 22)
            self.resume_and_compare(world, name, 22)

    def test_one_rank_killed(self):
        """The other rank exits within seconds and says why."""
        for victim in (0, 1):
            name = f"rank{victim}"
            process = self.start(2, name)
            self.wait_for_steps(process, name, 10)
            pids = sorted(support.processes(self.executables[2]))
            self.assertEqual(len(pids), 2)
            os.kill(pids[victim], signal.SIGKILL)
            begin = time.monotonic()
            output, _ = process.communicate(timeout=60)
            self.assertLess(time.monotonic() - begin, 10)
            self.assertNotEqual(process.returncode, 0)
            self.assertRegex(output.lower(), "kill|signal|rank")
            seen = len(support.read_log(self.out / f"{name}.log"))
            self.resume_and_compare(2, name, seen)

    def test_all_killed_at_any_moment(self):
        random.seed(11)
        for attempt in range(6):
            world = 1 + attempt % 2
            name = f"all{attempt}"
            process = self.start(world, name)
            self.wait_for_steps(process, name, random.randrange(5, STEPS - 15))
            time.sleep(random.random() * 0.05)
            victims = [process.pid, *support.processes(self.executables[world])]
            for pid in victims:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            process.communicate(timeout=60)
            seen = len(support.read_log(self.out / f"{name}.log"))
            self.resume_and_compare(world, name, seen)

    def test_nothing_to_resume(self):
        """A job may always ask to resume: the first time it starts at step 1."""
        done = support.run(self.command(1, "absent", "--resume", "--steps", "3"))
        self.assertIn("no checkpoint yet", done.stdout)
        log = support.read_log(self.out / "absent.log")
        self.assertEqual([line["step"] for line in log], [1, 2, 3])


if __name__ == "__main__":
    support.main()
