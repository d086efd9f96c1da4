# ===- test_tutorials.py - The tutorials' commands -------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Reads the commands from docs/tutorials, whose blocks are indented by four, and runs each
# page's in a folder that has what the page says it takes.
#
# ===----------------------------------------------------------------------===#

import json
import pathlib
import re
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


def commands(page):
    """The blocks of a page, as a script for bash."""
    blocks = re.findall(r"(?:(?:^    .*)?\n)+", page.read_text(), re.M)
    return "".join(textwrap.dedent(block) for block in blocks)


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

    def follow(self, name):
        """Runs a page; what its commands said."""
        script = commands(PAGES / f"{name}.md")
        self.assertGreater(script.count("tessera "), 1)
        path = f"{support.TESSERA.parent}:{support.ENVIRONMENT['PATH']}"
        # As one types them, but that mpirun may be root and have few cores.
        script = 'mpirun() { command mpirun --oversubscribe --bind-to none "$@"; }\n' + script
        environment = support.ENVIRONMENT | {"PATH": path}
        command = ["bash", "-euo", "pipefail", "-c", script]
        return support.run(command, cwd=self.out, env=environment).stdout

    def losses(self, output):
        return [float(loss) for loss in re.findall(r"^loss +(\S+)", output, re.M)]

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
        self.check_folder("published", "tokenizer_config.json")
        self.check_names("published")
        again = (self.out / "again.jsonl").read_text().splitlines()
        held = (self.out / "held-out.jsonl").read_text().splitlines()
        self.assertEqual([json.loads(line)["text"] for line in again], [json.loads(line)["text"] for line in held])


if __name__ == "__main__":
    support.main()
