# ===- test_cora.py - A GCN learns Cora ------------------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
import array
import re
import unittest

import support


class Cora(unittest.TestCase):
    def test_accuracy_of_the_standard_split(self):
        out = support.scratch("cora")
        executable = support.compile(
            support.EXAMPLES / "gcn-cora.textproto", out / "exe"
        )
        weights = out / "weights.safetensors"
        for seed in ("1", "2", "3"):
            options = ["--seed", seed, "--save", weights]
            support.train(executable, support.CORA, out / "log", 1, options)
            command = [executable, "eval", "--data", support.CORA, "--init", weights]
            output = support.run(command).stdout
            accuracy = re.search(r"^test .* accuracy ([0-9.]+)", output, re.M)
            self.assertIsNotNone(accuracy, output)
            print(f"seed {seed}: {accuracy.group(1)}")
            self.assertGreaterEqual(float(accuracy.group(1)), 0.80)

    def test_published_recipes(self):
        """Accuracies at the last epoch. PyTorch Geometric's means of 5 seeds of the
        same recipes are 0.820, 0.824, 0.810 and 0.812. A seed's deviate by 0.007, so
        that the mean of 5 would say little; that of 20 deviates by 0.0016."""
        recipes = {
            "gcn-cora-dropout": 0.815,
            "gat-cora": 0.82,
            "sgc-cora": 0.805,
            "sage-cora": 0.80,
        }
        for name, least in recipes.items():
            out = support.scratch(name)
            executable = support.compile(support.EXAMPLES / f"{name}.textproto", out / "exe")
            weights = out / "weights.safetensors"
            accuracies = []
            for seed in range(1, 21):
                options = ["--seed", seed, "--save", weights]
                support.train(executable, support.CORA, out / "log", 1, options)
                command = [executable, "eval", "--data", support.CORA, "--init", weights]
                output = support.run(command).stdout
                found = re.search(r"^test .* accuracy ([0-9.]+)", output, re.M)
                accuracies.append(float(found.group(1)))
            print(f"{name}: {accuracies}")
            self.assertGreaterEqual(sum(accuracies) / 20, least, name)

    def test_sparse_features_are_dense_ones(self):
        """Losses, to the bit, of the file and of the same graph with x dense
        and all numbers as PyTorch Geometric has them."""
        out = support.scratch("cora-dense")
        tensors = support.read_safetensors(support.CORA)
        (rows,), indptr = tensors.pop("x.indptr")
        _, indices = tensors.pop("x.indices")
        nodes, features = rows - 1, 1433
        x = array.array("f", bytes(4 * nodes * features))
        for node in range(nodes):
            for column in indices[indptr[node] : indptr[node + 1]]:
                x[node * features + column] = 1
        dense = {"x": ("F32", [nodes, features], x)}
        for name, (shape, values) in tensors.items():
            if name.endswith("_mask"):
                dense[name] = ("BOOL", shape, values)
            else:
                dense[name] = ("I64", shape, array.array("q", values))
        support.write_safetensors(out / "dense.safetensors", dense)
        specification = support.EXAMPLES / "gcn-cora.textproto"
        executable = support.compile(specification, out / "exe")
        logs = [
            support.train(executable, data, out / f"{i}.log", 1, ["--steps", "20"])
            for i, data in enumerate((support.CORA, out / "dense.safetensors"))
        ]
        self.assertEqual(len(logs[0]), 20)
        for key in ("loss", "grad_norm"):
            self.assertEqual(*([line[key] for line in log] for log in logs))


if __name__ == "__main__":
    support.main()
