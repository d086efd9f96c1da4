# ===- test_tokenizers.py - Texts to tokens and back -----------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# The commands tokenize, detokenize and train-tokenizer on the golden files'
# tokenizers. Ids of published vocabularies on many texts are compared by
# test/golden/compare_tokenizers.py, which needs the packages that have them.
#
# ===----------------------------------------------------------------------===#

import array
import gzip
import json
import signal
import struct
import subprocess
import time
import unittest

from support import GOLDEN, TESSERA, run, scratch


def read_pair(prefix):
    """The documents of an MMIDIDX pair."""
    index = (prefix.parent / f"{prefix.name}.idx").read_bytes()
    assert index[:9] == b"MMIDIDX\0\0" and struct.unpack_from("<Q", index, 9) == (1,)
    code, sequences, bounds = struct.unpack_from("<BQQ", index, 17)
    lengths = struct.unpack_from(f"<{sequences}i", index, 34)
    offsets = struct.unpack_from(f"<{sequences}q", index, 34 + 4 * sequences)
    documents = struct.unpack_from(f"<{bounds}q", index, 34 + 12 * sequences)
    assert documents == tuple(range(sequences + 1)), documents
    tokens = array.array({8: "H", 4: "i"}[code])
    tokens.frombytes((prefix.parent / f"{prefix.name}.bin").read_bytes())
    return [
        tokens[offset // tokens.itemsize :][:length].tolist() for offset, length in zip(offsets, lengths, strict=True)
    ]


class Tokenizers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = scratch("tokenizers")
        cls.golden = json.loads((GOLDEN / "tokenizers" / "bloom.json").read_text())
        cls.tokenizer = cls.folder / "tokenizer.json"
        cls.tokenizer.write_text(json.dumps(cls.golden["tokenizer"]))
        cls.cases = [case for case in cls.golden["cases"] if case["text"]]
        cls.lines = "".join(json.dumps({"n": 1, "text": case["text"]}) + "\n" for case in cls.cases)

    def tokenize(self, *arguments, **options):
        return run([TESSERA, "tokenize", "--tokenizer", self.tokenizer, *arguments], **options)

    def refused(self, *arguments):
        done = self.tokenize(*arguments, "-o", self.folder / "refused", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(list(self.folder.glob("refused*")), [])
        return done.stderr

    def test_lines_of_json(self):
        path = self.folder / "lines.jsonl"
        path.write_text(self.lines)
        prefix = self.folder / "lines"
        self.tokenize(path, "--end=</s>", "-o", prefix)
        self.assertEqual(read_pair(prefix), [case["ids"] + [2] for case in self.cases])

    def test_packed_files_and_another_field(self):
        path = self.folder / "packed.jsonl.gz"
        first, second = self.lines[:1000], self.lines[1000:]
        text = first.replace('"text"', '"content"'), second.replace('"text"', '"content"')
        path.write_bytes(b"".join(gzip.compress(part.encode()) for part in text))
        prefix = self.folder / "packed"
        self.tokenize(path, "--field=content", "--no-end", "-o", prefix)
        self.assertEqual(read_pair(prefix), [case["ids"] for case in self.cases])

    def test_files_and_lines(self):
        texts = [case["text"] for case in self.cases if "\n" not in case["text"]][:5]
        paths = [self.folder / f"text{i}" for i in range(5)]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text)
        ids = {case["text"]: case["ids"] for case in self.cases}
        self.tokenize(*paths, "--no-end", "-o", self.folder / "files")
        self.assertEqual(read_pair(self.folder / "files"), [ids[text] for text in texts])
        paths[0].write_text("\n".join(texts) + "\n\n")
        done = self.tokenize(paths[0], "--lines", "--no-end", "-o", self.folder / "files")
        self.assertEqual(read_pair(self.folder / "files"), [ids[text] for text in texts])
        self.assertIn("1 empty documents are left out", done.stderr)

    def test_many_documents_keep_their_order(self):
        path = self.folder / "many.jsonl"
        path.write_text(self.lines * 300)
        self.tokenize(path, "--no-end", "--threads=3", "-o", self.folder / "many")
        self.assertEqual(read_pair(self.folder / "many"), [case["ids"] for case in self.cases] * 300)

    def test_back_to_text(self):
        path = self.folder / "back.jsonl"
        path.write_text(self.lines)
        prefix = self.folder / "back"
        self.tokenize(path, "--no-end", "-o", prefix)
        again = self.folder / "again.jsonl"
        command = [TESSERA, "detokenize", prefix, "--tokenizer", self.tokenizer]
        run([*command, "--keep-special", "-o", again])
        self.assertEqual(
            [json.loads(line)["text"] for line in again.read_text().splitlines()],
            [case["decoded"] for case in self.cases],
        )
        run([*command, "-o", self.folder / "again.txt"])
        text = (self.folder / "again.txt").read_bytes().decode()
        self.assertEqual(text, "\n".join(case["plain"] for case in self.cases))

    def test_the_end_is_what_the_folder_says(self):
        folder = self.folder / "published"
        folder.mkdir()
        (folder / "tokenizer.json").write_text(self.tokenizer.read_text())
        (folder / "tokenizer_config.json").write_text('{"eos_token": {"content": "</s>"}}')
        path = self.folder / "one"
        path.write_text("Hello world")
        run([TESSERA, "tokenize", path, "--tokenizer", folder, "-o", self.folder / "one"])
        self.assertEqual(read_pair(self.folder / "one")[0][-1], 2)
        self.assertIn("nothing says which token ends a document", self.refused(path))
        self.assertIn("has no token '<end>'", self.refused(path, "--end=<end>"))

    def test_what_is_refused(self):
        path = self.folder / "bad.jsonl"
        for line, reason in {
            "{": "is no JSON",
            "[1]": "is no JSON object",
            '{"a": 1}': "has no 'text' (--field names the text)",
            '{"text": 1}': "has something else than a text as 'text'",
        }.items():
            path.write_text('{"text": "a"}\n' + line + "\n")
            self.assertIn(f"the text '{path}' line 2 {reason}", self.refused(path, "--no-end"))
        path.write_bytes(gzip.compress(self.lines.encode())[:-20])
        self.assertIn("is cut short", self.refused(path, "--no-end"))
        path.write_bytes(b"PK\3\4....")
        self.assertIn("is a zip archive", self.refused(path, "--no-end"))
        path.write_text("")
        self.assertIn("there is no text", self.refused(path, "--no-end"))
        self.assertIn("No such file", self.refused(self.folder / "none", "--no-end"))
        done = self.tokenize(path, "--no-end", "-o", self.folder / "none" / "x", check=False)
        self.assertEqual(done.returncode, 1)

    def test_bytes_that_are_no_text(self):
        path = self.folder / "bytes"
        path.write_bytes(b"a\xffb")
        done = self.tokenize(path, "--no-end", "-o", self.folder / "bytes")
        self.assertIn("1 documents have bytes that are no UTF-8", done.stderr)
        text = run([TESSERA, "detokenize", self.folder / "bytes.bin", "--tokenizer", self.tokenizer]).stdout
        self.assertEqual(text, "a\ufffdb")

    def test_a_signal_leaves_nothing(self):
        path = self.folder / "long.jsonl"
        path.write_text(self.lines * 20000)
        prefix = self.folder / "stopped"
        command = [TESSERA, "tokenize", path, "--tokenizer", self.tokenizer, "--no-end", "-o", prefix]
        process = subprocess.Popen([str(part) for part in command], stderr=subprocess.DEVNULL)
        while not list(self.folder.glob("stopped*")) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(), -signal.SIGTERM)
        self.assertEqual(list(self.folder.glob("stopped*")), [])

    def test_a_malformed_folder(self):
        """What is beside a tokenizer is read, or refused by name."""
        folder = self.folder / "malformed"
        folder.mkdir()
        (folder / "tokenizer.json").write_text(self.tokenizer.read_text())
        config = folder / "tokenizer_config.json"
        path = self.folder / "text"
        path.write_text("Hello world")
        specification = self.folder / "malformed.textproto"
        specification.write_text(
            f'name: "m" tokenizer: "{folder}" transformer {{ names: BLOOM positions: ALIBI'
            " vocabulary: 512 layers: 1 hidden: 8 heads: 1 sequence_length: 8 }"
            " training { global_batch: 1 steps: 1 optimizer { lr: 1e-3 } }"
        )
        tokenize = [TESSERA, "tokenize", path, "--tokenizer", folder, "-o", self.folder / "never"]
        plan = [TESSERA, "plan", specification]
        for text, reason in {
            '{"eos_token": ': "is no tokenizer_config.json: ",
            "[1]": "is no tokenizer_config.json: it is no JSON object; mend it, or take it away",
            '{"eos_token": 3}': "is no tokenizer_config.json: eos_token is 3: a token or null is wanted",
            '{"eos_token": {"lstrip": true}}': "a token or null is wanted",
        }.items():
            config.write_text(text)
            for command in (tokenize, plan):
                done = run(command, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"'{config}' ", done.stderr)
                self.assertIn(reason, done.stderr)
        run([*tokenize, "--end=</s>"])
        config.write_text('{"eos_token": null, "pad_token": 3}')
        run(plan)
        self.assertIn("nothing says which token ends a document", run(tokenize, check=False).stderr)

    def test_what_learned_tokens_are_for(self):
        path = self.folder / "learn"
        path.write_text("low lower lowest newer newest wider\n" * 20)
        folder = self.folder / "own"
        folder.mkdir()
        learn = [TESSERA, "train-tokenizer", path, "--vocabulary=280", "-o", folder / "tokenizer.json"]
        run(learn)
        self.assertEqual(
            json.loads((folder / "tokenizer_config.json").read_text()),
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "bos_token": "<s>",
                "eos_token": "</s>",
                "pad_token": "<pad>",
                "unk_token": "<unk>",
                "clean_up_tokenization_spaces": False,
            },
        )
        run([TESSERA, "tokenize", path, "--tokenizer", folder, "-o", self.folder / "own"])
        self.assertEqual(read_pair(self.folder / "own")[0][-1], 2)
        run([*learn, "--special=<|endoftext|>", "--end=<|endoftext|>"])
        config = json.loads((folder / "tokenizer_config.json").read_text())
        self.assertEqual([name for name in config if name.endswith("_token")], ["eos_token"])
        done = run([*learn, "--end=<|endoftext|>"], check=False)
        self.assertIn("name one of the special tokens (--special)", done.stderr)
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        run([*learn[:-1], elsewhere / "learned.json"])
        self.assertEqual([entry.name for entry in elsewhere.iterdir()], ["learned.json"])

    def test_learning(self):
        path = self.folder / "learn"
        path.write_text("low lower lowest newer newest wider\n" * 20)
        learned = self.folder / "learned.json"
        run([TESSERA, "train-tokenizer", path, "--vocabulary=280", "--special=<s>,</s>", "-o", learned])
        model = json.loads(learned.read_text())
        self.assertEqual(model["model"]["vocab"]["</s>"], 1)
        # "we" stands in lower, lowest, newer, newest: most often, as "lo" and "er" do not.
        self.assertEqual(model["model"]["merges"][0], ["w", "e"])
        run([TESSERA, "tokenize", path, "--tokenizer", learned, "--end=</s>", "-o", self.folder / "learned"])
        self.assertEqual(read_pair(self.folder / "learned")[0][-1], 1)
        few = [TESSERA, "train-tokenizer", path, "--vocabulary=100", "-o", learned]
        self.assertIn("the bytes and special tokens alone are 260", run(few, check=False).stderr)


if __name__ == "__main__":
    unittest.main()
