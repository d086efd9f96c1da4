# ===- test_scale.py - Many plans, charts and predicted times --------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import csv
import io
import json
import sys
import unittest
import xml.etree.ElementTree

import support

sys.path.insert(0, str(support.ROOT / "test"))
import browser

BLOOM = support.EXAMPLES / "bloom-tiny.textproto"
# Rates of which one alone decides: a gigaflop takes a second.
SLOW = {
    "cores": 1,
    "ranks_per_node": 1,
    "fp32_gflops": 1e9,
    "fp32_gemm_gflops": 1e9,
    "memory_gbytes": 1e9,
    "cache_gbytes": 1e9,
    "launch_us": 0,
    "intra_node.latency_us": 0,
    "intra_node.gbytes": 1e9,
    "inter_node.latency_us": 0,
    "inter_node.gbytes": 1e9,
}


def tessera_plan(specification, *options):
    return support.run([support.TESSERA, "plan", specification, *options]).stdout


def predict(specification=BLOOM, machine=(), **values):
    """The plan for a machine of which only what `machine` says takes time."""
    fields = {f"machine.{key}": value for key, value in {**SLOW, **dict(machine)}.items()}
    values = {key.replace("__", "."): value for key, value in values.items()}
    options = support.settings({**fields, **values})
    return json.loads(tessera_plan(specification, "--format", "json", *options))


def kinds(plan):
    return {kind["kind"]: kind for kind in plan["predicted"]["kinds"]}


class Predictions(unittest.TestCase):
    def test_parts_sum_to_the_step(self):
        for specification in sorted(support.EXAMPLES.glob("*.textproto")):
            plans = [
                (stage, plan)
                for stage in (0, 3)
                for plan in support.plans(specification, parallel__zero_stage=stage)
            ]
            for stage, plan in plans:
                with self.subTest(f"{specification.name}, stage {stage}"):
                    predicted = plan["predicted"]
                    parts = ["compute", "memory", "launch", "exposed_communication"]
                    total = sum(predicted[f"{part}_ms"] for part in parts)
                    self.assertAlmostEqual(predicted["step_ms"] / total, 1, places=9)
                    listed = sum(kind["ms"] for kind in predicted["kinds"])
                    self.assertAlmostEqual(predicted["step_ms"] / listed, 1, places=9)

    def test_gemms_take_their_arithmetic(self):
        plan = predict(machine={"fp32_gemm_gflops": 0.5}, parallel__world=1)
        gemm = kinds(plan)["gemm"]
        self.assertAlmostEqual(gemm["ms"] / (gemm["flops"] / 0.5e6), 1, places=4)
        self.assertLess(plan["predicted"]["step_ms"] - gemm["ms"], 1e-3 * gemm["ms"])
        # Ranks share their node; a rank has no more than its threads.
        for values, share in [
            ({"parallel__world": 2, "training__global_batch": 32}, 2),
            ({"parallel__world": 1, "target__cpu__threads": 1}, 4),
        ]:
            machine = {"cores": 4, "ranks_per_node": 2, "fp32_gemm_gflops": 0.5}
            shared = kinds(predict(machine=machine, **values))["gemm"]
            self.assertAlmostEqual(shared["ms"] / gemm["ms"], share, places=4)

    def test_updates_take_their_bytes(self):
        """AdamW reads p, g, m and v and writes p, m and v: 28 bytes per element."""
        plan = predict(machine={"memory_gbytes": 1, "cache_mib": 0}, parallel__world=1)
        update = kinds(plan)["update"]
        self.assertAlmostEqual(update["bytes"] / (28 * plan["padded_elements"]), 1, places=3)
        self.assertAlmostEqual(update["ms"], 1e-6 * update["bytes"], places=4)
        cached = predict(machine={"cache_gbytes": 1, "cache_mib": 1000}, parallel__world=1)
        self.assertAlmostEqual(kinds(cached)["update"]["ms"], update["ms"], places=4)

    def test_launches(self):
        plan = predict(machine={"launch_us": 1000}, parallel__world=1)
        launches = sum(kind["times"] for kind in plan["predicted"]["kinds"])
        self.assertAlmostEqual(plan["predicted"]["launch_ms"], launches, places=6)

    def test_collectives_take_latency_and_bytes(self):
        values = {"parallel__world": 4, "parallel__zero_stage": 3, "training__global_batch": 16}
        plan = predict(machine={"inter_node.latency_us": 1000}, **values)
        times = sum(collective["times"] for collective in plan["collectives"])
        self.assertAlmostEqual(plan["predicted"]["communication_ms"], 3 * times, places=2)
        plan = predict(machine={"inter_node.gbytes": 1}, **values)
        wanted = 1e-6 * plan["volume_bytes"]
        self.assertAlmostEqual(plan["predicted"]["communication_ms"] / wanted, 1, places=3)
        # Two ranks per node: one of three peers is near, and they share the
        # link.
        machine = {"ranks_per_node": 2, "inter_node.gbytes": 1}
        plan = predict(machine=machine, **values)
        wanted = 2 * (2 / 3) * 1e-6 * plan["volume_bytes"]
        self.assertAlmostEqual(plan["predicted"]["communication_ms"] / wanted, 1, places=3)

    def test_what_travels_beside_the_computation_is_hidden(self):
        values = {"parallel__world": 4, "parallel__zero_stage": 3, "training__global_batch": 16}
        machine = {"fp32_gemm_gflops": 100, "inter_node.gbytes": 1}
        exposed = {}
        for beside in ("false", "true"):
            plan = predict(machine={**machine, "inter_node.overlaps_compute": beside}, **values)
            predicted = plan["predicted"]
            exposed[beside] = predicted["exposed_communication_ms"]
            hidden = predicted["communication_ms"] - exposed[beside]
            if beside == "false":
                self.assertAlmostEqual(hidden, 0, places=6)
        self.assertLess(exposed["true"], 0.5 * exposed["false"])
        # Without prefetching every gather is waited for at once.
        machine["inter_node.overlaps_compute"] = "true"
        gathers = {
            prefetch: kinds(predict(machine=machine, parallel__prefetch=prefetch, **values))
            for prefetch in (0, 1)
        }
        self.assertLess(gathers[1]["all_gather"]["ms"], gathers[0]["all_gather"]["ms"])


class Sweeps(unittest.TestCase):
    VALUES = {"transformer.layers": [1, 3], "parallel.zero_stage": [0, 1, 2, 3]}

    def sweep(self, form):
        options = ["--format", form]
        for path, values in self.VALUES.items():
            options += ["--sweep", f"{path}={','.join(map(str, values))}"]
        return tessera_plan(BLOOM, *options)

    def test_rows_are_the_plans(self):
        rows = json.loads(self.sweep("json"))
        combinations = [
            {"transformer.layers": layers, "parallel.zero_stage": stage}
            for layers in (1, 3)
            for stage in range(4)
        ]
        self.assertEqual([row.pop("values") for row in rows], combinations)
        for row, values in zip(rows, combinations):
            options = support.settings(values)
            plan = json.loads(tessera_plan(BLOOM, "--format", "json", *options))
            self.assertEqual(row, {key: plan[key] for key in row})

    def test_csv(self):
        rows = list(csv.DictReader(io.StringIO(self.sweep("csv"))))
        whole = json.loads(self.sweep("json"))
        self.assertEqual([int(row["peak_bytes"]) for row in rows], [p["peak_bytes"] for p in whole])
        self.assertEqual([row["error"] for row in rows], 8 * [""])
        for row in rows:
            parts = [int(value) for key, value in row.items() if key.endswith("_bytes")]
            # Six categories, their sum and the volume.
            self.assertEqual(sum(parts) - int(row["volume_bytes"]), 2 * int(row["peak_bytes"]))

    def test_fit_is_the_last_that_fits(self):
        for path, memory in [("transformer.layers", 150e6), ("training.micro_batch", 30e6)]:
            options = ["--fit", f"{memory:.0f}B", "--vary", path, "--format", "json"]
            fit = json.loads(tessera_plan(BLOOM, *options))
            self.assertEqual(fit["wanted"], "largest")
            for key in ("best", "next"):
                options = ["--format", "json", "--set", f"{path}={fit[key]['value']}"]
                plan = json.loads(tessera_plan(BLOOM, *options))
                self.assertEqual(plan["peak_bytes"], fit[key]["peak_bytes"])
            self.assertLessEqual(fit["best"]["peak_bytes"], memory)
            self.assertGreater(fit["next"]["peak_bytes"], memory)
            self.assertLess(fit["best"]["value"], fit["next"]["value"])

    def test_fit_of_ranks_is_the_first(self):
        options = ["--fit", "20MB", "--vary", "parallel.world=1..16*2", "--format", "json"]
        fit = json.loads(tessera_plan(BLOOM, *options))
        rows = json.loads(
            tessera_plan(BLOOM, "--sweep", "parallel.world=1..16*2", "--format", "json")
        )
        fitting = [row["world"] for row in rows if row["peak_bytes"] <= 20e6]
        self.assertEqual(fit["best"]["value"], min(fitting))
        self.assertEqual(fit["next"]["value"], min(fitting) // 2)


class Charts(unittest.TestCase):
    def page(self, text):
        """The page's elements; it is whole by itself."""
        for outside in ("<script", "<link", "<img", "@import", "url("):
            self.assertNotIn(outside, text)
        self.assertEqual(text.count("http"), text.count("http://www.w3.org/"))
        return xml.etree.ElementTree.fromstring(text.partition("\n")[2])

    def titles(self, page):
        return [e.text for e in page.iter() if e.tag.endswith("}title")]

    def test_step(self):
        options = ["--set", "parallel.world=2", "--set", "parallel.zero_stage=3"]
        text = tessera_plan(BLOOM, "--format", "html", *options)
        titles = self.titles(self.page(text))
        for wanted in ("gemm 1024 x 128", "attention", "update", "all_gather (", "peak in use"):
            self.assertTrue(any(wanted in title for title in titles), wanted)
        plan = support.plan(BLOOM, parallel__world=2, parallel__zero_stage=3)
        self.assertIn(f"{plan['peak_bytes']:,}", text)
        self.assertIn(f"{plan['parameters']:,} parameters", text)
        for category in plan["memory"]:
            self.assertTrue(any(title.startswith(f"{category}: up to") for title in titles))

    def test_offloaded_states_are_not_in_memory(self):
        options = ["--format", "html", "--set", "parallel.world=2"]
        for offload, wanted in (("NONE", True), ("OPTIMIZER", False)):
            text = tessera_plan(BLOOM, *options, "--set", f"parallel.offload={offload}")
            titles = self.titles(self.page(text))
            has = any(title.startswith("optimizer: up to") for title in titles)
            self.assertEqual(has, wanted)

    def test_large_model(self):
        """Slivers are merged: the page stays small, and no rectangle is lost."""
        text = tessera_plan(support.EXAMPLES / "bloom-176b.textproto", "--format", "html")
        self.assertLess(len(text), 2e6)
        titles = self.titles(self.page(text))
        self.assertTrue(any(title.startswith("micro (one of 5)") for title in titles))
        self.assertTrue(any(" steps, " in title for title in titles))

    def test_one_rank_and_graph(self):
        page = self.page(tessera_plan(support.EXAMPLES / "gcn-cora.textproto", "--format", "html"))
        self.assertTrue(any("aggregate" in title for title in self.titles(page)))

    def test_sweep(self):
        options = ["--sweep", "parallel.world=1,2,3", "--format", "html"]
        text = tessera_plan(BLOOM, *options)
        page = self.page(text)
        rows = [e for e in page.iter() if e.tag.endswith("}tr")]
        self.assertEqual(len(rows), 4)
        self.assertIn("is not divisible by", text)
        chromium = browser.find()
        if not chromium:
            self.skipTest("no Chromium is installed (scripts/dependencies does)")
        size = (1440, 400)
        whole = browser.render(chromium, text, size, keep=support.scratch("sweep-page") / "sweep.png")
        # Bars of parameters, gradients, the optimizer, activations; and a reason.
        for colour in ("#4269d0", "#e0605e", "#9b6bd3", "#efb118"):
            pattern = f'<rect [^>]*fill="{colour}".*?</rect>'
            count, changed, coloured = browser.count_seen(chromium, text, pattern, colour, size, whole)
            self.assertEqual(count, 2)
            self.assertGreater(changed, 200)
            self.assertGreater(coloured, 150)
        count, changed, _ = browser.count_seen(chromium, text, "`training.global_batch.*?(?=</td>)", "#1f2328", size, whole)
        self.assertEqual(count, 1)
        self.assertGreater(changed, 500)


if __name__ == "__main__":
    support.main()
