# ===- test_generate.py - Texts that an executable writes -------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import json
import math
import os
import re
import resource
import signal
import subprocess
import time
import unittest

import support

LENGTH = 40  # of gpt2-small's samples


class Generate(unittest.TestCase):
    """A model of bytes that has learned "abcabc...", but for a few places."""

    @classmethod
    def setUpClass(cls):
        cls.out = support.scratch("generate")
        cls.executable = support.compile(
            support.HERE / "gpt2-small.textproto",
            cls.out / "exe",
            transformer__layers=1,
            training__optimizer__lr=0.01,
            training__schedule__kind="CONSTANT",
        )
        text = cls.out / "text"
        text.write_bytes(b"abc" * 1400)
        cls.weights = cls.out / "weights.safetensors"
        train = [cls.executable, "train", "--data", text, "--steps", 200]
        support.run([*train, "--save", cls.weights])

    def command(self, *options, count=6):
        command = [self.executable, "generate", "--init", self.weights]
        return [str(part) for part in (*command, "--max-tokens", count, *options)]

    def generate(self, prompt, count, *options):
        command = self.command("--prompt", prompt, *options, count=count)
        said = support.run(command, encoding="latin-1").stdout
        self.assertTrue(said.startswith(prompt))
        return said[len(prompt) :]

    def refuses(self, command, *parts):
        done = support.run(command, check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertEqual(done.stderr.count("error:"), 1, done.stderr)
        self.assertEqual(done.stdout, "")
        for part in parts:
            self.assertIn(part, done.stderr)

    def lines(self, prompts, *options, **fields):
        """What --out has for a file of prompts."""
        path, out = self.out / "prompts.jsonl", self.out / "out.jsonl"
        if not isinstance(prompts, str):
            prompts = "".join(json.dumps({"prompt": prompt}) + "\n" for prompt in prompts)
        path.write_text(prompts)
        out.unlink(missing_ok=True)
        support.run(self.command("--prompts", path, "--out", out, *options, **fields))
        return [json.loads(line) for line in out.read_text().splitlines()]

    def test_a_token_for_each_run_is_the_same_as_all_in_one(self):
        self.assertEqual(self.generate("bcab", 6), "cabcab")
        for options in ((), ("--temperature", 20, "--top-k", 3, "--seed", 3)):
            whole = self.generate("bcab", 12, *options)
            text = "bcab"
            for _ in range(12):
                text += self.generate(text, 1, *options)
            self.assertEqual(text, "bcab" + whole)
        self.assertEqual(self.generate("bcab", 0), "")

    def test_ends_where_the_context_does(self):
        for room in (0, 1, 3):
            prompt = ("abc" * LENGTH)[: LENGTH - room]
            done = support.run(self.command("--prompt", prompt, count=9))
            self.assertEqual(done.stdout, ("abc" * LENGTH)[: LENGTH + 1])
            self.assertIn(
                f"1 of 1 texts ended where the model's context of {LENGTH} tokens does", done.stderr
            )
        self.refuses(
            self.command("--prompt", "a" * (LENGTH + 1)),
            f"the prompt has {LENGTH + 1} tokens, and the model's context {LENGTH}: shorten it",
        )
        self.assertNotIn("warning", support.run(self.command("--prompt", "a")).stderr)

    def test_draws_by_the_temperature(self):
        greedy = self.generate("abc", 30)
        self.assertEqual(greedy, "abc" * 10)
        for options in (("--temperature", "0.01"), ("--temperature", 9, "--top-k", 1),
                        ("--temperature", 9, "--top-p", 0), ("--temperature", 9, "--min-p", 1)):
            self.assertEqual(self.generate("abc", 30, "--seed", 3, *options), greedy)
        # Far from 0 each byte is as likely as another.
        command = self.command("--prompt", "a", "--temperature", "1e6", "--samples", 60, count=39)
        drawn = support.run(command, encoding="latin-1").stdout
        self.assertGreater(len(set(drawn)), 230)
        # At 1 the learned bytes are the likely ones, and not the only ones.
        drawn = self.generate("abc", 30, "--temperature", 1, "--seed", 3)
        share = sum(a == b for a, b in zip(drawn, greedy)) / len(drawn)
        self.assertGreater(share, 0.2)
        # Tokens that the text has become unlikely.
        options = ("--temperature", 1, "--seed", 3, "--repetition-penalty", 4)
        self.assertNotEqual(self.generate("abc", 30, *options), drawn)

    def test_stops(self):
        self.assertEqual(self.generate("a", 20, "--stop", "no", "--stop", "bca"), "")
        self.assertEqual(self.generate("a", 20, "--stop", "ca"), "b")
        self.assertEqual(self.generate("a", 5, "--stop", "bcabcx"), "bcabc")
        for token in (ord("c"), "c"):
            self.assertEqual(self.generate("a", 20, "--end-token", 7, "--end-token", token), "b")
        self.assertEqual(self.generate("a", 5, "--no-end"), "bcabc")
        self.refuses(
            self.command("--prompt", "a", "--end-token", "</s>"),
            "--end-token '</s>' is none of the model's 256 tokens",
        )
        self.refuses(self.command("--prompt", "a", "--end-token", 256), "--end-token '256'")

    def test_files_of_prompts(self):
        prompts = ["abc", "b", "cab" * 13, "bc"]
        lines = self.lines(prompts, "--stop", "bcabcabcabc", count=12)
        self.assertEqual([line["prompt"] for line in lines], prompts)
        self.assertEqual([line["id"] for line in lines], [1, 2, 3, 4])
        self.assertEqual([line["reason"] for line in lines], ["stop", "length", "length", "stop"])
        self.assertEqual([line["tokens"] for line in lines], [12, 12, 2, 12])
        self.assertEqual([line["text"] for line in lines], ["a", "cabcabcabcab", "ca", "a"])
        # Fields, identities and characters come back; empty lines do not count.
        text = '{"q": "a", "id": "x", "prompt": 3}\n\n{"q": "\\u00e9\\n\\u4e16", "id": {"n": 2}}\n'
        lines = self.lines(text, "--field", "q", "--end-token", 98, count=1)
        self.assertEqual([line["id"] for line in lines], ["x", {"n": 2}])
        self.assertEqual([line["reason"] for line in lines], ["end", "length"])
        self.assertEqual([line["text"] for line in lines][0], "")
        self.assertEqual(lines[1]["prompt"], "é\n世")

    def test_samples(self):
        draw = ["--temperature", 20, "--seed", 5]
        lines = self.lines(["a", "b"], *draw, "--samples", 3, count=20)
        self.assertEqual([line["sample"] for line in lines], [0, 1, 2] * 2)
        self.assertEqual([line["prompt"] for line in lines], ["a"] * 3 + ["b"] * 3)
        self.assertEqual(len({line["text"] for line in lines}), 6)
        # Fewer samples, and prompts behind, change none; nor does the way out.
        fewer = self.lines(["a", "b", "c"], *draw, "--samples", 2, count=20)
        texts = [line["text"] for line in lines]
        self.assertEqual([line["text"] for line in fewer][:4], texts[:2] + texts[3:5])
        command = self.command("--prompt", "a", *draw, "--samples", 2, count=20)
        done = subprocess.run(command, capture_output=True, check=True)
        said = done.stdout.decode(errors="replace")
        parts = re.fullmatch(r"\[sample 1 of 2\]\na(.*)\n\[sample 2 of 2\]\na(.*)\n", said, re.S)
        self.assertEqual(list(parts.groups()), texts[:2])
        # Lines alike are drawn apart.
        same = self.lines(["a"] * 3, *draw, count=20)
        self.assertEqual(len({line["text"] for line in same}), 3)
        self.assertEqual(same[0]["text"], texts[0])

    def test_logprobs(self):
        (line,) = self.lines(["ab"], "--logprobs", 256, "--temperature", 1, "--top-k", 2, count=8)
        self.assertEqual(len(line["logprobs"]), line["tokens"])
        for entry in line["logprobs"]:
            values = [top["logprob"] for top in entry["top"]]
            self.assertEqual(values, sorted(values, reverse=True))
            self.assertAlmostEqual(sum(map(math.exp, values)), 1, places=4)
            # A filter changes none, and draws from the likeliest alone.
            self.assertIn(entry["id"], [top["id"] for top in entry["top"][:2]])
            found = {top["id"]: top["logprob"] for top in entry["top"]}
            self.assertEqual(found[entry["id"]], entry["logprob"])
        self.assertEqual(line["logprobs"][0]["top"][0]["token"], "c")
        (line,) = self.lines(["ab"], "--logprobs", 0, count=2)
        self.assertEqual([entry["top"] for entry in line["logprobs"]], [[], []])
        self.assertNotIn("logprobs", self.lines(["ab"])[0])

    def test_says_how_fast_it_was(self):
        said = support.run(self.command("--prompt", "abc", count=9)).stderr
        number = r"[0-9.e+-]+"
        self.assertRegex(
            said,
            rf"^9 tokens in {number} s: the first after {number} s, the others at {number} "
            rf"tokens/s \(prompts: 3 tokens at {number} tokens/s\)\n$",
        )

    def test_bad_prompts(self):
        prompts, out = self.out / "bad.jsonl", self.out / "bad-out.jsonl"
        command = self.command("--prompts", prompts, "--out", out)
        good = '{"prompt": "a"}\n'
        for text, error in (
            (good + '{"prompt": ', "line 2: it is not JSON"),
            (good + "\n[1]\n", "line 3: it is no JSON object"),
            (good + '{"text": "a"}', "line 2: it has no 'prompt' (--field names the prompt)"),
            (good + '{"prompt": 7}', "line 2: prompt is 7: a text"),
            (good + '{"prompt": ""}', "line 2: the prompt is empty, and no token is known that begins"),
            (good + json.dumps({"prompt": "a" * 50}), "line 2: the prompt has 50 tokens"),
            (b"\xff", "line 1: it is not JSON"),
            ("", "has no prompts"),
        ):
            prompts.write_bytes(text.encode() if isinstance(text, str) else text)
            self.refuses(command, f"'{prompts}' ", error)
        prompts.unlink()
        self.refuses(command, f"cannot open the prompts '{prompts}'")
        self.refuses(self.command("--prompts", self.out, "--out", out), "not a file but a folder")
        prompts.write_text(good)
        self.refuses(self.command("--prompts", prompts, "--out", prompts), "is the prompts: give it")
        self.refuses(self.command("--prompt", "a", "--out", self.weights), "is the weights of --init")
        self.refuses(self.command("--prompt", "a", "--out", self.out / "no" / "out"), "cannot write")
        self.refuses(self.command("--prompt", ""), "the prompt is empty")
        self.assertFalse(out.exists())

    def test_any_bytes_are_a_prompt(self):
        command = [os.fsencode(part) for part in self.command("--prompt", count=3)]
        place = command.index(b"--prompt") + 1
        prompt = b"\xff\xe4\xb8"
        done = subprocess.run([*command[:place], prompt, *command[place:]], capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.startswith(prompt))
        self.assertNotIn(b"warning", done.stderr)
        # In JSON they are what Unicode has for them.
        out = self.out / "bytes.jsonl"
        done = subprocess.run([*command[:place], prompt, *command[place:], b"--out", os.fsencode(out)])
        self.assertEqual(json.loads(out.read_text())["prompt"], "\ufffd\ufffd")

    def test_full_disks(self):
        """Code 1, the reason, and what was there before."""
        command = self.command("--prompt", "a")
        with open("/dev/full", "wb") as full:
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write the text to standard output: No space left", done.stderr)
        self.refuses([*command, "--out", "/dev/full"], "No space left on device")
        out = self.out / "limited.jsonl"
        out.write_text("before")
        draw = ["--temperature", 1, "--samples", 200]

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

        done = support.run(
            self.command("--prompt", "a", "--out", out, *draw), check=False, preexec_fn=limit
        )
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(f"'{out}'", done.stderr)
        self.assertEqual(done.stderr.count("error:"), 1, done.stderr)
        self.assertEqual(out.read_text(), "before")
        self.assertEqual([*self.out.glob("limited*")], [out])

    def long(self, *options):
        """A command that goes on for minutes."""
        return self.command("--prompt", "a", "--temperature", 1, "--samples", 100000, *options, count=39)

    def test_a_reader_that_leaves(self):
        """It ends without a word."""
        for ignore in (False, True):
            process = subprocess.Popen(
                self.long(),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                restore_signals=not ignore,
            )
            self.assertTrue(process.stdout.read(100).startswith(b"[sample 1 of 100000]\na"))
            process.stdout.close()
            said = process.stderr.read()
            self.assertEqual(process.wait(timeout=60), 128 + signal.SIGPIPE)
            self.assertEqual(said, b"")
            process.stderr.close()

    def test_signals(self):
        """What is written is out, a file counts once it is whole."""
        for number in (signal.SIGINT, signal.SIGTERM):
            process = subprocess.Popen(
                self.long(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace"
            )
            process.stdout.read(100)
            process.send_signal(number)
            said, errors = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 128 + number)
            self.assertRegex(errors, rf"tokens in .*\nstopped by {number.name}\n$")
        out = self.out / "interrupted.jsonl"
        out.write_text("before")
        process = subprocess.Popen(self.long("--out", out), stderr=subprocess.PIPE, text=True)
        # The file under construction has grown.
        deadline = time.monotonic() + 60
        while not any(path.stat().st_size > 0 for path in self.out.glob("interrupted.jsonl.*")):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 128 + signal.SIGINT)
        self.assertIn("stopped by SIGINT; --out is not written", errors)
        self.assertEqual(out.read_text(), "before")
        self.assertEqual([*self.out.glob("interrupted*")], [out])


class Tokenizers(unittest.TestCase):
    """A model with a tokenizer, and random weights in a published folder."""

    @classmethod
    def setUpClass(cls):
        cls.out = support.scratch("generate-tokenizer")
        cls.tokenizer = json.loads((support.GOLDEN / "tokenizers" / "bloom.json").read_text())["tokenizer"]
        cls.vocabulary = cls.tokenizer["model"]["vocab"]
        cls.folder = cls.out / "folder"
        cls.folder.mkdir()
        (cls.folder / "tokenizer.json").write_text(json.dumps(cls.tokenizer))
        size = 1 + max(
            [*cls.vocabulary.values(), *(token["id"] for token in cls.tokenizer["added_tokens"])]
        )
        config = {"model_type": "bloom", "vocab_size": size, "hidden_size": 32}
        config |= {"n_layer": 1, "n_head": 2, "bos_token_id": 1, "eos_token_id": 2}
        (cls.folder / "config.json").write_text(json.dumps(config))
        specification = cls.out / "s.textproto"
        command = [support.TESSERA, "import", cls.folder, "-o", specification]
        support.run([*command, "--set", "transformer.sequence_length=64"])
        cls.executable = support.compile(specification, cls.out / "exe")
        data = cls.out / "tokens.bin"
        data.write_bytes(bytes(range(3, 3 + 2 * 65)))
        train = [cls.executable, "train", "--data", data, "--data-type", "u8", "--steps", 0]
        cls.saved = cls.out / "saved"
        support.run([*train, "--save", cls.saved])

    def lines(self, prompt, *options, count=4):
        out = self.out / "out.jsonl"
        command = [self.executable, "generate", "--init", self.saved, "--prompt", prompt]
        done = support.run([*command, "--max-tokens", count, "--out", out, *options])
        return [json.loads(line) for line in out.read_text().splitlines()], done.stderr

    def ids(self, prompt, *options, **fields):
        (line,), _ = self.lines(prompt, "--logprobs", 0, *options, **fields)
        return [entry["id"] for entry in line["logprobs"]], line["reason"]

    def settings(self, **fields):
        path = self.saved / "generation_config.json"
        path.write_text(json.dumps(fields))
        self.addCleanup(path.unlink, missing_ok=True)

    def test_end_tokens_are_the_folders(self):
        ids, reason = self.ids("Grüße", "--no-end", count=8)
        self.assertEqual((len(ids), reason), (8, "length"))
        third = ids.index(ids[2])
        for eos in (ids[2], [7, ids[2]]):
            self.settings(eos_token_id=eos)
            self.assertEqual(self.ids("Grüße", count=8), (ids[: third + 1], "end"))
            self.assertEqual(self.ids("Grüße", "--no-end", count=8), (ids, "length"))
        # What is asked for counts alone, by its name too.
        name = next(token for token, number in self.vocabulary.items() if number == ids[0])
        self.assertEqual(self.ids("Grüße", "--end-token", name, count=8), (ids[:1], "end"))

    def test_an_empty_prompt_is_the_beginning_token(self):
        self.settings(bos_token_id=1)
        begun = self.ids("")
        self.assertEqual(len(begun[0]), 4)
        self.settings(bos_token_id=5)
        self.assertNotEqual(self.ids(""), begun)
        self.settings(eos_token_id=2)
        command = [self.executable, "generate", "--init", self.saved, "--prompt", ""]
        done = support.run([*command, "--max-tokens", 1], check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("the prompt is empty, and no token is known that begins a text", done.stderr)

    def test_a_prompt_that_is_no_utf8(self):
        whole, _ = self.lines("a\ufffdb")
        lines, said = self.lines(b"a\xffb".decode(errors="surrogateescape"))
        self.assertIn("the prompt's bytes from 1 on are no UTF-8", said)
        self.assertEqual(lines, whole)

    def test_a_stop_within_a_token(self):
        draw = ["--temperature", 1, "--seed", 2]
        (line,), _ = self.lines("Grüße", *draw, "--logprobs", 0, count=40)
        token = next(entry["token"] for entry in line["logprobs"] if len(entry["token"]) > 2)
        (stopped,), _ = self.lines("Grüße", *draw, "--stop", token[1:], count=40)
        self.assertEqual(stopped["reason"], "stop")
        self.assertEqual(stopped["text"], line["text"][: line["text"].index(token[1:])])

    def test_streams_whole_characters(self):
        command = [str(self.executable), "generate", "--init", str(self.saved), "--prompt", "世"]
        command += ["--max-tokens", "60", "--temperature", "5", "--seed", "2"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        while piece := os.read(process.stdout.fileno(), 4096):
            piece.decode()
        process.stdout.close()
        self.assertEqual(process.wait(), 0)


@support.each_family
class Families(unittest.TestCase):
    """What transformers writes (test/golden/generate_texts.py), by the same weights."""

    def check(self, name):
        out = support.scratch(f"generate-{name}")
        folder = support.GOLDEN / "texts" / name
        texts = json.loads((folder / "texts.json").read_text())["texts"]
        command = [support.TESSERA, "import", folder, "-o", out / "s.textproto"]
        support.run([*command, "--set", "transformer.sequence_length=128"])
        whole = support.compile(out / "s.textproto", out / "whole")
        # Eight texts of unequal lengths at once, from cached keys and values.
        cached = support.compile(out / "s.textproto", out / "cached", generation__batch=8)
        for executable, order in ((whole, [0, 1, 2, 3]), (cached, [0, 1, 2, 3, 2, 0, 3, 1])):
            self.check_texts(out, folder, executable, [texts[index] for index in order])

    def check_texts(self, out, folder, executable, texts):
        prompts, found = out / "prompts.jsonl", out / "found.jsonl"
        prompts.write_text("".join(json.dumps({"prompt": text["prompt"]}) + "\n" for text in texts))
        command = [executable, "generate", "--init", folder, "--prompts", prompts, "--out", found]
        for key, options in (("greedy", []), ("penalty", ["--repetition-penalty", 1.3])):
            support.run([*command, "--max-tokens", 64, "--logprobs", 0, *options])
            lines = [json.loads(line) for line in found.read_text().splitlines()]
            self.assertEqual(len(lines), len(texts))
            for line, text in zip(lines, texts):
                self.assertEqual([entry["id"] for entry in line["logprobs"]], text[key])


if __name__ == "__main__":
    support.main()
