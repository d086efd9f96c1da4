# ===- test_plan.py - What `tessera plan` says -----------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import itertools
import re
import sys
import time
import unittest

import support

sys.path.insert(0, str(support.ROOT / "test"))
import browser

BLOOM = support.EXAMPLES / "bloom-tiny.textproto"
KINDS = {"all_gather", "reduce_scatter", "all_reduce"}
MEMORY = {
    "parameters",
    "gradients",
    "optimizer",
    "activations",
    "communication",
    "workspace",
}


def round_up(value, multiple):
    return -(-value // multiple) * multiple


def bloom_groups(vocabulary, layers, hidden):
    """Sizes of the parameters of each group: the embedding, layers, the end."""
    h = hidden
    layer = [h, h, 3 * h * h, 3 * h, h * h, h, h, h, 4 * h * h, 4 * h, 4 * h * h, h]
    return [[vocabulary * h, h, h]] + layers * [layer] + [[h, h]]


def padded_elements(groups, world):
    """Parameters start at multiples of 16 elements, groups fill 16 per rank."""
    sizes = [sum(round_up(size, 16) for size in group) for group in groups]
    return [round_up(size, 16 * world) for size in sizes]


class Plan(unittest.TestCase):
    def check_form(self, plan):
        keys = {"peak_bytes", "parameters", "memory", "collectives", "flops"}
        self.assertLessEqual(keys, set(plan))
        self.assertEqual(set(plan["memory"]), MEMORY)
        self.assertEqual(sum(plan["memory"].values()), plan["peak_bytes"])
        self.assertGreater(plan["flops"], 0)
        for collective in plan["collectives"]:
            self.assertLessEqual({"kind", "group", "elements", "bytes"}, set(collective))
            self.assertIn(collective["kind"], KINDS)

    def test_examples(self):
        for specification in sorted(support.EXAMPLES.glob("*.textproto")):
            with self.subTest(specification.name):
                for plan in support.plans(specification):
                    self.check_form(plan)

    def test_bloom_176b_in_seconds(self):
        seconds = []
        for _ in range(3):
            begin = time.monotonic()
            plan = support.plan(support.EXAMPLES / "bloom-176b.textproto")
            seconds.append(time.monotonic() - begin)
        self.assertLess(min(seconds), 5)
        self.assertEqual(plan["parameters"], 176247271424)

    def test_model_states(self):
        """Stage formulas in fp32: parameters 4P, gradients 4P, moments 8P."""
        groups = bloom_groups(256, 2, 48)
        values = {
            "transformer__layers": 2,
            "transformer__hidden": 48,
            "transformer__heads": 3,
            "transformer__sequence_length": 16,
        }
        for world in range(1, 65):
            elements = sum(padded_elements(groups, world))
            for stage in range(4):
                plan = support.plan(
                    BLOOM,
                    parallel__world=world,
                    parallel__zero_stage=stage,
                    training__global_batch=world,
                    **values,
                )
                shard = [elements // world if stage >= s else elements for s in range(4)]
                where = f"{world} ranks, stage {stage}"
                memory = plan["memory"]
                self.assertEqual(plan["parameters"], sum(map(sum, groups)), where)
                self.assertEqual(memory["optimizer"], 8 * shard[1], where)
                self.assertEqual(memory["gradients"], 4 * shard[2], where)
                self.assertEqual(memory["parameters"], 4 * shard[3], where)

    def test_no_stage_takes_more_than_the_one_below(self):
        """Of models of over 30 million parameters: many layers, and a tied table
        that is a third of all."""
        models = (
            (BLOOM, {"transformer__layers": 8, "transformer__hidden": 576, "transformer__heads": 9}),
            (support.EXAMPLES / "gpt2-124m.textproto", {}),
        )
        for specification, values in models:
            for world in (2, 4, 8):
                for precision, recompute in itertools.product(("FP32", "BF16"), ("NONE", "LAYER")):
                    peaks = [
                        support.plan(
                            specification,
                            parallel__world=world,
                            parallel__zero_stage=stage,
                            training__precision__compute=precision,
                            training__recompute=recompute,
                            training__global_batch=8,
                            **values,
                        )["peak_bytes"]
                        for stage in range(4)
                    ]
                    where = f"{specification.stem}, {world} ranks, {precision}, {recompute}"
                    self.assertEqual(peaks, sorted(peaks, reverse=True), where)

    def test_traffic(self):
        """A rank receives (N-1)/N of 2P elements per step, of 3P in stage 3."""
        for world in (2, 4, 8):
            for stage in range(4):
                plan = support.plan(
                    BLOOM,
                    parallel__world=world,
                    parallel__zero_stage=stage,
                    training__global_batch=world,
                )
                self.check_form(plan)
                elements = sum(padded_elements(bloom_groups(256, 4, 128), world))
                grouped = [c for c in plan["collectives"] if c["elements"] > 16]
                received = sum(c["bytes"] for c in grouped)
                times = received / (4 * elements * (world - 1) / world)
                self.assertAlmostEqual(times, 3 if stage == 3 else 2, delta=0.05)

    def test_text(self):
        done = support.run([support.TESSERA, "plan", BLOOM])
        for word in [*MEMORY, "peak", "all_gather", "reduce_scatter"]:
            self.assertIn(word, done.stdout)

    def test_executables_say_the_same(self):
        """The memory and the messages of a step, in the same lines."""
        out = support.scratch("plan-info")
        for number, (specification, fields) in enumerate(
            (
                (BLOOM, {"training__micro_batch": 2, "parallel__world": 2}),
                (support.EXAMPLES / "gcn-cora.textproto", {}),
            )
        ):
            executable = support.compile(specification, out / f"exe-{number}", **fields)
            info = support.run([executable, "info"]).stdout
            paths = {key.replace("__", "."): value for key, value in fields.items()}
            planned = support.run([support.TESSERA, "plan", specification, *support.settings(paths)])

            def tables(text):
                blocks = re.sub(r" +$", "", text, flags=re.M).split("\n\n")
                return [b.rstrip() for b in blocks if b.startswith(("  memory", "  collective"))]

            self.assertEqual(tables(info), tables(planned.stdout))
            self.assertEqual(len(tables(info)), 2 if "parallel__world" in fields else 1)

    def test_a_browser_shows_the_picture(self):
        page = support.scratch("plan-page") / "plan.html"
        command = [support.TESSERA, "plan", BLOOM, "--format", "html", "--memory", "60MB", "-o", page]
        support.run(command)
        text, size = page.read_text(), (1440, 1500)
        browser.check_page(text)
        chromium = browser.find()
        if not chromium:
            self.skipTest("no Chromium is installed (scripts/dependencies does)")
        whole = browser.render(chromium, text, size, keep=page.with_suffix(".png"))
        parts = {
            r'<line class="limit".*?/>': "#e5000f",
            # Memory of parameters, of the optimizer and of activations.
            r'<polygon [^>]*fill="#4269d0".*?</polygon>': "#4269d0",
            r'<polygon [^>]*fill="#9b6bd3".*?</polygon>': "#9b6bd3",
            r'<polygon [^>]*fill="#efb118".*?</polygon>': "#efb118",
            # GEMMs, and what is gathered.
            r'<rect [^>]*fill="#1f3c88".*?</rect>': "#1f3c88",
            r'<rect [^>]*fill="#1d6b2f".*?</rect>': "#1d6b2f",
        }
        for pattern, colour in parts.items():
            count, changed, coloured = browser.count_seen(chromium, text, pattern, colour, size, whole)
            self.assertGreater(count, 0, pattern)
            self.assertGreater(changed, 300, pattern)
            self.assertGreater(coloured, 100, pattern)


if __name__ == "__main__":
    support.main()
