# ===- test_published.py - Folders as transformers saves them --------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# A folder that transformers has saved (test/golden/generate_published.py) is imported,
# compiled, evaluated, trained on and saved as a folder again. That transformers loads such
# folders test/reference/published.py shows, which needs it.
#
# ===----------------------------------------------------------------------===#

import array
import csv
import json
import math
import re
import shutil
import subprocess
import unittest

import support

FOLDERS = support.GOLDEN / "published"
WORLD = 2


class Published(unittest.TestCase):
    def setUp(self):
        self.out = support.scratch(self.id().split(".")[-1])

    def imported(self, name, *options):
        """The specification of a golden folder, and what transformers found."""
        folder = FOLDERS / name
        expected = json.loads((folder / "expected.json").read_text())
        specification = self.out / f"{name}.textproto"
        sequence = f"transformer.sequence_length={expected['sequence']}"
        command = [support.TESSERA, "import", folder, "-o", specification]
        support.run([*command, "--set", sequence, *options])
        return folder, specification, expected

    def loss(self, executable, folder, weights):
        command = [executable, "eval", "--data", folder / "tokens.bin", "--data-type", "u16"]
        done = support.run([*command, "--init", weights])
        return float(re.search(r"loss +(\S+)", done.stdout)[1])

    def check_config(self, folder, saved):
        """The folders' config.json say the same, but for what transformers adds."""
        theirs = json.loads((folder / "config.json").read_text())
        ours = json.loads((saved / "config.json").read_text())

        def check(ours, theirs):
            for name, value in ours.items():
                if isinstance(value, dict):
                    check(value, theirs.get(name, value))
                elif name != "torch_dtype":
                    self.assertEqual(theirs.get(name, value), value, name)

        check(ours, theirs)
        for name in ("model_type", "architectures", "eos_token_id", "tie_word_embeddings"):
            self.assertEqual(ours[name], theirs[name])

    def check_index(self, saved, width):
        """The index and the files that it lists."""
        index = json.loads((saved / "model.safetensors.index.json").read_text())
        files = sorted(path.name for path in saved.glob("*.safetensors"))
        self.assertGreater(len(files), 1)
        self.assertEqual(sorted(set(index["weight_map"].values())), files)
        size = 0
        for file in files:
            tensors = support.read_safetensors(saved / file)
            self.assertEqual(
                set(tensors), {n for n, f in index["weight_map"].items() if f == file}
            )
            size += sum(len(numbers) for _, numbers in tensors.values()) * width
        self.assertEqual(index["metadata"]["total_size"], size)

    def test_predictions(self):
        """How likely samples are and how many next tokens are predicted, as
        transformers says."""
        for folder in sorted(FOLDERS.iterdir()):
            with self.subTest(folder.name):
                self.check_predictions(folder.name)

    def check_predictions(self, name):
        # Batches that the samples do not fill.
        settings = ["--set", "training.global_batch=3", "--set", "training.micro_batch=3"]
        folder, specification, _ = self.imported(name, *settings)
        executable = support.compile(specification, self.out / f"predict-{name}")
        expected = json.loads((folder / "predicted.json").read_text())
        sums, correct = expected["log_likelihood"], expected["correct"]
        length = expected["sequence"]
        data = ["--data", folder / "predicted.bin", "--data-type", "u16", "--init", folder]
        said = support.run([executable, "eval", *data]).stdout
        count = len(sums) * length
        self.assertEqual(re.search(r"^accuracy +(\S+)", said, re.M)[1], f"{sum(correct) / count:.6f}")
        loss = float(re.search(r"^loss +(\S+)", said, re.M)[1])
        self.assertLess(abs(loss / (-sum(sums) / count) - 1), 1e-6)

        table, tensors = self.out / f"{name}.csv", self.out / f"{name}.safetensors"
        for out in (table, tensors):
            support.run([executable, "predict", *data, "--out", out])
        rows = list(csv.DictReader(table.open()))
        self.assertEqual([int(row["sample"]) for row in rows], list(range(len(sums))))
        self.assertEqual([int(row["correct"]) for row in rows], correct)
        self.assertEqual({int(row["tokens"]) for row in rows}, {length})
        for row, wanted in zip(rows, sums):
            self.assertLess(abs(float(row["log_likelihood"]) / wanted - 1), 1e-5)
            self.assertLess(abs(float(row["mean"]) * length / wanted - 1), 1e-5)
        columns = support.read_safetensors(tensors)
        named = [column for column in rows[0] if column != "sample"]
        self.assertEqual(set(columns), set(named))
        for column in named:
            shape, values = columns[column]
            self.assertEqual(shape, [len(sums)])
            # The same floats.
            written = array.array(values.typecode, [type(values[0])(row[column]) for row in rows])
            self.assertEqual(list(written), list(values))
        # Some of them alone.
        support.run([executable, "predict", *data, "--out", table, "--samples", 2])
        self.assertEqual(list(csv.DictReader(table.open())), rows[:2])

    def check_whole_way(self, name):
        folder, specification, expected = self.imported(name)
        executable = support.compile(
            specification,
            self.out / "exe",
            parallel__world=WORLD,
            parallel__zero_stage=3,
            training__global_batch=6,
        )
        loss = self.loss(executable, folder, folder)
        self.assertLess(abs(loss / expected["loss"] - 1), 1e-6)

        saved, checkpoints = self.out / "saved", self.out / "checkpoints"
        saved.mkdir()  # an empty one may be there
        data = folder / "tokens.bin"
        options = ["--data-type", "u16", "--init", folder, "--steps", 3, "--save", saved]
        log = support.train(
            executable,
            data,
            self.out / "log",
            WORLD,
            [*options, "--checkpoint-dir", checkpoints],
        )
        # The first step sees what was evaluated.
        self.assertLess(abs(log[0]["loss"] / expected["loss"] - 1), 1e-6)
        self.assertFalse(list(self.out.glob("*.tessera-*")))
        self.check_config(folder, saved)
        self.assertEqual(
            (saved / "generation_config.json").read_bytes(),
            (folder / "generation_config.json").read_bytes(),
        )
        self.assertEqual(
            self.loss(executable, folder, saved), self.loss(executable, folder, checkpoints)
        )
        self.assertLess(self.loss(executable, folder, saved), log[0]["loss"])

        # Exported: the same weights in a folder and in a file, rounded in many files.
        export = [executable, "export", "--checkpoint-dir", checkpoints, "--out"]
        support.run([*export, self.out / "exported", "--like", folder])
        same = (saved / "model.safetensors").read_bytes()
        self.assertEqual((self.out / "exported" / "model.safetensors").read_bytes(), same)
        support.run([*export, self.out / "exported.safetensors"])
        self.assertEqual((self.out / "exported.safetensors").read_bytes(), same)
        support.run([*export, self.out / "file", "--format", "safetensors"])
        self.assertEqual((self.out / "file").read_bytes(), same)
        rounded = self.out / "rounded"
        support.run([*export, rounded, "--dtype", "bf16", "--shard-bytes", "10kB"])
        self.check_index(rounded, 2)
        self.assertEqual(json.loads((rounded / "config.json").read_text())["dtype"], "bfloat16")
        near = self.loss(executable, folder, rounded)
        self.assertLess(abs(near / self.loss(executable, folder, saved) - 1), 1e-3)

    def test_bloom(self):
        self.check_whole_way("bloom")

    def test_gpt2(self):
        self.check_whole_way("gpt2")

    def check_text(self, name):
        """What transformers finds likeliest after a prompt."""
        folder, specification, expected = self.imported(name)
        executable = support.compile(specification, self.out / "exe")
        text = bytes.fromhex(expected["continued"])
        command = [executable, "generate", "--init", folder, "--prompt", expected["prompt"]]
        done = subprocess.run(
            [str(word) for word in [*command, "--no-end", "--max-tokens", len(text)]],
            capture_output=True,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, expected["prompt"].encode() + text)

    def test_llama(self):
        self.check_whole_way("llama")

    def test_mistral(self):
        self.check_whole_way("mistral")

    def test_qwen2(self):
        self.check_whole_way("qwen2")

    def test_qwen3(self):
        self.check_whole_way("qwen3")

    def test_greedy_text(self):
        for name in ("llama", "mistral", "qwen2", "qwen3"):
            with self.subTest(name):
                self.check_text(name)

    def test_specification(self):
        """Both spellings, defaults of the class, and values of --set."""
        folder = self.out / "folder"
        folder.mkdir()
        config = {
            "model_type": "bloom",
            "hidden_size": 8,
            "n_embed": 64,  # wins
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "vocab_size": 100,
            "n_inner": None,
            "odd_field": 1,
        }
        (folder / "config.json").write_text(json.dumps(config))
        out = self.out / "spec.textproto"
        done = support.run(
            [support.TESSERA, "import", folder, "-o", out, "--set", "training.steps=7"]
        )
        self.assertIn("not known here and are ignored: odd_field", done.stderr)
        text = out.read_text()
        for line in (
            'name: "folder"',
            "hidden: 64",
            "layers: 3",
            "heads: 4",
            "eps: 1e-05",
            "sequence_length: 2048",
            "embedding_norm: true",
            "steps: 7",
            "lr: 2e-05",
        ):
            self.assertIn(line, text)
        support.plan(out)
        # Half of GPT-2's table is shorter than what is usual.
        (folder / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
        support.run([support.TESSERA, "import", folder, "-o", out])
        for line in ("sequence_length: 1024", "layers: 12", "hidden_dropout: 0.1"):
            self.assertIn(line, out.read_text())

    def specification_of(self, **config):
        """What import makes of a config.json, and what it says beside."""
        folder = self.out / "folder"
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(json.dumps(config))
        out = self.out / "spec.textproto"
        done = support.run([support.TESSERA, "import", folder, "-o", out])
        return out.read_text(), done.stderr

    def test_rotary_spellings(self):
        """What versions before 5 of transformers wrote, and what they write now."""
        scaling = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
        old = {"original_max_position_embeddings": 8192, **scaling}
        wanted = ("theta: 500000", "scaling: LLAMA3", "factor: 8", "original_length: 8192")
        for fields in (
            {"rope_theta": 5e5, "rope_scaling": {"rope_type": "llama3", **old}},
            {"rope_theta": 5e5, "rope_scaling": {"type": "llama3", **old}},
            {"rope_parameters": {"rope_type": "llama3", "rope_theta": 5e5, **old}},
        ):
            text, said = self.specification_of(
                model_type="llama", max_position_embeddings=131072, **fields
            )
            for line in wanted:
                self.assertIn(line, text)
            self.assertEqual(said, "")
        # Without a factor YaRN is for texts as long as the model now has positions.
        text, said = self.specification_of(
            model_type="qwen3",
            max_position_embeddings=131072,
            rope_scaling={
                "rope_type": "yarn",
                "factor": None,
                "original_max_position_embeddings": 32768,
                "odd": 1,
            },
        )
        self.assertIn("factor: 4", text)
        self.assertIn("not known here and are ignored: rope_scaling.odd", said)
        text, _ = self.specification_of(model_type="llama", rope_scaling=None)
        self.assertIn("scaling: NONE", text)

    def test_windows(self):
        """Mistral has one unless null says that it has none; Qwen's last layers may."""
        text, _ = self.specification_of(model_type="mistral")
        self.assertIn("window: 4096", text)
        text, _ = self.specification_of(model_type="mistral", sliding_window=None)
        self.assertNotIn("window:", text)
        qwen = {"model_type": "qwen2", "num_hidden_layers": 4, "num_attention_heads": 32}
        text, _ = self.specification_of(**qwen, sliding_window=8)
        self.assertNotIn("window:", text)
        kinds = ["full_attention"] * 2 + ["sliding_attention"] * 2
        for fields in ({"max_window_layers": 2}, {"layer_types": kinds, "max_window_layers": 28}):
            text, said = self.specification_of(
                **qwen, use_sliding_window=True, sliding_window=8, **fields
            )
            self.assertIn("window: 8", text)
            self.assertIn("window_from: 2", text)
            self.assertEqual(said, "")
        # As Qwen2.5 is published.
        text, said = self.specification_of(
            **qwen, sliding_window=32768, max_window_layers=2, use_mrope=False
        )
        self.assertNotIn("window:", text)
        self.assertEqual(said, "")
        text, _ = self.specification_of(**qwen, use_sliding_window=True)
        self.assertNotIn("window:", text)

    def with_tokenizer(self, name):
        """A folder with a tokenizer that the library has written, and its size."""
        file = json.loads((support.GOLDEN / "tokenizers" / f"{name}.json").read_text())
        size = 1 + max(
            [*file["tokenizer"]["model"]["vocab"].values()]
            + [token["id"] for token in file["tokenizer"]["added_tokens"]]
        )
        folder = self.out / name
        folder.mkdir()
        (folder / "tokenizer.json").write_text(json.dumps(file["tokenizer"]))
        config = {"model_type": "bloom", "vocab_size": size, "hidden_size": 32}
        config |= {"n_layer": 1, "n_head": 2, "eos_token_id": 2}
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "tokenizer_config.json").write_text('{"eos_token": "</s>"}')
        return folder, size

    def test_text(self):
        """A model with a tokenizer speaks text, and hands the tokenizer on."""
        for name in ("bloom", "llama"):
            folder, size = self.with_tokenizer(name)
            specification = self.out / f"{name}.textproto"
            command = [support.TESSERA, "import", folder, "-o", specification]
            support.run([*command, "--set", "transformer.sequence_length=16"])
            file = folder.resolve() / "tokenizer.json"
            self.assertIn(f'tokenizer: "{file}"', specification.read_text())
            executable = support.compile(specification, self.out / f"{name}-exe")
            data = self.out / "tokens.bin"
            data.write_bytes(bytes(range(3, 3 + 2 * 17)))
            train = [executable, "train", "--data", data, "--data-type", "u8", "--steps", 0]
            support.run([*train, "--save", self.out / f"{name}-saved"])
            self.assertEqual(
                (self.out / f"{name}-saved" / "tokenizer.json").read_bytes(),
                (folder / "tokenizer.json").read_bytes(),
            )
            config = json.loads((self.out / f"{name}-saved" / "config.json").read_text())
            self.assertEqual((config["bos_token_id"], config["eos_token_id"]), (None, 2))
            # What a mean token costs, over the bytes of a mean token.
            evaluate = [executable, "eval", "--data", data, "--data-type", "u8", "--init"]
            done = support.run([*evaluate, self.out / f"{name}-saved"])
            found = dict(re.findall(r"^(\S+) +(\S+)", done.stdout, re.M))
            self.assertGreater(float(found["bits/byte"]), 0)
            self.assertLess(float(found["bits/byte"]), float(found["loss"]) / math.log(2))
            generate = [executable, "generate", "--init", self.out / f"{name}-saved"]
            prompt = "Grüße, 世界"
            one = support.run([*generate, "--prompt", prompt, "--max-tokens", 1]).stdout
            many = support.run([*generate, "--prompt", prompt, "--max-tokens", 40]).stdout
            self.assertTrue(one.startswith(prompt))
            self.assertGreater(len(many), len(prompt))
            drawn = [*generate, "--prompt", prompt, "--max-tokens", 40, "--temperature", 2]
            self.assertNotEqual(support.run(drawn).stdout, many)

        def refuses(error, *options):
            done = support.run(
                [support.TESSERA, "compile", specification, "-o", self.out / "x", *options],
                check=False,
            )
            self.assertEqual(done.returncode, 1)
            self.assertIn(error, done.stderr)

        refuses(
            f"`tokenizer` has {size} tokens, and `transformer.vocabulary` is {size - 1}",
            *["--set", f"transformer.vocabulary={size - 1}"],
        )
        refuses("no such", "--set", "tokenizer=no such")
        specification = support.EXAMPLES / "gcn-cora.textproto"
        refuses("graphs have no tokens", "--set", f"tokenizer={folder}")
        # What import cannot read it leaves out, and says so.
        (folder / "tokenizer.json").write_text('{"model": {"type": "Unigram"}}')
        done = support.run([*command[:2], folder, "-o", self.out / "none.textproto"])
        self.assertIn("the model's tokens stay numbers", done.stderr)
        self.assertNotIn("tokenizer", (self.out / "none.textproto").read_text())

    def test_refusals(self):
        """One error that names the field and what is wanted, and nothing written."""
        folder = self.out / "folder"
        folder.mkdir()
        gpt2 = {"model_type": "gpt2"}
        for config, error in (
            ("[", "it is not JSON"),
            ("[" * 100, "brackets stand 64 deep"),
            ("[]", "no `model_type`"),
            ({"model_type": "opt"}, '`model_type` is "opt", and models of these kinds'),
            ({**gpt2, "n_layer": "x"}, '`n_layer` is "x": a whole number is wanted'),
            ({**gpt2, "n_layer": 0}, "transformer.layers"),
            ({**gpt2, "n_head": 7}, "is not divisible by `transformer.heads` (7)"),
            ({**gpt2, "tie_word_embeddings": 1}, "`tie_word_embeddings` is 1: true or false"),
            (
                {**gpt2, "activation_function": "relu"},
                '`activation_function` is "relu", which is not implemented: "gelu_new" is',
            ),
            (
                {**gpt2, "resid_pdrop": 0, "embd_pdrop": 0.5},
                "`resid_pdrop` is 0 and `embd_pdrop` is 0.5: both are "
                "transformer.hidden_dropout here",
            ),
            (
                {"model_type": "bloom", "apply_residual_connection_post_layernorm": True},
                "`apply_residual_connection_post_layernorm` is true, which is not",
            ),
            (
                {"model_type": "llama", "rope_scaling": {"rope_type": "longrope"}},
                '`rope_scaling.rope_type` is "longrope": one of default, linear, dynamic, '
                "llama3, yarn is wanted",
            ),
            (
                {"model_type": "llama", "rope_scaling": {"type": "linear"}},
                "`rope_parameters` scales positions without a `factor`",
            ),
            (
                {"model_type": "llama", "partial_rotary_factor": 0.5},
                "`partial_rotary_factor` is 0.5, which is not implemented: 1",
            ),
            (
                {"model_type": "llama", "num_key_value_heads": 5},
                "is not divisible by `transformer.kv_heads` (5)",
            ),
            (
                {
                    "model_type": "qwen2",
                    "num_hidden_layers": 2,
                    "use_sliding_window": True,
                    "layer_types": ["sliding_attention", "full_attention"],
                },
                "`layer_types` must name full_attention for the first layers",
            ),
            (
                {
                    "model_type": "qwen3",
                    "num_hidden_layers": 2,
                    "layer_types": ["full_attention", "sliding_attention"],
                },
                "`layer_types` has sliding_attention, but there is no window",
            ),
        ):
            text = config if isinstance(config, str) else json.dumps(config)
            (folder / "config.json").write_text(text)
            out = self.out / "none.textproto"
            done = support.run([support.TESSERA, "import", folder, "-o", out], check=False)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(error, done.stderr)
            self.assertFalse(out.exists())
        done = support.run([support.TESSERA, "import", self.out / "no", "-o", out], check=False)
        self.assertIn("give the folder of a published model", done.stderr)

    def test_weights_of_another_model(self):
        """What shapes do not tell config.json does; files that disagree are named."""
        folder, specification, _ = self.imported("bloom")
        executable = support.compile(specification, self.out / "exe")
        copy = self.out / "copy"
        evaluate = [executable, "eval", "--data", folder / "tokens.bin", "--data-type", "u16"]

        def refuses(error):
            done = support.run([*evaluate, "--init", copy], check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(error, done.stderr)

        def change(**values):
            config = json.loads((folder / "config.json").read_text())
            (copy / "config.json").write_text(json.dumps({**config, **values}))

        shutil.copytree(folder, copy)
        change(n_head=4)
        refuses("says that n_head is 4, and this executable is of a model with 3")
        change(num_attention_heads=12)
        refuses("says that num_attention_heads is 12")
        change(initializer_range=0.5, hidden_dropout=0.1)
        support.run([*evaluate, "--init", copy])
        next(copy.glob("model-00002-*")).unlink()
        refuses("model-00002-of-00007.safetensors")
        (copy / "model.safetensors.index.json").unlink()
        refuses("has neither model.safetensors nor model.safetensors.index.json")

    def test_outputs(self):
        """A folder is new or empty, and nothing is left of one that is not whole."""
        folder, specification, _ = self.imported("gpt2")
        executable = support.compile(specification, self.out / "exe")
        train = [executable, "train", "--data", folder / "tokens.bin", "--data-type", "u16"]
        train += ["--steps", 1, "--save"]

        def refuses(path, error, *options):
            done = support.run([*train, path, *options], check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(error, done.stderr)
            self.assertFalse(list(self.out.glob("*.tessera-*")))

        full = self.out / "full"
        full.mkdir()
        (full / "x").touch()
        refuses(full, "the folder has files: name a new or an empty one")
        self.assertEqual([path.name for path in full.iterdir()], ["x"])
        refuses(self.out / "no" / "folder", "make it first")
        refuses(self.out / "new", "no such", "--init", self.out / "no such")
        self.assertFalse((self.out / "new").exists())
        # A model that transformers has not is one file.
        folder, specification, _ = self.imported("llama")
        odd = support.compile(specification, self.out / "odd", transformer__hidden=26)
        tokens = [odd, "train", "--data", folder / "tokens.bin", "--data-type", "u16"]
        support.run([*tokens, "--steps", 0, "--save", self.out / "odd-weights"])
        self.assertTrue((self.out / "odd-weights").is_file())
        checkpoints = self.out / "odd-checkpoints"
        support.run([*tokens, "--steps", 1, "--checkpoint-dir", checkpoints])
        export = [odd, "export", "--checkpoint-dir", checkpoints, "--format", "hf"]
        done = support.run([*export, "--out", self.out / "odd-folder"], check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no published family has just this model's settings", done.stderr)
        self.assertFalse((self.out / "odd-folder").exists())
        file = self.out / "file"  # a file that is there stays one
        file.touch()
        support.run([*train, file])
        self.assertTrue(file.is_file() and file.stat().st_size > 0)


if __name__ == "__main__":
    unittest.main()
