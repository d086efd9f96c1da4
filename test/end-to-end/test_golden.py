# ===- test_golden.py - Against transformers and PyTorch Geometric ---------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# test/golden/generate.py and its neighbours say how the expected numbers came
# about and how far float32 is from float64 there: some 1e-7, well below the
# tolerances here.
#
# ===----------------------------------------------------------------------===#

import json
import unittest

import support


class Golden(unittest.TestCase):
    def check(self, name, data, compile=support.compile, **parallel):
        folder = support.GOLDEN / name
        world = parallel.get("parallel__world", 1)
        expected = json.loads((folder / "expected.json").read_text())
        out = support.scratch(f"golden-{name}-{world}")
        executable = compile(folder / "specification.textproto", out / "exe", **parallel)
        init = ["--init", folder / "weights.safetensors"]
        log = support.train(executable, folder / data, out / "log", world, init)
        losses = support.losses(log)
        self.assertEqual(len(losses), len(expected["losses"]))
        self.assertLess(abs(losses[0] / expected["loss"] - 1), 1e-6)
        for step, (loss, reference) in enumerate(zip(losses, expected["losses"])):
            self.assertLess(abs(loss / reference - 1), 1e-4, f"step {step + 1}")
        if world == 1:
            self.check_gradients(executable, folder, data, init, out, expected)

    def check_gradients(self, executable, folder, data, init, out, expected):
        command = [executable, "grads", "--data", folder / data, *init]
        support.run(command + ["--out", out / "gradients.safetensors"])
        actual = support.read_safetensors(out / "gradients.safetensors")
        _, loss = actual.pop("loss")
        self.assertLess(abs(loss[0] / expected["loss"] - 1), 1e-6)
        reference = support.read_safetensors(folder / "gradients.safetensors")
        self.assertEqual(set(actual), set(reference))
        for name, (shape, values) in reference.items():
            self.assertEqual(actual[name][0], shape, name)
            distance = support.relative_distance(actual[name][1], values)
            self.assertLess(distance, 1e-4, f"gradient of {name}")

    def test_bloom_3_heads(self):
        self.check("bloom-3-heads", "tokens.bin")

    def test_bloom_3_heads_by_accumulation(self):
        self.check("bloom-3-heads", "tokens.bin", training__micro_batch=1)

    def test_bloom_4_heads(self):
        self.check("bloom-4-heads", "tokens.bytes")

    def test_bloom_4_heads_on_2_ranks(self):
        self.check(
            "bloom-4-heads",
            "tokens.bytes",
            parallel__world=2,
            parallel__zero_stage=3,
            training__micro_batch=1,
        )

    def test_gpt2_3_heads(self):
        self.check("gpt2-3-heads", "tokens.bin")

    def test_gpt2_4_heads(self):
        self.check("gpt2-4-heads", "tokens.bin")

    def test_gpt2_4_heads_on_4_ranks(self):
        self.check(
            "gpt2-4-heads", "tokens.bin", parallel__world=4, parallel__zero_stage=2
        )

    def test_gpt2_relu2(self):
        self.check("gpt2-relu2", "tokens.bin")

    def test_llama(self):
        self.check("llama", "tokens.bin")

    def test_llama_on_2_ranks(self):
        self.check("llama", "tokens.bin", parallel__world=2, parallel__zero_stage=3)

    def test_llama_recomputed(self):
        self.check("llama", "tokens.bin", training__recompute="LAYER")

    def test_llama_3_heads(self):
        self.check("llama-3-heads", "tokens.bin")

    def test_llama_linear(self):
        self.check("llama-linear", "tokens.bin")

    def test_llama_dynamic(self):
        self.check("llama-dynamic", "tokens.bin")

    def test_llama_llama3(self):
        self.check("llama-llama3", "tokens.bin")

    def test_llama_yarn(self):
        self.check("llama-yarn", "tokens.bin")

    def test_mistral(self):
        self.check("mistral", "tokens.bin")

    def test_qwen2(self):
        self.check("qwen2", "tokens.bin")

    def test_qwen2_by_accumulation(self):
        self.check("qwen2", "tokens.bin", training__micro_batch=1)

    def test_qwen3(self):
        self.check("qwen3", "tokens.bin")

    def test_qwen3_on_2_ranks(self):
        self.check("qwen3", "tokens.bin", parallel__world=2, parallel__zero_stage=2)

    def test_bloom_dropout(self):
        self.check("bloom-dropout", "tokens.bin")

    def test_bloom_dropout_on_2_ranks(self):
        self.check(
            "bloom-dropout", "tokens.bin", parallel__world=2, parallel__zero_stage=3
        )

    def test_gpt2_dropout(self):
        self.check("gpt2-dropout", "tokens.bin")

    def test_gpt2_dropout_by_accumulation(self):
        self.check("gpt2-dropout", "tokens.bin", training__micro_batch=1)

    def test_gcn_dropout(self):
        self.check("gcn-dropout", "graph.safetensors")

    def test_gcn_dropout_on_2_ranks(self):
        self.check(
            "gcn-dropout", "graph.safetensors", parallel__world=2, parallel__zero_stage=2
        )

    def test_gcn(self):
        self.check("gcn", "graph.safetensors")

    def test_gcn_weighted(self):
        self.check("gcn-weighted", "graph.safetensors")

    def test_gat(self):
        self.check("gat", "graph.safetensors")

    def test_gat_dropout(self):
        self.check("gat-dropout", "graph.safetensors")

    def test_gat_averaged(self):
        self.check("gat-averaged", "graph.safetensors")

    def test_gcn_on_2_ranks(self):
        self.check(
            "gcn", "graph.safetensors", parallel__world=2, parallel__zero_stage=3
        )

    def test_gcn_generated(self):
        self.check("gcn-generated", "graph.safetensors")

    def test_mlp(self):
        self.check("mlp", "graph.safetensors")

    def test_sage(self):
        self.check("sage", "graph.safetensors")

    def test_sage_on_2_ranks(self):
        self.check(
            "sage", "graph.safetensors", parallel__world=2, parallel__zero_stage=3
        )

    def test_sage_by_maximum(self):
        self.check("sage-max", "graph.safetensors")

    def test_sage_by_sum_without_root(self):
        self.check("sage-sum", "graph.safetensors")

    def test_elu_layer_norm_and_residual(self):
        self.check("sage-options", "graph.safetensors")

    def test_sgc(self):
        self.check("sgc", "graph.safetensors")

    def test_sgc_of_two_layers(self):
        self.check("sgc-2-layers", "graph.safetensors")

    def test_gin(self):
        self.check("gin", "graph.safetensors")

    def test_gin_with_fixed_eps(self):
        self.check("gin-fixed-eps", "graph.safetensors")

    def test_sampled_gcn_with_weights(self):
        self.check("sampled-gcn", "graph.safetensors")

    def test_sampled_gat(self):
        self.check("sampled-gat", "graph.safetensors")

    def test_sampled_gin_with_replacement(self):
        self.check("sampled-gin", "graph.safetensors")

    def test_sampled_sage(self):
        self.check("sampled-sage", "graph.safetensors")

    def test_sampled_sage_on_2_ranks(self):
        self.check(
            "sampled-sage", "graph.safetensors", parallel__world=2, parallel__zero_stage=3
        )


if __name__ == "__main__":
    support.main()
