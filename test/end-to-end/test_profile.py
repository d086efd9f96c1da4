# ===- test_profile.py - Traces of steps, and their pages ------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# What `train --profile` writes of models of all kinds: each event is a step of the
# plan, events nest, and they are most of a step's time. `tessera plot` lays them over
# the plan, and a browser draws that.
#
# ===----------------------------------------------------------------------===#

import collections
import json
import pathlib
import re
import sys
import unittest

import support

sys.path.insert(0, str(support.ROOT / "test"))
import browser
from doubles import Executable

BLOOM = support.EXAMPLES / "bloom-tiny.textproto"
STEPS, COMPUTATION, COMMUNICATION, OFFLOAD, HOST = range(5)
SECTIONS = ["begin", "micro", "reduce", "update"]


# Of which each step and each message takes 100 us.
EVEN = {
    "cores": 1,
    "ranks_per_node": 2,
    "fp32_gflops": 1e9,
    "fp32_gemm_gflops": 1e9,
    "memory_gbytes": 1e9,
    "cache_gbytes": 1e9,
    "launch_us": 100,
    "intra_node.latency_us": 100,
    "intra_node.gbytes": 1e9,
    "inter_node.latency_us": 100,
    "inter_node.gbytes": 1e9,
}


def make_even(trace):
    """Has each event of a trace take 100 us, so that a page of it does not depend on how
    busy the machine was."""
    for rank in {event["pid"] for event in trace["traceEvents"]}:
        time, around = 0, []
        events = [e for e in trace["traceEvents"] if e["pid"] == rank and e["ph"] == "X"]
        for event in sorted(events, key=lambda e: (e["ts"], -e["dur"])):
            while around and event["ts"] >= around[-1][1]:
                outer = around.pop()[0]
                outer["dur"] = time - outer["ts"]
            end = event["ts"] + event["dur"]
            event["ts"] = time
            if event["tid"] == STEPS:
                around.append((event, end))
                continue
            event["dur"] = 100
            time += 100
        for outer, _ in around:
            outer["dur"] = time - outer["ts"]


def settings(values):
    return support.settings({key.replace("__", "."): value for key, value in values.items()})


def planned_names(specification, values):
    """The names of the steps of the plan, as its module prints them."""
    done = support.run(
        [support.TESSERA, "compile", specification, "--compile-to", "plan", *settings(values)]
    )
    # Locations may follow with what is not of the program.
    body = re.search(r"plan\.program @train .*?\n  }", done.stdout, re.DOTALL)[0]
    names = set()
    for op, rest in re.findall(r"plan\.(launch|gemm|start|wait|fence|clear|copy|fetch|evict) (.*)", body):
        if op == "launch":
            names.add(re.match(r'@"?([^"(]+)"?\(', rest)[1])
        elif op in ("start", "wait", "fence"):
            collectives = ("all_gather", "reduce_scatter", "all_reduce")
            names |= {f"{op} {kind}" for kind in collectives}
        else:
            names.add(op)
    return names


def recorded_steps(test, events, numbers):
    """Each step's event of a rank, with those within it, which end with it at the latest."""
    frames = [e for e in events if e["cat"] == "step"]
    test.assertEqual([e["name"] for e in frames], [f"step {n}" for n in numbers])
    for frame in frames:
        begin, end = frame["ts"], frame["ts"] + frame["dur"]
        inside = [e for e in events if begin <= e["ts"] < end and e is not frame]
        # Half a nanosecond is lost where times are written.
        for event in inside:
            test.assertLessEqual(event["ts"] + event["dur"], end + 0.002)
        yield frame, inside


class Profile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.out = support.scratch("profile")
        cls.text = support.repeated_text(cls.out / "text.txt", 1 << 16)

    def train(self, executable, name, data=None, world=1, options=()):
        """A run with a profile: the log, the trace and its path."""
        trace = self.out / f"{name}.json"
        log = support.train(
            executable,
            data or self.text,
            self.out / f"{name}.jsonl",
            world,
            ["--steps", 7, "--profile", trace, *options],
        )
        return log, json.loads(trace.read_text()), trace

    def check_trace(self, trace, specification, values, world=1, steps=(3, 4, 5), least=0.8):
        """Checks a trace; returns its events by rank."""
        micro_batches = trace["otherData"]["micro_batches"]
        self.assertEqual(trace["otherData"]["world"], world)
        names = planned_names(specification, values)
        ranks = collections.defaultdict(list)
        for event in trace["traceEvents"]:
            if event["ph"] == "X":
                ranks[event["pid"]].append(event)
        self.assertEqual(sorted(ranks), list(range(world)))
        for events in ranks.values():
            for frame, inside in recorded_steps(self, events, steps):
                sections = [e["name"] for e in inside if e["cat"] == "section"]
                self.assertEqual(sections, ["begin"] + ["micro"] * micro_batches + ["reduce", "update"])
                rows = [e for e in inside if e["tid"] != STEPS]
                covered = sum(e["dur"] for e in rows)
                self.assertLessEqual(covered, frame["dur"] + 0.01)
                self.assertGreaterEqual(covered, least * frame["dur"])
                self.check_rows(rows, names)
                self.check_sections(inside)
        self.check_messages(trace)
        return ranks

    def check_rows(self, events, names):
        last = collections.defaultdict(float)
        for event in sorted(events, key=lambda e: e["ts"]):
            # All are of one thread, so no two of them overlap.
            self.assertGreaterEqual(event["ts"], last["end"] - 0.002, event)
            last["end"] = event["ts"] + event["dur"]
            if event["name"] in ("inputs", "meeting"):
                continue
            name = re.sub("^gemm .*", "gemm", event["name"])
            self.assertIn(name, names)
            arguments = event["args"]
            self.assertIn("layer", arguments)
            if name == "gemm":
                self.assertGreater(arguments["flops"], 0)
                rate = arguments["flops"] / max(event["dur"], 1e-3) / 1e3
                self.assertAlmostEqual(arguments["GFLOP/s"] / rate, 1, delta=0.05)
            is_collective = name.split()[0] in ("start", "wait", "fence")
            self.assertEqual(event["tid"] == COMMUNICATION, is_collective)
            self.assertEqual(event["tid"] == OFFLOAD, name in ("fetch", "evict"))

    def check_sections(self, events):
        """The plan's steps are in the order of the plan, within the sections."""
        for section in (e for e in events if e["cat"] == "section"):
            begin, end = section["ts"], section["ts"] + section["dur"]
            own = [e for e in events if begin <= e["ts"] < end and "plan_step" in e["args"]]
            numbers = [e["args"]["plan_step"] for e in own]
            self.assertEqual(numbers, sorted(numbers))
            first, last = (numbers[0], numbers[-1]) if numbers else (0, -1)
            self.assertEqual(sorted(set(numbers)), list(range(first, last + 1)))
            if section["name"] == "micro":
                for event in own:
                    self.assertEqual(event["args"]["micro_batch"], section["args"]["micro_batch"])

    def check_messages(self, trace):
        """Collectives begin and end; memory in use stays within the arena."""
        phases = collections.Counter(e["ph"] for e in trace["traceEvents"])
        self.assertEqual(phases["b"], phases["e"])
        counters = [e for e in trace["traceEvents"] if e["ph"] == "C"]
        self.assertGreater(len(counters), 0)
        for event in counters:
            self.assertLessEqual(event["args"]["bytes"], trace["otherData"]["reserved_bytes"])

    def plot(self, trace, specification, values, name):
        page = self.out / f"{name}.html"
        command = [support.TESSERA, "plot", trace, "-o", page, "--plan", specification]
        support.run(command + settings(values))
        return page.read_text()

    def test_two_ranks_of_stage_3(self):
        values = {
            "parallel__world": 2,
            "parallel__zero_stage": 3,
            "training__global_batch": 16,
            "training__micro_batch": 2,
        }
        executable = support.compile(BLOOM, self.out / "bloom", **values)
        plain = support.train(executable, self.text, self.out / "plain.jsonl", 2, ["--steps", 7])
        self.assertEqual(list(self.out.glob("*tmp*")), [])
        log, trace, path = self.train(executable, "bloom", world=2)
        # Recording changes no bit.
        for one, other in zip(plain, log, strict=True):
            self.assertEqual((one["loss"], one["grad_norm"]), (other["loss"], other["grad_norm"]))
        ranks = self.check_trace(trace, BLOOM, values, 2)
        kinds = {e["cat"] for e in ranks[1]}
        self.assertLessEqual({"gemm", "attention", "all_gather", "reduce_scatter", "meeting", "inputs"}, kinds)
        layers = {e["args"].get("layer") for e in ranks[0]}
        self.assertLessEqual({"embeddings", "h.0", "h.1"}, layers)
        # A wait of both ranks ends when both have come: the clocks are one.
        self.assertEqual(trace["otherData"]["clock_uncertainty_us"], 0)
        meetings = [[e for e in ranks[r] if e["cat"] == "meeting"] for r in (0, 1)]
        for one, other in zip(*meetings, strict=True):
            self.assertLess(max(one["ts"], other["ts"]), min(one["ts"] + one["dur"], other["ts"] + other["dur"]))
        self.check_page(self.plot(path, BLOOM, values, "bloom"))
        make_even(trace)
        even = self.out / "even.json"
        even.write_text(json.dumps(trace))
        machine = {f"machine.{field}": value for field, value in EVEN.items()}
        self.check_drawing(self.plot(even, BLOOM, {**values, **machine}, "even"))
        # Without what was set the plan is another one.
        command = [support.TESSERA, "plot", path, "--plan", BLOOM, "-o", self.out / "none"]
        done = support.run([*command, "--set", "parallel.world=1"], check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("the trace is of 2 ranks, the plan of 1: give the specification", done.stderr)
        values["transformer__hidden"] = 96
        done = support.run(command + settings(values), check=False)
        self.assertIn("in the trace, and", done.stderr)
        self.assertFalse((self.out / "none").exists())

    def check_page(self, text):
        browser.check_page(text)
        for title in ("By kind", "By layer and kind", "By step"):
            self.assertIn(f"<h2>{title}</h2>", text)
        for word in ("measured", "predicted", "ratio", "rank 0", "rank 1", "times\n"):
            self.assertIn(word, text)
        # All has its name where the pointer rests.
        self.assertEqual(text.count("<rect "), text.count("</title></rect>"))

    def check_drawing(self, text):
        self.assertEqual(text.count('<g class="picture">'), 3)
        chromium = browser.find()
        if not chromium:
            self.skipTest("no Chromium is installed (scripts/dependencies does)")
        size = (1440, 1500)
        whole = browser.render(chromium, text, size, keep=self.out / "even.png")
        # GEMMs and gathers, of the prediction and of each rank, and where one waits.
        pictures = re.split(r'(?=<g class="picture">)', text)[1:]
        for number in range(3):
            for colour in ("#1f3c88", "#f6c9c9"):
                shown = [re.sub(f'<rect [^>]*fill="{colour}".*?</rect>', "", p, flags=re.DOTALL) if i == number else p
                         for i, p in enumerate(pictures)]  # fmt: skip
                bare = text.replace("".join(pictures), "".join(shown))
                self.assertNotEqual(bare, text)
                changed, coloured = browser.count_changes(whole, browser.render(chromium, bare, size), colour)
                self.assertGreater(changed, 100, (number, colour))
                self.assertGreater(coloured, 50, (number, colour))

    def test_a_graph(self):
        """Whole graphs, whose GEMMs and kernels run in chunks of rows."""
        specification = support.EXAMPLES / "gcn-cora.textproto"
        executable = support.compile(specification, self.out / "gcn")
        log, trace, path = self.train(executable, "gcn", support.CORA, options=["--profile-steps", "2..6"])
        self.check_trace(trace, specification, {}, steps=(2, 3, 4, 5, 6))
        text = self.plot(path, specification, {}, "gcn")
        self.assertIn("steps 2 to 6 of 1 rank,", text)

    def test_sampled_and_offloaded(self):
        """Recomputed layers, states in a file, one step alone."""
        values = {"parallel__world": 1, "parallel__offload": "OPTIMIZER", "training__recompute": "LAYER"}
        executable = support.compile(BLOOM, self.out / "offload", **values)
        _, trace, _ = self.train(executable, "offload", options=["--profile-steps", 4])
        ranks = self.check_trace(trace, BLOOM, values, steps=(4,))
        self.assertLessEqual({"fetch", "evict"}, {e["cat"] for e in ranks[0]})
        specification = support.EXAMPLES / "sage-cora-sampled.textproto"
        if specification.exists():
            executable = support.compile(specification, self.out / "sage")
            _, trace, _ = self.train(executable, "sage", support.CORA)
            self.check_trace(trace, specification, {}, least=0.5)

    def test_page_without_a_plan(self):
        executable = support.compile(BLOOM, self.out / "one", parallel__world=1)
        _, _, trace = self.train(executable, "one")
        page = self.out / "one.html"
        support.run([support.TESSERA, "plot", trace, trace, "-o", page])
        text = page.read_text()
        browser.check_page(text)
        self.assertIn("<title>2 profiles</title>", text)
        self.assertNotIn("<th class=\"n\">ratio</th>", text)
        self.assertEqual(text.count('<g class="picture">'), 2)

    def test_what_cannot_be(self):
        executable = support.compile(BLOOM, self.out / "refused", parallel__world=1)
        trace = self.out / "refused.json"

        def refuse(options, message, code=1):
            command = [executable, "train", "--data", self.text, "--steps", 5, *options]
            done = support.run(command, check=False)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(message, done.stderr)
            self.assertFalse(trace.exists())

        profile = ["--profile", trace]
        refuse(["--profile-steps", 3], "--profile-steps needs --profile FILE")
        refuse([*profile, "--profile-steps", "4..3"], "the second number is the smaller one")
        refuse([*profile, "--profile-steps", "6..9"], "this run makes the steps 1 to 5")
        refuse([*profile, "--profile-ranks", "1..3"], "this run has no rank 1, its last one is 0")
        refuse(["--profile", self.text], "is the data: give it another name")
        refuse(["--profile", self.out / "no" / "x"], "cannot write")
        log = self.out / "refused.jsonl"
        refuse(["--log", log, "--profile", log], "is the log: give it another name")
        refuse([*profile, "--profile-steps", "1..2000000000", "--steps", 2000000000], "give at most")
        # Steps that the run does not reach.
        other = self.out / "short.json"
        command = [executable, "train", "--data", self.text, "--steps", 2, "--profile", other]
        support.run(command)
        names = [e["name"] for e in json.loads(other.read_text())["traceEvents"] if e.get("cat") == "step"]
        self.assertEqual(names, ["step 2"])
        # No disk has room for it; the run is worth more.
        done = support.run([*command[:-1], "/dev/full"], check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("No space left on device: there is no profile; the run goes on", done.stderr)
        self.assertIn("done: 2 steps", done.stdout)


class Gpu(unittest.TestCase):
    """Steps that doubles of NVIDIA's libraries run and time: a kernel takes 10 us, a GEMM
    30 and a collective 100, each once it is issued."""

    @classmethod
    def setUpClass(cls):
        cls.out = support.scratch("profile-gpu")
        cls.text = support.repeated_text(cls.out / "text.txt", 1 << 14)

    def test_streams_of_two_ranks(self):
        values = {
            "transformer__layers": 2,
            "transformer__hidden": 32,
            "transformer__sequence_length": 32,
            "training__global_batch": 8,
            "training__micro_batch": 2,
            "parallel__world": 2,
            "parallel__zero_stage": 3,
        }
        gpu = Executable(BLOOM, self.out / "gpu", **values)
        plain = gpu.train(self.text, self.out / "plain", 2, ["--steps", "4"])
        path = self.out / "trace.json"
        log = gpu.train(self.text, self.out / "log", 2, ["--steps", "4", "--profile", path, "--profile-steps", "2..3"])
        # Recording changes no bit.
        self.assertEqual(support.losses(log), support.losses(plain))
        trace = json.loads(path.read_text())
        self.assertTrue(trace["otherData"]["device"])
        names = planned_names(BLOOM, {"target__cuda__arch": "sm_90a", **values})
        ranks = collections.defaultdict(list)
        for event in trace["traceEvents"]:
            if event["ph"] == "X":
                ranks[event["pid"]].append(event)
        self.assertEqual(sorted(ranks), [0, 1])
        for events in ranks.values():
            self.check_rank(events, names)
        rows = [e["args"]["name"] for e in trace["traceEvents"] if e["name"] == "thread_name" and e["pid"] == 0]
        self.assertEqual(rows, ["steps", "computation", "communication", "host"])
        self.check_page(path, {"target__cuda__arch": "sm_90a", **values})

    def check_rank(self, events, names):
        def kind(event):
            return event["name"].split()[0]

        for _, inside in recorded_steps(self, events, (2, 3)):
            sections = [e["name"] for e in inside if e["cat"] == "section"]
            self.assertEqual(sections, ["begin", "micro", "micro", "reduce", "update"])
            # What a stream does follows one another. Half a microsecond is lost in the
            # times of events.
            for row in (COMPUTATION, COMMUNICATION, HOST):
                own = [e for e in inside if e["tid"] == row and e["name"] != "issue"]
                own.sort(key=lambda e: (e["ts"], e["dur"]))
                for one, other in zip(own, own[1:]):
                    self.assertLessEqual(one["ts"] + one["dur"], other["ts"] + 1)
            planned = [e for e in inside if "plan_step" in e["args"]]
            for event in planned:
                self.assertIn(re.sub("^gemm .*", "gemm", event["name"]), names)
                self.assertEqual(event["tid"], COMMUNICATION if kind(event) == "start" else COMPUTATION)
                least = {"gemm": 29, "start": 99, "wait": 0, "fence": 0, "clear": 4, "copy": 4}.get(kind(event), 9)
                self.assertGreaterEqual(event["dur"], least, event["name"])
            # The gradient of attention is several grids.
            calls = collections.Counter((e["args"]["plan_step"], e["args"]["micro_batch"], e["name"]) for e in planned)
            several = {name for (_, _, name), times in calls.items() if times > 1}
            self.assertIn("h.self_attention.attention_grad", several)
            numbers = {e["args"]["plan_step"] for e in planned}
            self.assertEqual(numbers, set(range(len(numbers))))
            self.assertLessEqual({"embeddings", "h.0", "h.1"}, {e["args"]["layer"] for e in planned})
            self.check_waits(inside)
            self.assertEqual(len([e for e in inside if e["name"] == "issue"]), len(sections))
            self.assertTrue(any(e["name"] == "copy of inputs" and e["tid"] == COMPUTATION for e in inside))
            self.assertTrue(any(e["name"] == "meeting" and e["tid"] == HOST for e in inside))

    def check_waits(self, events):
        """A wait ends when what it waits for has: the start of the last of its kind."""
        starts = [e for e in events if e["name"].startswith("start ")]
        self.assertGreater(len(starts), 5)
        for event in starts:
            self.assertGreater(event["args"]["bytes"], 0)
        exposed = sum(e["dur"] for e in events if e["name"].startswith("wait "))
        self.assertGreater(exposed, 0)
        # Gathers that are fetched ahead are in part behind computation.
        self.assertLess(exposed, sum(e["dur"] for e in starts))

    def check_page(self, path, values):
        page = self.out / "page.html"
        support.run([support.TESSERA, "plot", path, "-o", page, "--plan", BLOOM, *settings(values)])
        text = page.read_text()
        browser.check_page(text)
        self.assertEqual(text.count('<g class="picture">'), 3)
        self.assertIn("steps 2 to 3 of 2 ranks, a GPU each, ZeRO stage 3.", text)
        self.assertIn("<td>all_gather (beside computation)</td>", text)
        covered = float(re.search(r"<b>([\d.]+) %</b>of a step", text)[1])
        self.assertLessEqual(covered, 100)


if __name__ == "__main__":
    support.main()
