# ===- test_curves.py - Logs of runs as curves and as events ----------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# The logs of two short runs: the page of `tessera plot` is drawn by a browser, and
# TensorBoard reads what `tessera tensorboard` writes, also while a run goes on.
#
# ===----------------------------------------------------------------------===#

import json
import math
import os
import subprocess
import sys
import time
import unittest

import support

sys.path[:0] = [str(support.ROOT / "test"), str(support.ROOT / "scripts")]
import browser
import torch_environment

SIZE = (1100, 2100)
# Prints {tag: [[step, wall time, value]]} of a run's folder.
READ_EVENTS = """
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
run = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0}).Reload()
print(json.dumps({tag: [[e.step, e.wall_time, e.value] for e in run.Scalars(tag)]
                  for tag in run.Tags()["scalars"]}))
"""


class Curves(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.out = support.scratch("curves")
        cls.logs = [cls.out / "slow.jsonl", cls.out / "fast.jsonl"]
        text = cls.out / "text"
        text.write_bytes(b"abcdefgh" * 600)
        for log, lr in zip(cls.logs, [1e-3, 1e-2]):
            cls.executable = support.compile(
                support.HERE / "gpt2-small.textproto",
                cls.out / "exe",
                transformer__layers=1,
                training__optimizer__lr=lr,
            )
            support.train(cls.executable, text, log, options=["--steps", 60])
        cls.text = text
        # As training with validation writes them.
        lines = support.read_log(cls.logs[1])
        for line in lines[9::10]:
            line["val_loss"] = 1.1 * line["loss"]
        cls.logs[1].write_text("".join(json.dumps(line) + "\n" for line in lines))

    def test_a_browser_shows_all_that_a_page_has(self):
        page = self.out / "curves.html"
        support.run([support.TESSERA, "plot", *self.logs, "-o", page, "--smooth", 5])
        text = page.read_text()
        browser.check_page(text)
        for title in ("Loss", "Gradient norm", "Learning rate", "Tokens per second"):
            self.assertIn(f"<h2>{title}</h2>", text)
        chromium = browser.find()
        if not chromium:
            self.skipTest("no Chromium is installed (scripts/dependencies does)")
        whole = browser.render(chromium, text, SIZE, keep=self.out / "curves.png")

        def seen(pattern, colour, drawing=whole, page=text):
            count, changed, coloured = browser.count_seen(chromium, page, pattern, colour, SIZE, drawing)
            self.assertGreater(count, 0, pattern)
            return changed, coloured

        for colour in ("#4269d0", "#e0605e"):
            changed, coloured = seen(rf'<path class="curve" stroke="{colour}".*?/>', colour)
            self.assertGreater(changed, 2000)
            self.assertGreater(coloured, 500)
        self.assertGreater(seen(r'<path class="curve dashed".*?/>', "#e0605e")[1], 50)
        self.assertGreater(seen(r'<circle class="dot".*?/>', "#e0605e")[1], 50)
        self.assertGreater(seen(r'<path class="pale".*?/>', "#4269d0")[0], 500)
        # Readings are there once the pointer is, here everywhere.
        self.assertEqual(seen(r'<g class="at">.*?</g>', "#4269d0")[0], 0)
        pointed = text.replace(".at:hover", ".at")
        read = browser.render(chromium, pointed, SIZE)
        changed, coloured = seen(r'<g class="at">.*?</g>', "#4269d0", read, pointed)
        self.assertGreater(changed, 50000)
        self.assertGreater(coloured, 1000)
        # Each pair of axes is another drawing.
        drawings = [whole[0]]
        for axes in (["logx"], ["logy"], ["logx", "logy"]):
            switched = text
            for axis in axes:
                switched = switched.replace(f'id="{axis}"', f'id="{axis}" checked="checked"')
            drawings.append(browser.render(chromium, switched, SIZE)[0])
        for i, one in enumerate(drawings):
            for other in drawings[:i]:
                self.assertGreater(sum(a != b for a, b in zip(one, other)), 300)

    def events_of(self, folder):
        try:
            python, environment = torch_environment.make_tensorboard()
        except subprocess.CalledProcessError as error:
            if "CI" in os.environ:
                raise
            self.skipTest(f"the package cannot be installed: {error}")
        done = support.run([python, "-W", "ignore", "-c", READ_EVENTS, folder], env=environment)
        return json.loads(done.stdout)

    def check_events(self, events, lines):
        names = {name for line in lines for name, value in line.items() if not isinstance(value, bool)}
        names.remove("step")
        tags = {("validation/" + n[4:] if n.startswith("val_") else "train/" + n): n for n in names}
        self.assertEqual(set(events), set(tags))
        for tag, name in tags.items():
            expected = [(line["step"], line[name]) for line in lines if name in line]
            self.assertEqual([step for step, _, _ in events[tag]], [step for step, _ in expected])
            for (_, _, value), (_, number) in zip(events[tag], expected):
                if number is None:
                    self.assertTrue(math.isnan(value))
                else:
                    self.assertAlmostEqual(value, number, delta=1e-6 * abs(number))

    def test_tensorboard_reads_events(self):
        lines = support.read_log(self.logs[1])
        lines[3]["grad_norm"] = None
        log = self.out / "with-null.jsonl"
        log.write_text("".join(json.dumps(line) + "\n" for line in lines))
        folder = self.out / "runs" / "fast"
        # A second time the same events, not twice as many.
        for _ in range(2):
            support.run([support.TESSERA, "tensorboard", log, folder])
        events = self.events_of(folder)
        self.check_events(events, lines)
        # The last line was written when the file was, the others before it.
        times = [time for _, time, _ in events["train/loss"]]
        self.assertAlmostEqual(times[-1], log.stat().st_mtime, delta=0.01)
        self.assertAlmostEqual(times[-1] - times[0], sum(line["ms"] for line in lines[1:]) / 1000, delta=0.01)

    def test_it_follows_a_run(self):
        log, folder = self.out / "live.jsonl", self.out / "runs" / "live"
        command = [support.TESSERA, "tensorboard", log, folder, "--follow"]
        follower = subprocess.Popen([str(part) for part in command], stderr=subprocess.PIPE, text=True)
        try:
            self.assertIn("waiting for", follower.stderr.readline())
            support.train(self.executable, self.text, log, options=["--steps", 30])
            lines, begin = support.read_log(log), time.monotonic()
            events = {}
            while len(events.get("train/loss", [])) < len(lines):
                self.assertLess(time.monotonic() - begin, 60)
                self.assertIsNone(follower.poll())
                if folder.exists():
                    events = self.events_of(folder)
            self.check_events(events, lines)
            # Another run under the name of the log.
            log.write_text('{"step": 1, "loss": 1}\n')
            self.assertEqual(follower.wait(60), 1)
            self.assertIn("is shorter than it was", follower.stderr.read())
        finally:
            follower.kill()
            follower.wait()
            follower.stderr.close()


if __name__ == "__main__":
    support.main()
