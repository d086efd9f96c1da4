# ===- test_parts.py - Parameters that files hold in parts -----------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# A model is compiled twice, once with parameters in parts: the same run, and files that
# differ in how tensors are cut alone.
#
# ===----------------------------------------------------------------------===#

import array
import json
import re
import unittest

import support

FOLDER = support.GOLDEN / "published" / "bloom"
WORLD = 2
# Uneven rows, so that a part crosses ranks and begins at no multiple of anything.
PARTS = {
    f"h.{layer}.self_attention.query_key_value.{kind}": {
        f"layers.{layer}.{name}_proj.{kind}": rows
        for name, rows in (("q", 31), ("k", 24), ("v", 17))
    }
    for layer in range(2)
    for kind in ("weight", "bias")
}


class Parts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.out = support.scratch("parts")
        sequence = json.loads((FOLDER / "expected.json").read_text())["sequence"]
        specification = cls.out / "model.textproto"
        command = [support.TESSERA, "import", FOLDER, "-o", specification]
        support.run([*command, "--set", f"transformer.sequence_length={sequence}"])
        values = {"parallel.world": WORLD, "parallel.zero_stage": 3, "training.global_batch": 6}
        values["training.precision.compute"] = "BF16"
        module = cls.out / "whole.mlir"
        command = [support.TESSERA, "compile", specification, "--compile-to", "model"]
        support.run([*command, "-o", module, *support.settings(values)])
        text, found = re.subn(
            r'(nn.parameter @"?([^" ]+)"? .* group "[^"]*")',
            lambda line: line[1] + cls.attribute(line[2]),
            module.read_text(),
        )
        assert found and text.count(" parts [") == len(PARTS), text
        (cls.out / "parts.mlir").write_text(text)
        for name in ("whole", "parts"):
            command = [support.TESSERA, "compile", cls.out / f"{name}.mlir", "-o"]
            support.run([*command, cls.out / name, "--compile-from", "model"])
        tensors = {}
        for file in FOLDER.glob("*.safetensors"):
            tensors |= support.read_safetensors(file)
        cls.weights = {"whole": cls.out / "whole.safetensors"}
        cls.weights["parts"] = cls.out / "parts.safetensors"
        cls.write("whole", tensors)
        cls.write("parts", cls.cut(tensors))

    @staticmethod
    def attribute(parameter):
        parts = ", ".join(f'"{name}" {rows}' for name, rows in PARTS.get(parameter, {}).items())
        return f" parts [{parts}]" if parts else ""

    @staticmethod
    def cut(tensors):
        """Tensors of the model without parts as those of the other."""
        parts = {}
        for name, (shape, values) in tensors.items():
            begin, row = 0, len(values) // shape[0] if shape else 1
            for part, rows in PARTS.get(name.removeprefix("transformer."), {}).items():
                parts[part] = ([rows, *shape[1:]], values[begin : begin + rows * row])
                begin += rows * row
            if begin == 0:
                parts[name] = (shape, values)
        return parts

    @classmethod
    def write(cls, name, tensors):
        tensors = {key: ("F32", *value) for key, value in tensors.items()}
        support.write_safetensors(cls.weights[name], tensors)

    def command(self, name, command, *options):
        data = ["--data", FOLDER / "tokens.bin", "--data-type", "u16"]
        return [self.out / name, command, *data, *options]

    def test_the_same_run(self):
        losses, saved = {}, {}
        for name in ("whole", "parts"):
            init = ["--init", self.weights[name]]
            options = [*init, "--steps", 3, "--data-type", "u16"]
            options += ["--save", self.out / f"{name}-saved.safetensors"]
            options += ["--checkpoint-dir", self.out / f"{name}-checkpoints"]
            data = FOLDER / "tokens.bin"
            log = support.train(
                self.out / name, data, self.out / f"{name}.log", WORLD, options
            )
            losses[name] = support.losses(log)
            saved[name] = support.read_safetensors(self.out / f"{name}-saved.safetensors")
            gradients = self.out / f"{name}-gradients.safetensors"
            grads = self.command(name, "grads", *init, "--out", gradients)
            support.run([*support.launcher(WORLD), *grads])
        self.assertEqual(losses["parts"], losses["whole"])
        self.assertEqual(saved["parts"], self.cut(saved["whole"]))
        gradients = {
            name: support.read_safetensors(self.out / f"{name}-gradients.safetensors")
            for name in saved
        }
        self.assertEqual(gradients["parts"], self.cut(gradients["whole"]))

        # Checkpoints speak of parameters: those of one model are the other's.
        export = ["export", "--checkpoint-dir", self.out / "whole-checkpoints", "--out"]
        support.run([self.out / "parts", *export, self.out / "exported.safetensors"])
        self.assertEqual(
            support.read_safetensors(self.out / "exported.safetensors"), saved["parts"]
        )

        # And in many files, rounded.
        for dtype in ("bf16", "f16"):
            folder = self.out / f"folder-{dtype}"
            options = ["--dtype", dtype, "--shard-bytes", "2kB"]
            support.run([self.out / "parts", *export, folder, *options])
            support.run([self.out / "whole", *export, f"{folder}-whole", *options])
            theirs, ours = {}, {}
            for tensors, path in ((ours, folder), (theirs, self.out / f"{folder}-whole")):
                for file in path.glob("*.safetensors"):
                    tensors |= support.read_safetensors(file)
            self.assertEqual(ours, self.cut(theirs))
            index = json.loads((folder / "model.safetensors.index.json").read_text())
            self.assertEqual(set(index["weight_map"]), set(ours))
            # A part is in one file, parts of a parameter may be in several.
            names = PARTS["h.0.self_attention.query_key_value.weight"]
            self.assertGreater(len({index["weight_map"][name] for name in names}), 1)
            self.assertEqual(self.loss(folder), self.loss(f"{folder}-whole", "whole"))

    def loss(self, weights, name="parts"):
        done = support.run(self.command(name, "eval", "--init", weights))
        return float(re.search(r"loss +(\S+)", done.stdout)[1])

    def test_refusals(self):
        """Messages name the part."""
        part = "layers.1.k_proj.weight"
        tensors = support.read_safetensors(self.weights["parts"])
        copy = self.out / "copy.safetensors"
        evaluate = self.command("parts", "eval", "--init", copy)

        def refuses(error, changed):
            changed = {name: ("F32", *value) for name, value in changed.items()}
            support.write_safetensors(copy, changed)
            done = support.run(evaluate, check=False)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(error, done.stderr)

        shape, values = tensors[part]
        refuses(f"has no tensor '{part}'", {n: t for n, t in tensors.items() if n != part})
        cut = ([shape[0] - 1, shape[1]], values[: -shape[1]])
        refuses(
            f"tensor '{part}' of '{copy}' has shape [23, 24], this model's has [24, 24]",
            tensors | {part: cut},
        )
        whole = "h.1.self_attention.query_key_value.bias"
        extra = {whole: ([1], array.array("f", [0]))}
        refuses(f"has a tensor '{whole}', which this model has not", tensors | extra)
        nan = array.array("f", values)
        nan[shape[1] + 2] = float("nan")
        refuses(f"element [1, 2] of tensor '{part}'", tensors | {part: (shape, nan)})
        # Constants of an architecture, and names with what stands before a whole model's.
        frequencies = {"model.layers.0.rotary_emb.inv_freq": ([1], array.array("f", [0]))}
        bare = {name.removeprefix("transformer."): tensor for name, tensor in tensors.items()}
        changed = {f"model.{name}": tensor for name, tensor in bare.items()} | frequencies
        support.write_safetensors(copy, {n: ("F32", *t) for n, t in changed.items()})
        support.run(evaluate)


if __name__ == "__main__":
    support.main()
