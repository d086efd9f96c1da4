# ===- test_examples.py - The examples and the emitted command line --------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import json
import math
import time
import unittest

import support


class Examples(unittest.TestCase):
    def test_all_compile(self):
        out = support.scratch("examples")
        names = sorted(p.stem for p in support.EXAMPLES.glob("*.textproto"))
        self.assertIn("bloom-tiny", names)
        for name in names:
            if name == "bloom-176b":
                continue  # made to be planned
            with self.subTest(name):
                specification = support.EXAMPLES / f"{name}.textproto"
                begin = time.monotonic()
                executable = support.compile(specification, out / name)
                seconds = time.monotonic() - begin
                print(f"{name} compiled in {seconds:.1f} s")
                info = json.loads(support.run([executable, "info", "--json"]).stdout)
                plan = support.plan(specification)
                arena = info["programs"]["train"]["arena_bytes"]
                self.assertEqual(arena, plan["peak_bytes"])
                self.assertIn(name, support.run([executable, "info"]).stdout)

    def test_train_eval_generate(self):
        """Weights saved by training load in eval and generate."""
        out = support.scratch("commands")
        data = support.repeated_text(out / "text.txt", 1 << 16)
        executable = support.compile(
            support.EXAMPLES / "bloom-tiny.textproto",
            out / "exe",
            transformer__layers=2,
            parallel__world=2,
            parallel__zero_stage=3,
        )
        weights = out / "weights.safetensors"
        options = ["--steps", "30", "--save", weights]
        log = support.train(executable, data, out / "log", 2, options)
        keys = {"step", "loss", "grad_norm", "lr", "ms", "tokens_per_second", "communication_ms"}
        for number, line in enumerate(log, 1):
            self.assertLessEqual(keys, set(line))
            self.assertEqual(line["step"], number)
            self.assertTrue(math.isfinite(line["loss"]))
        names = {name.removeprefix("transformer.") for name in support.read_safetensors(weights)}
        self.assertIn("h.1.self_attention.query_key_value.weight", names)

        init = ["--init", weights]
        trained = support.run([executable, "eval", "--data", data, *init]).stdout
        self.assertRegex(trained, r"loss\W+\d")
        generate = [executable, "generate", *init, "--prompt", "This License "]
        generate += ["--max-tokens", "40", "--temperature", "0.8", "--seed"]
        first = support.run(generate + ["1"]).stdout
        self.assertEqual(first, support.run(generate + ["1"]).stdout)
        self.assertNotEqual(first, support.run(generate + ["2"]).stdout)

    def test_another_vocabulary(self):
        """Bytes are read where they are asked for, and never written."""
        out = support.scratch("another-vocabulary")
        data = support.repeated_text(out / "text.txt", 1 << 12)
        executable = support.compile(
            support.HERE / "gpt2-small.textproto", out / "exe", transformer__vocabulary=300
        )
        weights = out / "weights"
        init = ["--init", weights]
        train = [executable, "train", "--data", data, "--steps", "1", "--save", weights]
        evaluate = [executable, "eval", "--data", data, *init]
        self.assertIn("(bytes: ", support.run([*train, "--data-type", "u8"]).stdout)
        self.assertRegex(support.run([*evaluate, "--data-type", "u8"]).stdout, "data +bytes")
        generate = [executable, "generate", "--prompt", "a", "--max-tokens", "1", *init]
        for command, reason in (
            (train, "does not say what it holds"),
            (evaluate, "does not say what it holds"),
            ([*evaluate, "--data-type", "i32"], "outside the model's vocabulary of 300"),
            (generate, "needs a model with a vocabulary of 256; this one has 300"),
        ):
            done = support.run(command, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(done.stderr.count("error:"), 1, done.stderr)
            self.assertIn(reason, done.stderr)

    def test_seed(self):
        out = support.scratch("seed")
        data = support.repeated_text(out / "text.txt", 1 << 16)
        executable = support.compile(support.HERE / "gpt2-small.textproto", out / "exe")
        logs = [
            support.losses(
                support.train(executable, data, out / f"log{i}", 1, ["--seed", seed, "--steps", "3"])
            )
            for i, seed in enumerate(("1", "1", "2"))
        ]
        self.assertEqual(logs[0], logs[1])
        self.assertNotEqual(logs[0], logs[2])

    def test_wrong_world(self):
        """An executable says for how many ranks it was compiled."""
        out = support.scratch("wrong-world")
        data = support.repeated_text(out / "text.txt", 1 << 14)
        executable = support.compile(
            support.HERE / "gpt2-small.textproto", out / "exe", parallel__world=2
        )
        done = support.run([executable, "train", "--data", data], check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("2", done.stderr)
        self.assertIn("mpirun", done.stderr)


if __name__ == "__main__":
    support.main()
