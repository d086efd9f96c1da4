# ===- test_cuda_examples.py - Examples for all GPUs -----------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Every example compiles for all architectures, with no register spilled. Nothing of them
# runs but what needs no GPU.
#
# ===----------------------------------------------------------------------===#

import json
import math
import re
import unittest

import support
import test_generation as texts

ARCHITECTURES = "sm_80,sm_90a,sm_100"


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


if __name__ == "__main__":
    support.main()
