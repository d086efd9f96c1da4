# ===- test_tutorials.py - The tutorials' commands -------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Reads the commands from docs/tutorials, whose blocks are indented by four, and runs each
# page's in a folder that has what the page says it takes. What commands say, as a page's
# fenced blocks have it, they do say, but for the numbers. Plans that other pages ask
# for are made as well.
#
# ===----------------------------------------------------------------------===#

import json
import pathlib
import re
import shlex
import sys
import textwrap
import unittest

import support

PAGES = support.ROOT / "docs" / "tutorials"
LICENCES = pathlib.Path("/usr/share/common-licenses")
SMALL = """
name: "bloom-560m"
tokenizer: "tokenizer.json"
transformer {
  names: BLOOM vocabulary: 420 layers: 2 hidden: 32 heads: 2 sequence_length: 16
  positions: ALIBI embedding_norm: true
}
training { global_batch: 1 steps: 1 optimizer { lr: 1e-3 } }
"""


FENCE = re.compile(r"^```text\n(.*?)^```$", re.M | re.S)


def commands(page):
    """The blocks of a page, as a script for bash."""
    blocks = re.findall(r"(?:(?:^    .*)?\n)+", FENCE.sub("", page.read_text()), re.M)
    return "".join(textwrap.dedent(block) for block in blocks)


def lines_without_numbers(text):
    return {re.sub(r"[-\d.,]+|\s+", " ", line).strip() for line in text.splitlines()}


class Tutorials(unittest.TestCase):
    def setUp(self):
        self.out = support.scratch(self.id().split(".")[-1])
        texts = [
            paragraph
            for path in sorted(LICENCES.iterdir())
            if path.is_file() and not path.is_symlink()
            for paragraph in path.read_text(errors="ignore").split("\n\n")
            if len(paragraph) > 80
        ]
        for name, part in (("corpus", texts[1:400]), ("held-out", texts[400:440])):
            lines = [json.dumps({"text": text}) + "\n" for text in part]
            (self.out / f"{name}.jsonl").write_text("".join(lines))
        (self.out / "corpus.txt").write_text("\n".join(texts[1:400]))
        (self.out / "examples").symlink_to(support.ROOT / "examples")

    def follow(self, name):
        """Runs a page; what its commands said."""
        script = commands(PAGES / f"{name}.md")
        self.assertGreater(script.count("tessera "), 1)
        path = f"{support.TESSERA.parent}:{support.ENVIRONMENT['PATH']}"
        # As one types them, but that mpirun may be root and have few cores.
        script = 'mpirun() { command mpirun --oversubscribe --bind-to none "$@"; }\n' + script
        environment = support.ENVIRONMENT | {"PATH": path}
        command = ["bash", "-euo", "pipefail", "-c", script]
        output = support.run(command, cwd=self.out, env=environment).stdout
        said = lines_without_numbers(output)
        for block in FENCE.findall((PAGES / f"{name}.md").read_text()):
            self.assertLessEqual(lines_without_numbers(block), said)
        return output

    def log(self, name):
        return [json.loads(line) for line in (self.out / name).read_text().splitlines()]

    def test_plans(self):
        """The plans that other pages ask for are made."""
        pages = [support.ROOT / "README.md", *sorted((support.ROOT / "docs").glob("*.md"))]
        text = "".join(page.read_text() for page in pages)
        found = re.findall(r"^    (?:build/bin/)?tessera (plan examples/.*[^\\])$", text, re.M)
        self.assertGreater(len(found), 4)
        for command in sorted(set(found)):
            support.run([support.TESSERA, *shlex.split(command)], cwd=self.out)

    def test_readme(self):
        """Its picture and its answer are those of today, but for a tenth of the numbers."""
        text = (support.ROOT / "README.md").read_text()
        command, answer = re.search(r"`tessera (plan [^`]*)`\s+answers[^`]*`(fits[^`]*)`", text).groups()
        said = support.run([support.TESSERA, *shlex.split(command)], cwd=self.out).stdout
        left = [float(re.search(r"fits 80.0 GB: (\S+) GB", part)[1]) for part in (answer, said)]
        self.assertLess(abs(left[0] / left[1] - 1), 0.1)

        drawn = self.out / "plan.svg"
        script = support.ROOT / "scripts" / "plan-picture"
        support.run([sys.executable, script, "--tessera", support.TESSERA, "-o", drawn], cwd=self.out)
        now, kept = drawn.read_text(), (support.ROOT / "docs" / "plan.svg").read_text()
        texts = [set(re.findall(r">([a-z_, ]+)</text>", picture)) for picture in (now, kept)]
        self.assertEqual(*texts, "make docs/plan.svg anew by scripts/plan-picture")
        self.assertIn("optimizer", texts[0])
        peaks = [float(re.search(r"peak in use: (\S+) GB", picture)[1]) for picture in (now, kept)]
        self.assertLess(abs(peaks[0] / peaks[1] - 1), 0.1, "make docs/plan.svg anew by scripts/plan-picture")

    def losses(self, output):
        return [float(loss) for loss in re.findall(r"^loss +(\S+)", output, re.M)]

    def check_predictions(self, output, samples):
        """A line for each sample; their means and accuracy are what eval says of all."""
        header, *lines = (self.out / "held-out.csv").read_text().splitlines()
        rows = [dict(zip(header.split(","), map(float, line.split(",")), strict=True)) for line in lines]
        self.assertEqual(len(rows), samples)
        tokens = sum(row["tokens"] for row in rows)
        loss = -sum(row["log_likelihood"] for row in rows) / tokens
        self.assertLess(min(abs(loss / said - 1) for said in self.losses(output)), 1e-5)
        accuracies = [float(said) for said in re.findall(r"^accuracy +(\S+)", output, re.M)]
        self.assertIn(round(sum(row["correct"] for row in rows) / tokens, 6), accuracies)
        return rows

    def check_folder(self, folder, *names):
        found = {path.name for path in (self.out / folder).iterdir()}
        self.assertEqual(found, {"config.json", "model.safetensors", "tokenizer.json", *names})

    def check_names(self, folder):
        """The ids of what the tokenizer's tokens are for are in config.json."""
        config = json.loads((self.out / folder / "config.json").read_text())
        found = [config[f"{name}_token_id"] for name in ("unk", "bos", "eos", "pad")]
        self.assertEqual(found, [0, 1, 2, 3])

    def publish_small(self):
        """A small model, with random weights, as the folder bloom-560m."""
        golden = json.loads((support.GOLDEN / "tokenizers" / "bloom.json").read_text())
        (self.out / "tokenizer.json").write_text(json.dumps(golden["tokenizer"]))
        (self.out / "small.textproto").write_text(SMALL)
        small = support.compile(self.out / "small.textproto", self.out / "small")
        (self.out / "tokens").write_bytes(bytes(20))
        data = ["--data", self.out / "tokens", "--data-type", "u8", "--steps", 0]
        support.run([small, "train", *data, "--save", self.out / "bloom-560m"])

    def test_audit(self):
        output = self.follow("audit")
        self.assertGreater(float(re.search(r"^test .* accuracy (\S+)", output, re.M)[1]), 0.78)
        self.assertEqual((self.out / "answers.csv").read_text().count("\n"), 2709)
        drawn, own = (json.loads((self.out / name / "report.json").read_text()) for name in ("report", "report-own"))
        self.assertEqual(len(drawn["runs"]), 3)
        self.assertEqual(len(own["runs"]), 3)
        found = re.search(r"^  within class +(\S+)", output, re.M)
        self.assertLess(float(found[1]), 0.65)  # the page's point: not much beside the class

    def test_compiler(self):
        output = self.follow("compiler")
        self.assertIn("zero.release", output)
        self.assertRegex(output, r"plan.program @train .* arena \d+")
        self.assertIn("math.tanh", output)
        self.assertRegex(output, r"step 20/20 +loss")
        self.assertTrue(output.endswith("refused\n"))
        self.assertIn("nn.silu", (self.out / "silu.mlir").read_text())

    def test_systems(self):
        output = self.follow("systems")
        self.assertEqual(len(re.findall(r"^ +[0-3] +(?:NONE|LAYER) ", output, re.M)), 8)
        self.assertIn("--set parallel.zero_stage=2\n", output)
        # Stages have the same losses; three runs are one.
        log, whole = self.log("log.jsonl"), self.log("whole.jsonl")
        self.assertEqual([line["step"] for line in log], list(range(1, 51)))
        self.assertEqual([line["loss"] for line in log[:30]], [line["loss"] for line in whole])
        self.assertLess(log[-1]["loss"], log[0]["loss"] - 2)
        self.assertIn("<svg", (self.out / "step.html").read_text())

    def test_finetune(self):
        self.publish_small()
        config = self.out / "bloom-560m" / "tokenizer_config.json"
        config.write_text('{"eos_token": "</s>"}')
        output = self.follow("finetune")
        before, after, rounded = self.losses(output)
        # Random weights, at a learning rate that is for trained ones.
        self.assertLess(after, before - 0.005)
        self.assertLess(abs(rounded / after - 1), 1e-2)
        self.assertIn("This license", output)
        rows = self.check_predictions(output, int(re.search(r"^samples +(\d+)", output, re.M)[1]))
        header, first = re.search(r"^(sample,.*)\n(.*)", output, re.M).groups()
        self.assertEqual(float(first.split(",")[2]), min(row["mean"] for row in rows))
        measured = [line for line in self.log("log.jsonl") if "val_accuracy" in line]
        self.assertEqual([line["step"] for line in measured], [20, 40, 60, 80])
        self.check_folder("tuned", "tokenizer_config.json")
        self.assertEqual(len((self.out / "log.jsonl").read_text().splitlines()), 80)

    def test_generate(self):
        self.publish_small()
        output = self.follow("generate")
        self.assertEqual(output.count("This license"), 3)
        self.assertIn("[sample 3 of 3]\nQ: What is a tessera? A:", output)
        lines = [json.loads(line) for line in (self.out / "texts.jsonl").read_text().splitlines()]
        self.assertEqual([line["id"] for line in lines], ["mosaic"] * 2 + ["license"] * 2)
        self.assertEqual({len(entry["top"]) for entry in lines[0]["logprobs"]}, {3})
        together = (self.out / "together.jsonl").read_text().splitlines()
        self.assertEqual([json.loads(line)["id"] for line in together], ["mosaic"] * 2 + ["license"] * 2)
        scores = (self.out / "scores.jsonl").read_text().splitlines()
        self.assertEqual([json.loads(line)["id"] for line in scores], [1, 2, 3])

    def test_pretrain(self):
        output = self.follow("pretrain")
        pair, text = self.losses(output)
        self.assertEqual(pair, text)
        self.assertLess(pair, 5.5)  # it begins at log(1024), 6.9
        self.assertIn("This license", output)
        self.check_predictions(output, int(re.search(r"^samples +(\d+)", output, re.M)[1]))
        self.assertTrue(any("val_accuracy" in line for line in self.log("log.jsonl")))
        self.check_folder("published", "tokenizer_config.json")
        self.check_names("published")
        again = (self.out / "again.jsonl").read_text().splitlines()
        held = (self.out / "held-out.jsonl").read_text().splitlines()
        self.assertEqual([json.loads(line)["text"] for line in again], [json.loads(line)["text"] for line in held])


if __name__ == "__main__":
    support.main()
