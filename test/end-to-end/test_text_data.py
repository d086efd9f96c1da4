# ===- test_text_data.py - Text as the data of executables with a tokenizer -===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Text that train, eval and audit tokenize is what `tessera tokenize` makes of it.
#
# ===----------------------------------------------------------------------===#

import array
import csv
import gzip
import itertools
import json
import re
import struct
import unittest

import support

WORLD = 2
SPECIFICATION = """
name: "speaks"
tokenizer: "published"
transformer {
  names: BLOOM vocabulary: 512 layers: 1 hidden: 32 heads: 2 sequence_length: 16
  positions: ALIBI embedding_norm: true
}
training { global_batch: 4 steps: 3 optimizer { lr: 1e-3 } }
audit { }
"""


class TextData(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.out = support.scratch("text-data")
        golden = json.loads((support.GOLDEN / "tokenizers" / "bloom.json").read_text())
        folder = cls.out / "published"
        folder.mkdir()
        (folder / "tokenizer.json").write_text(json.dumps(golden["tokenizer"]))
        (folder / "tokenizer_config.json").write_text('{"eos_token": "</s>"}')
        specification = cls.out / "speaks.textproto"
        specification.write_text(SPECIFICATION)
        values = {"parallel__world": WORLD, "parallel__zero_stage": 3}
        cls.exe = support.compile(specification, cls.out / "exe", **values)
        texts = [case["text"] for case in golden["cases"] if case["text"]]
        cls.texts = (texts * 8)[:400]
        cls.lines = "".join(json.dumps({"text": text, "n": 1}) + "\n" for text in cls.texts)
        cls.jsonl = cls.out / "text.jsonl"
        cls.jsonl.write_text(cls.lines)
        cls.pair = cls.tokenize(cls.jsonl, "pair")
        cls.temporary = cls.out / "temporary"
        cls.temporary.mkdir()
        cls.environment = dict(support.ENVIRONMENT, TMPDIR=str(cls.temporary))

    @classmethod
    def tokenize(cls, path, name, *options):
        command = [support.TESSERA, "tokenize", path, "--tokenizer", cls.out / "published"]
        support.run([*command, "-o", cls.out / name, *options])
        return cls.out / name

    def evaluate(self, data, *options, check=True):
        command = [self.exe, "eval", "--data", data, *options]
        return support.run(command, check=check, env=self.environment)

    def loss(self, data, *options):
        found = dict(re.findall(r"^(\S+) +(\S+)", self.evaluate(data, *options).stdout, re.M))
        return float(found["loss"]), found["samples"]

    def test_eval(self):
        """Each form of text, against the pair that is made of it."""
        expected = self.loss(self.pair)
        self.assertEqual(self.loss(self.jsonl), expected)
        packed = self.out / "text.jsonl.gz"
        packed.write_bytes(gzip.compress(self.lines.encode()))
        self.assertEqual(self.loss(packed), expected)
        field = self.out / "field.jsonl"
        field.write_text(self.lines.replace('"text"', '"body"'))
        self.assertEqual(self.loss(field, "--field", "body"), expected)
        plain = self.out / "text.txt"
        plain.write_text("\n".join(self.texts))
        for options in ([], ["--no-end"], ["--lines"], ["--end", "<unk>"]):
            pair = self.tokenize(plain, "plain", *options)
            self.assertEqual(self.loss(plain, *options), self.loss(pair))
        self.assertNotEqual(self.loss(plain), self.loss(plain, "--lines"))
        self.assertIn("data        text u16", self.evaluate(plain).stdout)
        # A type that is given, or a file that says itself, is as without a tokenizer.
        tokens = ["--data-type", "u16"]
        self.assertEqual(self.loss(self.pair.with_suffix(".bin"), *tokens), expected)
        self.assertEqual(list(self.temporary.iterdir()), [])

    def test_train(self):
        """Ranks share what one of them has tokenized; a run goes on on the same text."""
        losses = {}
        for data in (self.pair, self.jsonl):
            checkpoints = self.out / f"{data.name}-checkpoints"
            options = ["--steps", 3, "--checkpoint-dir", checkpoints]
            log = support.train(
                self.exe, data, self.out / "log", WORLD, options, env=self.environment
            )
            losses[data] = support.losses(log)
        self.assertEqual(losses[self.jsonl], losses[self.pair])
        self.assertEqual(list(self.temporary.iterdir()), [])
        options = ["--steps", 4, "--checkpoint-dir", checkpoints, "--resume"]
        command = [*support.launcher(WORLD), self.exe, "train", "--data"]
        support.run([*command, self.jsonl, *options])
        options[1] = 5
        other = self.out / "other.jsonl"
        other.write_text(self.lines[: self.lines.index("\n") + 1] + self.lines)
        done = support.run([*command, other, *options], check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("--allow data", done.stderr)

    def test_audit(self):
        """Members and others are texts, packed or not."""
        half = self.lines.splitlines(keepends=True)
        members, others = self.out / "members.jsonl", self.out / "others.jsonl.gz"
        members.write_text("".join(line for line in half[:40] if len(line) > 60))
        others.write_bytes(
            gzip.compress("".join(line for line in half[40:] if len(line) > 60).encode())
        )
        weights, scores = self.out / "weights.safetensors", {}
        train = [*support.launcher(WORLD), self.exe, "train", "--data", self.pair, "--steps", 1]
        support.run([*train, "--save", weights])
        for name in ("text", "tokens"):
            report = self.out / f"report-{name}"
            options = ["--members", members, "--non-members", others, "--report", report]
            support.run([self.exe, "audit", "--init", weights, *options])
            with open(report / "documents.csv", newline="") as file:
                scores[name] = [row["loss"] for row in csv.DictReader(file)]
            # The tokens themselves, from the pair of all documents.
            lines = [json.dumps({"tokens": ids}) + "\n" for ids in self.documents()]
            kept = [lines[i] for i, line in enumerate(half) if len(line) > 60]
            first = sum(len(line) > 60 for line in half[:40])
            members.write_text("".join(kept[:first]))
            others.write_bytes(gzip.compress("".join(kept[first:]).encode()))
        self.assertGreater(len(scores["text"]), 100)
        self.assertEqual(scores["text"], scores["tokens"])

    def documents(self):
        """The tokens of all documents without their ends."""
        index = self.pair.with_suffix(".idx").read_bytes()
        (count,) = struct.unpack_from("<Q", index, 18)
        lengths = struct.unpack_from(f"<{count}i", index, 34)
        tokens = array.array("H")
        tokens.frombytes(self.pair.with_suffix(".bin").read_bytes())
        ends = itertools.accumulate(lengths)
        return [tokens[end - n : end - 1].tolist() for n, end in zip(lengths, ends)]

    def test_refusals(self):
        """One error of all ranks, and nothing left."""

        alone = [self.exe, "eval"]
        together = [*support.launcher(WORLD), self.exe, "train", "--steps", 1]

        def refuses(error, data, *options, of=(alone, together), environment=None):
            for command in of:
                command = [*command, "--data", data, *options]
                done = support.run(command, check=False, env=environment or self.environment)
                self.assertEqual(done.returncode, 1)
                self.assertIn(error, done.stderr)
                self.assertEqual(done.stderr.count("error:"), 1, done.stderr)
                self.assertEqual(list(self.temporary.iterdir()), [])

        bad = self.out / "bad.jsonl"
        bad.write_text(self.lines + "{\n")
        refuses(f"the text '{bad}' line {self.lines.count(chr(10)) + 1} is no JSON", bad)
        refuses("has no token '<end>' to end a document with", self.jsonl, "--end", "<end>")
        refuses("--field is of no use: ", self.pair, "--field", "body")
        # mpirun itself would make the folder.
        nowhere = self.environment | {"TMPDIR": str(self.out / "nowhere")}
        refuses("TMPDIR names another folder", self.jsonl, of=[alone], environment=nowhere)
        bad.write_bytes(b"\xfd7zXZ\0abcdefgh")
        refuses("xz", bad)
        bad.write_text('{"text": "a"}\n')
        refuses("one sample takes", bad)


if __name__ == "__main__":
    support.main()
