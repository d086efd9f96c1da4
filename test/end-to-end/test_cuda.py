# ===- test_cuda.py - Training on GPUs, on doubles -------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# What executables for GPUs train, on one rank and on several, against transformers,
# PyTorch Geometric and CPUs.
#
# ===----------------------------------------------------------------------===#

import json
import re
import unittest

import support
from doubles import Executable


class Golden(unittest.TestCase):
    """The numbers of transformers and PyTorch Geometric (test_golden.py)."""

    def check(self, name, data, steps, tolerance=1e-4, **values):
        folder = support.GOLDEN / name
        expected = json.loads((folder / "expected.json").read_text())
        out = support.scratch(f"cuda-{name}")
        executable = Executable(folder / "specification.textproto", out / "exe", **values)
        init = ["--init", folder / "weights.safetensors"]
        logs = [
            support.losses(
                executable.train(
                    folder / data,
                    out / f"log-{order}",
                    options=[*init, "--steps", steps],
                    FAKE_CUDA_ORDER=order,
                )
            )
            for order in ("lazy", "eager")
        ]
        self.assertEqual(logs[0], logs[1])
        self.assertEqual(len(logs[0]), steps)
        for step, (loss, reference) in enumerate(zip(logs[0], expected["losses"])):
            self.assertLess(abs(loss / reference - 1), tolerance, f"step {step + 1}")
        if tolerance > 1e-4:
            return
        gradients = out / "gradients.safetensors"
        executable.run(["grads", "--data", folder / data, *init, "--out", gradients])
        actual = support.read_safetensors(gradients)
        reference = support.read_safetensors(folder / "gradients.safetensors")
        for key, (shape, numbers) in reference.items():
            self.assertEqual(actual[key][0], shape, key)
            distance = support.relative_distance(actual[key][1], numbers)
            self.assertLess(distance, 1e-4, f"gradient of {key}")

    def test_gcn(self):
        self.check("gcn", "graph.safetensors", 20)

    def test_bloom(self):
        self.check("bloom-3-heads", "tokens", 6)
        self.check("bloom-4-heads", "tokens.bytes", 6)

    def test_gpt2(self):
        self.check("gpt2-3-heads", "tokens", 6)
        self.check("gpt2-4-heads", "tokens", 6, target__cuda__gelu_epilogue="true")
        self.check("gpt2-relu2", "tokens", 6)

    def test_bf16(self):
        for name, data in (("bloom-4-heads", "tokens.bytes"), ("gpt2-4-heads", "tokens")):
            self.check(name, data, 6, 1e-2, training__precision__compute="BF16")


class Ranks(unittest.TestCase):
    def check(self, name, data, steps, values=(), **environment):
        """All stages have the losses of stage 0, to the bit, whatever the order
        in which streams do their work."""
        folder = support.GOLDEN / name
        expected = json.loads((folder / "expected.json").read_text())
        out = support.scratch(f"cuda-ranks-{name}")
        first = None
        for stage in range(4):
            executable = Executable(
                folder / "specification.textproto",
                out / f"stage-{stage}",
                parallel__world=2,
                parallel__zero_stage=stage,
                **dict(values),
            )
            for order in ("lazy", "eager"):
                log = executable.train(
                    folder / data,
                    out / "log",
                    2,
                    ["--init", folder / "weights.safetensors", "--steps", steps],
                    FAKE_CUDA_ORDER=order,
                    **environment,
                )
                losses = support.losses(log)
                first = first or losses
                self.assertEqual(losses, first, f"stage {stage}, {order}")
        for loss, reference in zip(first, expected["losses"]):
            self.assertLess(abs(loss / reference - 1), 1e-4)

    def check_calls(self, executable, log, stage):
        """The log of a rank's first step: for each collective of the plan, in
        its order, NCCL is called with elements and on a stream of its own, which
        waits for the computation before it, and for which the computation waits
        before it goes on."""
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        issued = [line for line in lines if line.get("issue", "").startswith("nccl")]
        info = json.loads(support.run([executable.path, "info", "--json"]).stdout)
        types = {"f32": 7, "f64": 8}
        names = {
            "all_gather": "ncclAllGather",
            "reduce_scatter": "ncclReduceScatter",
            "all_reduce": "ncclAllReduce",
        }
        expected = []
        for collective in info["programs"]["train"]["collectives"]:
            count = collective["elements"]
            if collective["kind"] != "all_reduce":
                count //= 2
            place = " in place" if collective["in_place"] else ""
            name = names[collective["kind"]]
            expected.append(f"{name} {count} of type {types[collective['type']]} among 2{place}")
        self.assertEqual([line["issue"] for line in issued], expected, f"stage {stage}")
        waits = {}  # event of a collective's end -> where the computation waits
        for at, line in enumerate(lines):
            if line.get("issue", "").startswith("nccl"):
                own = line["stream"]
                before = [entry for entry in lines[:at] if "event" in entry][-2:]
                after = next(entry for entry in lines[at + 1 :] if "event" in entry)
                self.assertEqual(
                    [entry["call"] for entry in before], ["cuEventRecord", "cuStreamWaitEvent"]
                )
                computing = before[0]["stream"]
                self.assertNotEqual(computing, own)
                self.assertEqual(before[1]["stream"], own)
                self.assertEqual(before[0]["event"], before[1]["event"])
                self.assertEqual((after["call"], after["stream"]), ("cuEventRecord", own))
                waits[after["event"]] = None
            elif line.get("call") == "cuStreamWaitEvent" and line["event"] in waits:
                self.assertNotEqual(line["stream"], own)
                waits[line["event"]] = at
        self.assertNotIn(None, waits.values())

    def test_calls(self):
        """What the doubles record of one step, issued and then as a graph."""
        folder = support.GOLDEN / "gcn"
        out = support.scratch("cuda-calls")
        for stage in range(4):
            executable = Executable(
                folder / "specification.textproto",
                out / f"stage-{stage}",
                parallel__world=2,
                parallel__zero_stage=stage,
            )
            data, log = folder / "graph.safetensors", out / f"log-{stage}"
            trace = out / f"trace-{stage}-{{rank}}"
            executable.train(
                data, log, 2, ["--steps", "1"], FAKE_CUDA_LOG=trace, TESSERA_GRAPHS=0
            )
            for rank in range(2):
                self.check_calls(executable, out / f"trace-{stage}-{rank}", stage)
            # Of four steps the last two are launches of graphs alone.
            trace = out / f"graphs-{stage}-{{rank}}"
            executable.train(data, log, 2, ["--steps", "4"], FAKE_CUDA_LOG=trace)
            lines = [
                json.loads(line)
                for line in (out / f"graphs-{stage}-0").read_text().splitlines()
            ]
            ends = [i for i, line in enumerate(lines) if line.get("call") == "cuStreamEndCapture"]
            replayed = {line["call"] for line in lines[ends[-1] :] if "call" in line}
            self.assertIn("cuGraphLaunch", replayed)
            self.assertNotIn("cuLaunchKernel", replayed)
            captured = [
                line["issue"]
                for line in lines[ends[0] : ends[-1]]
                if line.get("issue", "").startswith("nccl")
            ]
            plain = [
                json.loads(line).get("issue", "")
                for line in (out / f"trace-{stage}-0").read_text().splitlines()
            ]
            self.assertEqual(captured, [name for name in plain if name.startswith("nccl")])

    def test_nccl(self):
        self.check("gcn", "graph.safetensors", 8)
        self.check("bloom-4-heads", "tokens.bytes", 3)

    def test_accumulation(self):
        """Two micro-batches, whose gradients are summed as they come or once."""
        self.check("bloom-4-heads", "tokens.bytes", 3, {"training__micro_batch": 1})

    def test_staged(self):
        self.check("gcn", "graph.safetensors", 8, FAKE_CUDA_DEVICES=1)


class Commands(unittest.TestCase):
    def test_eval(self):
        """As the CPU's, by weights that a GPU has trained."""
        folder = support.GOLDEN / "gcn"
        data = folder / "graph.safetensors"
        out = support.scratch("cuda-commands")
        gpu = Executable(folder / "specification.textproto", out / "gpu")
        weights = ["--init", folder / "weights.safetensors", "--save", out / "trained"]
        gpu.train(data, out / "log", options=[*weights, "--steps", "4"])
        support.compile(folder / "specification.textproto", out / "cpu")
        command = ["eval", "--data", data, "--init", out / "trained"]
        measured = [
            [float(number) for number in re.findall(r"[0-9]+\.[0-9]+", text)]
            for text in (gpu.run(command)[0], support.run([out / "cpu", *command]).stdout)
        ]
        # Under a launcher it is the first rank's work.
        ranks = {"WORLD_SIZE": 2, "LOCAL_RANK": 0, "LOCAL_WORLD_SIZE": 2}
        said = gpu.run(command, RANK=1, **ranks)
        self.assertEqual(len(said), 1)
        self.assertRegex(said[0], r"^gpu: rank 1 has nothing to do: 'eval' [^\n]*\n$")
        self.assertEqual(len(measured[0]), 6)  # loss and accuracy of three splits
        for ours, theirs in zip(*measured):
            self.assertLess(abs(ours - theirs), 1e-5)

    def test_validates(self):
        """While it trains, as the CPU does: of a text, and of a graph's splits."""
        for name, data, *options in (
            ("bloom-4-heads", "tokens.bytes", "--eval-data", support.GOLDEN / "bloom-4-heads/tokens.bytes"),
            ("gcn", "graph.safetensors"),
        ):
            with self.subTest(name):
                folder, out = support.GOLDEN / name, support.scratch(f"cuda-validates-{name}")
                options = ["--init", folder / "weights.safetensors", "--eval-every", 2, "--steps", 4, *options]
                gpu = Executable(folder / "specification.textproto", out / "gpu")
                ours = gpu.train(folder / data, out / "gpu.log", options=options)
                cpu = support.compile(folder / "specification.textproto", out / "cpu")
                command = ["train", "--data", folder / data, "--log", out / "log", *options]
                support.run([cpu, *command, "--order", "sequential"])
                theirs = support.read_log(out / "log")
                measured = [key for key in theirs[-1] if key.endswith(("_loss", "_accuracy"))]
                self.assertEqual(len(measured), 6 if name == "gcn" else 2)
                for mine, other in zip(ours, theirs):
                    self.assertEqual("val_loss" in mine, mine["step"] % 2 == 0)
                    for key in measured if "val_loss" in mine else []:
                        self.assertLess(abs(mine[key] - other[key]), 1e-5, key)

    def test_generate(self):
        """The CPU's text, by the same weights."""
        out = support.scratch("cuda-generate")
        data = support.repeated_text(out / "text.txt", 1 << 14)
        fields = {
            "transformer__layers": 1,
            "transformer__hidden": 32,
            "transformer__sequence_length": 32,
            "training__global_batch": 4,
            "parallel__world": 1,
            "parallel__zero_stage": 0,
        }
        specification = support.EXAMPLES / "bloom-tiny.textproto"
        gpu = Executable(specification, out / "gpu", **fields)
        cpu = support.compile(specification, out / "cpu", **fields)
        weights = out / "weights.safetensors"
        log = gpu.train(data, out / "log", options=["--steps", "4", "--save", weights])
        reference = support.train(cpu, data, out / "cpu-log", options=["--steps", "4"])
        for ours, theirs in zip(support.losses(log), support.losses(reference)):
            self.assertLess(abs(ours / theirs - 1), 1e-5)
        command = ["generate", "--init", weights, "--prompt", "This ", "--max-tokens", "8"]
        text = support.run([cpu, *command]).stdout
        # What it says besides, how fast it was, comes after the text.
        speed = r"8 tokens in [^\n]*\n"
        self.assertRegex(gpu.run(command)[0], rf"\A{re.escape(text)}{speed}\Z")


if __name__ == "__main__":
    support.main()
