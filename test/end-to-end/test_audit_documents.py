# ===- test_audit_documents.py - What a Transformer leaks of its documents --===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import csv
import json
import pathlib
import random
import re
import unittest

import support

COUNT, LENGTH, STEPS = 100, 200, 300
LICENCES = pathlib.Path("/usr/share/common-licenses")


def documents():
    """Pieces of the licences that each Debian machine carries, in random order."""
    text = "".join(
        path.read_text(errors="ignore")
        for path in sorted(LICENCES.iterdir())
        if path.is_file() and not path.is_symlink()
    )
    pieces = [text[i : i + LENGTH] for i in range(0, len(text) - LENGTH, LENGTH)]
    random.Random(1).shuffle(pieces)
    return pieces[:COUNT], pieces[COUNT : 2 * COUNT]


def write_lines(path, texts):
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return path


class Documents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.out = support.scratch("audit-documents")
        source = (support.EXAMPLES / "bloom-tiny.textproto").read_text()
        specification = cls.out / "spec.textproto"
        specification.write_text(source + "\naudit { }\n")
        cls.exe = support.compile(specification, cls.out / "exe", parallel__world=1)
        members, others = documents()
        cls.members = write_lines(cls.out / "members.jsonl", members)
        cls.others = write_lines(cls.out / "others.jsonl", others)
        (cls.out / "train.txt").write_text("".join(members))
        cls.weights = {}
        for name, steps in (("trained", STEPS), ("untrained", 0)):
            cls.weights[name] = cls.out / f"{name}.safetensors"
            options = ["--steps", str(steps), "--save", cls.weights[name]]
            command = [cls.exe, "train", "--data", cls.out / "train.txt", *options]
            support.run([str(part) for part in command])

    def audit(self, *options, check=True):
        command = [self.exe, "audit", *options]
        return support.run([str(part) for part in command], check=check)

    def report(self, weights, *options):
        folder = self.out / "report"
        self.audit(
            *["--members", self.members, "--non-members", self.others],
            *["--init", self.weights[weights], "--report", folder, *options],
        )
        with open(folder / "documents.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        return json.loads((folder / "report.json").read_text()), rows

    def test_a_trained_model_knows_its_documents(self):
        reference = self.weights["untrained"]
        report, rows = self.report("trained", "--reference", reference)
        self.assertGreaterEqual(report["mean"]["attack"]["auroc"], 0.9)
        self.assertEqual(len(rows), 2 * COUNT)
        for score in ("loss_over_zlib", "min_k", "min_k_pp", "loss_over_reference"):
            pairs = [(float(row[score]), row["member"]) for row in rows]
            members = [value for value, member in pairs if member == "1"]
            others = [value for value, member in pairs if member == "0"]
            wins = sum(a > b for a in members for b in others)
            self.assertGreater(wins, 0.8 * COUNT * COUNT, score)

    def test_an_untrained_model_knows_nothing(self):
        report, _ = self.report("untrained")
        self.assertAlmostEqual(report["mean"]["attack"]["auroc"], 0.5, delta=0.08)

    def test_losses_are_those_of_eval(self):
        # A document of one window: eval's loss of the same bytes.
        sequence = 128
        text = (self.out / "train.txt").read_text()[: sequence + 1]
        (self.out / "one.txt").write_text(text)
        one = write_lines(self.out / "one.jsonl", [text])
        weights = self.weights["trained"]
        folder = self.out / "one"
        self.audit(
            *["--members", one, "--non-members", one, "--init", weights],
            *["--report", folder],
        )
        with open(folder / "documents.csv", newline="") as file:
            score = float(next(csv.DictReader(file))["loss"])
        command = [self.exe, "eval", "--data", self.out / "one.txt", "--init", weights]
        output = support.run([str(part) for part in command]).stdout
        loss = float(re.search(r"^loss +([0-9.]+)", output, re.M).group(1))
        self.assertAlmostEqual(-score, loss, delta=2e-6 * loss)

    def test_beside_generation(self):
        """An executable that generates from a cache audits as one that does not."""
        exe = support.compile(
            self.out / "spec.textproto", self.out / "both", parallel__world=1, generation__batch=2
        )
        weights, reports = self.weights["trained"], []
        for executable in (self.exe, exe):
            folder = self.out / f"report-{executable.name}"
            command = [executable, "audit", "--members", self.members, "--non-members"]
            support.run([*command, self.others, "--init", weights, "--report", folder])
            reports.append((folder / "documents.csv").read_text())
        self.assertEqual(*reports)
        text = [exe, "generate", "--init", weights, "--prompt", "This license"]
        texts = [support.run([*text, "--max-tokens", 16]).stdout for _ in range(2)]
        self.assertEqual(*texts)
        self.assertGreater(len(texts[0]), len("This license"))
        output = support.run([exe, "info"]).stdout
        for program in ("train", "decode", "prefill"):
            self.assertRegex(output, rf"(?m)^  \S+ +{program} ")

    def test_what_cannot_be_audited_is_refused(self):
        weights = ["--init", self.weights["untrained"]]
        files = ["--members", self.members, "--non-members", self.others]

        def refused(text, *options):
            done = self.audit(*options, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(text, done.stderr)

        refused("'audit' needs --members", *weights)
        refused("'audit' needs --init", *files)
        refused("--data is for audits of graphs", *files, *weights, "--data", "x")
        empty = self.out / "empty.jsonl"
        empty.write_text("\n")
        refused("has no documents", "--members", empty, *files[2:], *weights)
        short = write_lines(self.out / "short.jsonl", ["ab", "c"])
        refused("short.jsonl:2' has 1 tokens", "--members", short, *files[2:], *weights)
        wrong = self.out / "wrong.jsonl"
        wrong.write_text('{"tokens": [1, 256]}\n')
        refused("is 256", "--members", wrong, *files[2:], *weights)
        wrong.write_text('{"txt": "a"}\n')
        refused("wrong.jsonl:1' cannot be read", "--members", wrong, *files[2:], *weights)

    def test_a_folder_of_files(self):
        folder = self.out / "folder"
        folder.mkdir(exist_ok=True)
        (folder / "b").write_text("some text")
        (folder / "a").write_text("other text")
        self.audit(
            *["--members", folder, "--non-members", folder],
            *["--init", self.weights["untrained"], "--report", self.out / "two"],
        )
        with open(self.out / "two" / "documents.csv", newline="") as file:
            names = [row["document"].rsplit("/", 1)[1] for row in csv.DictReader(file)]
        self.assertEqual(names, ["a", "b", "a", "b"])


if __name__ == "__main__":
    unittest.main()
