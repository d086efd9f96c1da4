# ===- test_cuda.py - Executables for GPUs, on doubles ----------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Emitted executables run on the libraries of test/runtime/cuda that stand in
# for CUDA's driver, cuBLASLt and NCCL: kernels are the compiler's own, each
# thread emulated; streams do their work as late as events allow, or at once.
#
# ===----------------------------------------------------------------------===#

import json
import math
import os
import re
import socket
import subprocess
import unittest

import support
import test_generation as texts

FAKES = support.BUILD / "test" / "fake-cuda"
ARCHITECTURES = "sm_80,sm_90a,sm_100"


class Executable:
    """An executable for GPUs and the libraries of its emulated kernels: of the model
    that is trained, and of the one that generates where there is one."""

    def __init__(self, specification, path, environment=support.ENVIRONMENT, **values):
        self.path = path
        values = {"target__cuda__arch": "sm_90a", **values}
        module = path.with_suffix(".mlir")
        fields = {key.replace("__", "."): value for key, value in values.items()}
        command = [support.TESSERA, "compile", specification, *support.settings(fields)]
        support.run([*command, "-o", path], env=environment)
        support.run([*command, "--compile-to=plan", "-o", module])
        self.kernels = path.with_suffix(".so")
        self.generating = path.with_suffix(".generation.so")
        emulate = [support.BUILD / "bin" / "emulate-kernels", module]
        if "module @generation " in module.read_text():
            support.run([*emulate, self.kernels, "training"])
            support.run([*emulate, self.generating, "generation"])
        else:
            support.run([*emulate, self.kernels])
            self.generating = self.kernels

    def doubles(self, command):
        """What has `command` run on doubles."""
        generates = command in ("generate", "logits", "score")
        return {
            "LD_LIBRARY_PATH": str(FAKES),
            "FAKE_CUDA_KERNELS": str(self.generating if generates else self.kernels),
            "OMP_NUM_THREADS": "1",
        }

    def run(self, arguments, world=1, check=True, **environment):
        """Runs a rank per process, as torchrun would start them, each with a GPU
        of its own unless told otherwise; what each said."""
        with socket.socket() as probe:
            probe.bind(("localhost", 0))
            port = probe.getsockname()[1]
        processes = []
        for rank in range(world):
            ranks = {
                "RANK": rank,
                "WORLD_SIZE": world,
                "LOCAL_RANK": rank,
                "LOCAL_WORLD_SIZE": world,
                "MASTER_ADDR": "localhost",
                "MASTER_PORT": port,
                "FAKE_CUDA_DEVICES": world,
            }
            variables = {
                **self.doubles(arguments[0]),
                **(ranks if world > 1 else {}),
                **environment,
            }
            variables = {key: str(value).format(rank=rank) for key, value in variables.items()}
            processes.append(
                subprocess.Popen(
                    [str(part) for part in [self.path, *arguments]],
                    env=dict(os.environ, **variables),
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
            )
        said = [process.communicate(timeout=600)[0] for process in processes]
        if check and any(process.returncode for process in processes):
            raise AssertionError("\n".join(said))
        return said

    def train(self, data, log, world=1, options=(), **environment):
        log.unlink(missing_ok=True)
        command = ["train", "--data", data, "--log", log, "--order", "sequential"]
        self.run([*command, *options], world, **environment)
        return support.read_log(log)


def smallest_that_generate():
    """Of the examples the smallest of each kind of kernels that generate: by the
    positions, which go with the layout of weights, and whether heads share keys."""
    smallest = {}
    for specification in support.EXAMPLES.glob("*.textproto"):
        text = specification.read_text()
        if positions := re.search(r"^  positions: (\w+)", text, re.M):
            kind = positions[1], "kv_heads" in text
            layers = int(re.search(r"^  layers: (\d+)", text, re.M)[1])
            smallest[kind] = min(smallest.get(kind, (math.inf, "")), (layers, specification))
    return [specification for _, specification in smallest.values()]


class Examples(unittest.TestCase):
    def test_all_compile(self):
        """For all architectures, with no register spilled, into an executable
        that says what it is and that it needs a GPU."""
        out = support.scratch("cuda-examples")
        smallest = smallest_that_generate()
        for specification in sorted(support.EXAMPLES.glob("*.textproto")):
            text = specification.read_text()
            if re.search(r"^audit ", text, re.M):
                continue  # audits of graphs run on CPUs
            is_graph = re.search(r"^gnn ", text, re.M)
            executable, report = out / specification.stem, out / "report.json"
            for precision in ("FP32", "BF16"):
                if precision == "BF16" and is_graph:
                    continue
                with self.subTest(specification.stem, precision=precision):
                    command = [support.TESSERA, "compile", specification, "-o", executable]
                    fields = {"target.cuda.arch": ARCHITECTURES}
                    fields["training.precision.compute"] = precision
                    # Kernels of generation take long: in FP32 one of each kind will do.
                    if not is_graph and (precision == "BF16" or specification in smallest):
                        fields["generation.batch"] = 8
                    command += support.settings(fields)
                    done = support.run([*command, "--kernel-report", report], check=False)
                    if "no CUDA toolkit" in done.stderr:
                        support.run(command)  # PTX alone
                    else:
                        self.assertEqual(done.returncode, 0, done.stderr)
                        self.check_report(report)
                    self.check_commands(executable)

    def test_wide_shared_heads(self):
        """Heads of 128 columns that share keys, and a sequence that ends within a
        tile: in fp32 no kernel has registers left, and none spills."""
        out = support.scratch("cuda-wide-heads")
        specification, report = out / "specification.textproto", out / "report.json"
        model = texts.MODELS["mistral"].replace("window: 37", "head_dim: 128")
        model = model.replace("sequence_length: 160", "sequence_length: 100")
        specification.write_text(model + texts.TRAINING)
        command = [support.TESSERA, "compile", specification, "-o", out / "exe"]
        command += ["--set", f"target.cuda.arch={ARCHITECTURES}", "--kernel-report", report]
        done = support.run(command, check=False)
        if "no CUDA toolkit" not in done.stderr:
            self.assertEqual(done.returncode, 0, done.stderr)
            self.check_report(report)

    def test_no_toolkit(self):
        """PTX alone, which the driver compiles when a run starts."""
        out = support.scratch("cuda-ptx")
        specification = support.EXAMPLES / "gcn-cora.textproto"
        nowhere = dict(support.ENVIRONMENT, CUDA_HOME=str(out))
        command = [support.TESSERA, "compile", specification, "-o", out / "exe"]
        command += ["--set", f"target.cuda.arch={ARCHITECTURES}"]
        support.run(command, env=nowhere)
        self.assertIn(b".target sm_80\n", (out / "exe").read_bytes())
        done = support.run(
            [*command, "--kernel-report", out / "report"], check=False, env=nowhere
        )
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no CUDA toolkit here", done.stderr)

    def check_report(self, report):
        functions = json.loads(report.read_text())
        if isinstance(functions[0], list):  # of several models
            functions = [function for model in functions for function in model]
        found = {function["architecture"] for function in functions}
        self.assertEqual(found, set(ARCHITECTURES.split(",")))
        for function in functions:
            self.assertEqual(function["spill_bytes"], 0, function)
            self.assertEqual(function["stack_bytes"], 0, function)

    def check_commands(self, executable):
        self.assertIn(executable.name, support.run([executable, "info"]).stdout)
        self.assertIn("train", support.run([executable, "--help"]).stdout)
        done = support.run([executable, "train", "--data", "text"], check=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.count("error:"), 1, done.stderr)


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
