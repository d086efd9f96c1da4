# ===- test_score.py - How likely texts are ---------------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# The command `score`: against what transformers says (test/golden/generate_scores.py), and
# a vocabulary of several parts against the logits that `generate` chooses by.

import json
import math
import signal
import subprocess
import time
import unittest

import support


def json_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


class Score(unittest.TestCase):
    """Requests to one executable."""

    def write(self, requests):
        path = self.out / "texts.jsonl"
        if not isinstance(requests, str):
            requests = "".join(json.dumps(request) + "\n" for request in requests)
        path.write_text(requests)
        return path

    def command(self, requests, *options):
        (self.out / "scores.jsonl").unlink(missing_ok=True)
        command = [self.executable, "score", "--init", self.weights]
        command += ["--texts", self.write(requests), "--out", self.out / "scores.jsonl"]
        return [str(part) for part in (*command, *options)]

    def scores(self, requests, *options):
        self.said = support.run(self.command(requests, *options)).stderr
        return json_lines(self.out / "scores.jsonl")

    def refuses(self, command, *parts):
        done = support.run(command, check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertEqual(done.stderr.count("error:"), 1, done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)


@support.each_family
class Families(Score):
    def check(self, name, tolerance=1e-5, **values):
        self.out = support.scratch(f"score-{name}")
        self.weights = support.GOLDEN / "texts" / name
        golden = json.loads((self.weights / "scores.json").read_text())
        expected = golden["texts"]
        specification = self.out / "s.textproto"
        support.run([support.TESSERA, "import", self.weights, "-o", specification])
        self.executable = support.compile(
            specification,
            self.out / "exe",
            transformer__sequence_length=128,
            generation__batch=2,
            **values,
        )
        # These models enlarge rounding: to be no further from what is right than
        # transformers in fp32 is, whose products are summed in some order, too.
        tolerance = max(tolerance, golden["float32_error"])
        requests = [{"text": text["text"]} for text in expected]
        lines = self.scores(requests, "--logprobs", 5)
        self.assertEqual(len(lines), len(expected))
        for line, text in zip(lines, expected):
            content = text["text"].encode()
            tokens = line.pop("logprobs")
            self.assertEqual([token["id"] for token in tokens], [*content[1:]])
            self.close([token["logprob"] for token in tokens], text["logprobs"], tolerance)
            for token, ids, values in zip(tokens, text["top"], text["top_logprobs"]):
                top = token["top"]
                self.close([entry["logprob"] for entry in top], values, tolerance)
                apart = [a - b > 2 * tolerance for a, b in zip(values, values[1:])]
                if all(apart):
                    self.assertEqual([entry["id"] for entry in top][:-1], ids[:-1])
            total, count = sum(text["logprobs"]), len(content) - 1
            self.assertAlmostEqual(line["logprob"], total, delta=count * tolerance)
            self.assertEqual((line["tokens"], line["bytes"]), (count, count))
            self.assertAlmostEqual(
                line["perplexity"], math.exp(-total / count), delta=10 * tolerance * line["perplexity"]
            )
            self.assertAlmostEqual(
                line["bits_per_byte"], -total / count / math.log(2), delta=2 * tolerance
            )
            greedy = all(chosen == top[0] for chosen, top in zip(content[1:], text["top"]))
            self.assertEqual(line["greedy"], greedy)
        # What stands before a text in the file changes no bit of it.
        backwards = self.scores(requests[::-1], "--logprobs", 5)[::-1]
        again = self.scores(requests, "--logprobs", 5)
        for before, after in zip(again, backwards):
            before.pop("id"), after.pop("id")
        self.assertEqual(again, backwards)

    def close(self, values, expected, tolerance):
        self.assertEqual(len(values), len(expected))
        self.assertLess(max(abs(a - b) for a, b in zip(values, expected)), tolerance)

    def test_bf16(self):
        self.check("bloom", 0.1, training__precision__compute="BF16")


class LongTexts(Score):
    """A context that texts do not fit in, and bytes without a token that begins them."""

    @classmethod
    def setUpClass(cls):
        cls.out = support.scratch("score-long")
        cls.executable = support.compile(
            support.HERE / "gpt2-small.textproto",
            cls.out / "exe",
            transformer__layers=1,
            training__optimizer__lr=0.01,
            training__schedule__kind="CONSTANT",
            generation__batch=1,
        )
        cls.context = 40
        text = cls.out / "text"
        text.write_bytes(b"abcabd" * 1000)
        cls.weights = cls.out / "weights.safetensors"
        train = [cls.executable, "train", "--data", text, "--steps", 200]
        support.run([*train, "--save", cls.weights])

    def test_windows(self):
        text = "".join(chr(97 + i * i % 23) for i in range(100))
        whole = self.scores([{"text": text}])[0]
        # Each character once, each window as early as it can begin.
        pieces, next = [], 1
        while next < len(text):
            end = min(len(text), next + self.context)
            begin = max(0, end - self.context - 1)
            pieces.append({"context": text[begin:next], "continuation": text[next:end]})
            next = end
        parts = self.scores(pieces)
        self.assertEqual([part["tokens"] for part in parts], [40, 40, 19])
        self.assertAlmostEqual(whole["logprob"], sum(part["logprob"] for part in parts), places=5)
        self.assertEqual((whole["tokens"], whole["bytes"]), (99, 99))

    def test_a_long_context_keeps_its_end(self):
        context = "".join(chr(97 + i * 7 % 26) for i in range(90))
        cut, whole = self.scores(
            [{"context": context[-39:], "continuation": "xy"}, {"context": context, "continuation": "xy"}]
        )
        self.assertEqual(cut["logprob"], whole["logprob"])

    def test_continuations(self):
        requests = [
            {"context": "abcabd", "continuation": "abc", "id": "likely"},
            {"context": "abcabd ", "continuation": "abc"},
            {"context": "abcabd", "continuation": " abc"},
            {"context": "abcabd", "continuation": "q"},
        ]
        lines = self.scores(requests)
        self.assertEqual([line["id"] for line in lines], ["likely", 2, 3, 4])
        self.assertEqual([line["tokens"] for line in lines], [3, 4, 4, 1])
        self.assertEqual([line["bytes"] for line in lines], [3, 4, 4, 1])
        self.assertEqual(lines[1]["logprob"], lines[2]["logprob"])
        self.assertTrue(lines[0]["greedy"])
        self.assertFalse(lines[3]["greedy"])
        self.assertNotIn("perplexity", lines[0])
        self.assertEqual([line["logprob"] for line in self.scores(requests, "--apart")],
                         [line["logprob"] for line in lines])

    def test_says_how_likely_all_are(self):
        lines = self.scores([{"body": "abcab"}, {"body": "dd"}], "--field", "body")
        total = sum(line["logprob"] for line in lines)
        self.assertIn("2 texts, 5 tokens in ", self.said)
        self.assertIn(f"perplexity {math.exp(-total / 5):.6g}"[:16], self.said)

    def test_bad_texts(self):
        for content, *parts in (
            ("", "has no texts: a line for each is wanted"),
            ("[1]\n", "line 1: it is no JSON object"),
            ('{"text": "ab"}\n\n{"tex": 1}\n', "line 3: it has neither 'text' (--field"),
            ('{"text": "ab", "continuation": "c"}', "it has 'text' and 'continuation': give one"),
            ('{"text": 7}', "line 1: "),
            ('{"text": "a"}', "line 1: the text has no second token"),
            ('{"context": "", "continuation": "a"}', "line 1: the context is empty"),
            ('{"context": "a", "continuation": ""}', "the continuation has no token of its own"),
        ):
            self.refuses(self.command(content), *parts)
            self.assertFalse((self.out / "scores.jsonl").exists())
        command = self.command([{"text": "ab"}])
        self.refuses([*command[:-1], self.out / "texts.jsonl"], "is the texts: give it another name")
        self.refuses([*command, "--logprobs", 6], "--logprobs takes at most 5, not '6'")
        self.refuses([*command[:-1], self.out / "missing" / "x"], "missing")

    def test_without_its_program(self):
        plain = support.compile(support.HERE / "gpt2-small.textproto", self.out / "plain")
        command = [plain, *self.command([{"text": "ab"}])[1:]]
        self.refuses(command, "'score' wants the program of that name", "generation.batch=1")

    def test_a_full_disk(self):
        command = self.command([{"text": "abc" * 30}] * 400, "--logprobs", 5)
        limited = ["bash", "-c", 'ulimit -f 8; trap "" XFSZ; exec "$@"', "_", *command]
        self.refuses(limited, "scores.jsonl")
        self.assertFalse((self.out / "scores.jsonl").exists())

    def test_signals(self):
        command = self.command([{"text": "abc" * 30}] * 20000)
        for sent in (signal.SIGINT, signal.SIGTERM):
            process = subprocess.Popen(
                command, stderr=subprocess.PIPE, text=True, env=support.ENVIRONMENT
            )
            time.sleep(0.7)
            process.send_signal(sent)
            said = process.communicate(timeout=60)[1]
            self.assertEqual(process.returncode, 128 + sent, said)
            self.assertIn("; --out is not written", said)
            self.assertEqual(list(self.out.glob("scores.jsonl*")), [])


class ManyTokens(Score):
    """A vocabulary of which the head's product has several parts at a time."""

    SIZE = 20011

    @classmethod
    def setUpClass(cls):
        cls.out = support.scratch("score-tokens")
        cls.folder = cls.out / "folder"
        cls.folder.mkdir()
        tokenizer = json.loads((support.GOLDEN / "tokenizers" / "bloom.json").read_text())["tokenizer"]
        used = max([*tokenizer["model"]["vocab"].values(), *(t["id"] for t in tokenizer["added_tokens"])])
        assert used < 7000
        # Tokens of the other parts, and of their edges.
        cls.names = {f"<t{number}>": number for number in (6719, 6720, 13439, 13440, 15000, 20010)}
        for name, number in cls.names.items():
            fields = ("single_word", "lstrip", "rstrip", "normalized", "special")
            tokenizer["added_tokens"].append(
                {"id": number, "content": name, **{field: False for field in fields}}
            )
        (cls.folder / "tokenizer.json").write_text(json.dumps(tokenizer))
        config = {"model_type": "bloom", "vocab_size": cls.SIZE, "hidden_size": 80}
        config |= {"n_layer": 1, "n_head": 2, "bos_token_id": 1, "eos_token_id": 2}
        (cls.folder / "config.json").write_text(json.dumps(config))
        specification = cls.out / "s.textproto"
        support.run([support.TESSERA, "import", cls.folder, "-o", specification])
        cls.specification = specification
        cls.executable = cls.compile("exe")
        data = cls.out / "tokens.bin"
        data.write_bytes(bytes(1000))
        train = [cls.executable, "train", "--data", data, "--data-type", "u16", "--steps", 0]
        cls.weights = cls.out / "saved"
        support.run([*train, "--save", cls.weights])
        settings = {"bos_token_id": 1, "eos_token_id": 2}
        (cls.weights / "generation_config.json").write_text(json.dumps(settings))

    @classmethod
    def compile(cls, name, **values):
        return support.compile(
            cls.specification,
            cls.out / name,
            transformer__sequence_length=200,
            transformer__initialization__std=0.5,
            generation__batch=2,
            **values,
        )

    def test_logits_are_those_of_generate(self):
        self.check_logits(self.executable, 2e-5)

    def test_logits_of_integers_are_those_of_generate(self):
        """A head whose tiles are taken in parts, and a cache of integers."""
        values = {f"generation__{what}": "INT8" for what in ("weights", "embedding", "kv")}
        self.check_logits(self.compile("integers", **values), 2e-5)
        # There `generate` has logits in 16 bits.
        values["training__precision__compute"] = "BF16"
        self.check_logits(self.compile("integers-bf16", **values), 0.1)

    def check_logits(self, executable, tolerance):
        self.executable = executable
        text = "".join(f"word {name} and " for name in self.names) + "ends"
        (line,) = self.scores([{"text": text}], "--logprobs", 5)
        places = line["logprobs"]
        self.assertEqual(line["bytes"], len(text))
        found = {place["id"] for place in places}
        self.assertLessEqual(set(self.names.values()), found)
        prefixes = [i for i, place in enumerate(places) if place["id"] in self.names.values()]
        prompts = self.out / "prompts.jsonl"
        # Prefixes of the text, behind the token that `score` puts before it.
        ends = [text.index(name) for name in self.names]
        prompts.write_text("".join(json.dumps({"prompt": "<s>" + text[:end]}) + "\n" for end in ends))
        command = [self.executable, "generate", "--init", self.weights, "--prompts", prompts]
        command += ["--out", self.out / "generated.jsonl", "--max-tokens", 1]
        support.run([*command, "--logprobs", self.SIZE])
        for index, written in zip(prefixes, json_lines(self.out / "generated.jsonl")):
            top = written["logprobs"][0]["top"]
            place = places[index]
            self.assertEqual(len(top), self.SIZE)
            expected = {entry["id"]: entry["logprob"] for entry in top}
            self.assertAlmostEqual(place["logprob"], expected[place["id"]], delta=tolerance)
            for mine, other in zip(place["top"], top):
                self.assertAlmostEqual(mine["logprob"], other["logprob"], delta=tolerance)
                self.assertAlmostEqual(mine["logprob"], expected[mine["id"]], delta=tolerance)

    def test_an_empty_context_is_the_beginning_token(self):
        one, two = self.scores(
            [{"continuation": "word"}, {"text": "word"}], "--logprobs", 0
        )
        self.assertEqual(one["logprob"], two["logprob"])
        self.assertEqual(one["logprobs"][0]["top"], [])
        self.assertEqual(two["bytes"], 4)


if __name__ == "__main__":
    unittest.main()
