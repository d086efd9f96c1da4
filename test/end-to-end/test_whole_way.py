# ===- test_whole_way.py - From a published folder to a published folder ----===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Folders that transformers makes (test/reference/published.py) are imported, compiled,
# evaluated, trained on by two ranks and saved; transformers 5 and 4 load what comes of it
# and find eval's loss. The environments of both are made here (scripts/torch_environment.py).
#
# ===----------------------------------------------------------------------===#

import array
import json
import math
import os
import re
import subprocess
import sys
import unittest

import support

sys.path.insert(0, str(support.ROOT / "scripts"))
import torch_environment

WORLD = 2
SCRIPT = support.ROOT / "test" / "reference" / "published.py"


class WholeWay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        try:
            cls.environments = {"5": torch_environment.make(), "4": torch_environment.make_older()}
        except subprocess.CalledProcessError as error:
            if "CI" in os.environ:
                raise
            raise unittest.SkipTest(f"the packages cannot be installed: {error}") from error
        cls.out = support.scratch("whole-way")

    @classmethod
    def transformers(cls, version, *arguments, **options):
        python, environment = cls.environments[version]
        environment = environment | {"HF_HUB_OFFLINE": "1"}
        return support.run([python, SCRIPT, *arguments], env=environment, **options)

    def evaluate(self, executable, family, weights):
        command = [executable, "eval", "--data", self.out / family / "text.jsonl"]
        done = support.run([*command, "--init", weights])
        found = dict(re.findall(r"^(\S+) +(\S+)", done.stdout, re.M))
        return float(found["loss"]), float(found["perplexity"])

    def go(self, family):
        """The folders that come of a family's, and eval's losses of them."""
        out = self.out / family
        folder, text = out / "published", out / "text.jsonl"
        expected = json.loads((out / "expected.json").read_text())
        specification = out / "model.textproto"
        length = f"transformer.sequence_length={expected['sequence']}"
        command = [support.TESSERA, "import", folder, "-o", specification]
        support.run([*command, "--set", length])
        values = {"parallel__world": WORLD, "parallel__zero_stage": 3}
        executable = support.compile(
            specification, out / "model", training__global_batch=8, **values
        )
        loss, perplexity = self.evaluate(executable, family, folder)
        self.assertLess(abs(loss / expected["loss"] - 1), 1e-6)
        self.assertLess(abs(perplexity / math.exp(expected["loss"]) - 1), 1e-5)
        train = [*support.launcher(WORLD), executable, "train", "--data", text, "--steps", 4]
        train += ["--init", folder, "--checkpoint-dir", out / "checkpoints"]
        support.run([*train, "--save", out / "saved"])
        export = [executable, "export", "--checkpoint-dir", out / "checkpoints", "--like", folder]
        support.run([*export, "--out", out / "shards", "--shard-bytes", "20kB"])
        support.run([*export, "--out", out / "rounded", "--dtype", "bf16"])
        losses = {
            out / name: self.evaluate(executable, family, out / name)[0]
            for name in ("saved", "shards", "rounded")
        }
        self.assertLess(losses[out / "saved"], loss)
        self.assertEqual(losses[out / "saved"], losses[out / "shards"])
        return losses

    def test_whole_way(self):
        self.transformers("5", "make", self.out)
        losses = {}
        for folder in sorted(self.out.iterdir()):
            with self.subTest(folder.name):
                losses |= self.go(folder.name)
        self.assertTrue(losses)
        for version in self.environments:
            self.transformers(version, "load", *losses)
        for folder, loss in losses.items():
            reports = {
                version: json.loads(folder.with_name(f"{folder.name}-{version}.json").read_text())
                for version in self.environments
            }
            for version, report in reports.items():
                with self.subTest(f"{folder.parent.name} {folder.name}, transformers {version}"):
                    self.assertEqual(report["found"], {})
                    self.assertLess(abs(report["loss"] / loss - 1), 1e-6)
            with self.subTest(f"{folder.parent.name} {folder.name}, logits"):
                pairs = zip(reports["4"]["logits"], reports["5"]["logits"], strict=True)
                self.assertLess(max(abs(a - b) for a, b in pairs), 1e-5)

    def test_a_learned_tokenizer(self):
        """transformers loads what train-tokenizer writes, and finds the ids of tokenize."""
        folder, text = support.scratch("learned"), support.scratch("learned-text") / "text.txt"
        support.repeated_text(text, 20000)
        lines = [line for line in text.read_text(errors="ignore").splitlines() if line.strip()]
        text.write_text("".join(line + "\n" for line in lines))
        learn = [support.TESSERA, "train-tokenizer", text, "--vocabulary", 500]
        support.run([*learn, "-o", folder / "tokenizer.json"])
        tokens = text.with_name("tokens")
        tokenize = [support.TESSERA, "tokenize", text, "--lines", "--tokenizer", folder]
        support.run([*tokenize, "-o", tokens])
        ids = array.array("H", tokens.with_suffix(".bin").read_bytes()).tolist()
        for version in self.environments:
            done = self.transformers(version, "tokenize", folder, input=text.read_text())
            report = json.loads(done.stdout)
            found = report.pop("ids")
            self.assertEqual(report, {"unk": 0, "bos": 1, "eos": 2, "pad": 3})
            self.assertEqual([id for line in found for id in [*line, 2]], ids)


if __name__ == "__main__":
    support.main()
