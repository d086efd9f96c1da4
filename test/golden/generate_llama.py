#!/usr/bin/env python3
# ===- generate_llama.py - Golden files of LLaMA and its siblings ----------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# As generate.py, for LLaMA, Mistral, Qwen2 and Qwen3 of transformers: heads that share
# keys, windows, norms of heads, and every scaling of rotary positions.
#
# Run as `python3 test/golden/generate_llama.py [NAME...]`.
#
# ===----------------------------------------------------------------------===#

import functools
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "scripts"))
    import torch_environment

    torch_environment.enter(OMP_NUM_THREADS="1")

import generate
import torch
import transformers

LENGTH = 24


def normalize(norm, x):
    """transformers' RMSNorm, which computes in float32, in the type of a double `x`."""
    y = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + norm.variance_epsilon)
    return norm.weight * y


def model_of(kind, seed, scaling=None, theta=10000.0, **fields):
    """A function that makes a `kind` of two layers with random weights."""

    def make():
        config = getattr(transformers, kind + "Config")(
            num_hidden_layers=2,
            rope_parameters={"rope_type": "default", "rope_theta": theta, **(scaling or {})},
            bos_token_id=None,
            eos_token_id=None,
            pad_token_id=None,
            attn_implementation="eager",
            **fields,
        )
        model = getattr(transformers, kind + "ForCausalLM")(config)
        generate.randomize(model, seed, weight_std=0.08)
        for module in model.modules():
            if type(module).__name__.endswith("RMSNorm"):
                module.forward = functools.partial(normalize, module)
        return model.train()

    return make


def llama(scaling=None, seed=12, **fields):
    """6 heads of 12 columns, of which three each share their keys."""
    sizes = {
        "vocab_size": 97,
        "hidden_size": 72,
        "intermediate_size": 50,
        "num_attention_heads": 6,
        "num_key_value_heads": 2,
        "max_position_embeddings": 64,
    }
    return model_of("Llama", seed, scaling, **{**sizes, **fields})


LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
YARN = {
    "rope_type": "yarn",
    "factor": 4.0,
    "original_max_position_embeddings": 16,
    "beta_fast": 4.0,
    "beta_slow": 0.5,
    "mscale": 1.2,
    "mscale_all_dim": 0.8,
}
MODELS = {
    "llama": llama(),
    # 3 heads of 10 columns, with all biases.
    "llama-3-heads": llama(
        hidden_size=30,
        num_attention_heads=3,
        num_key_value_heads=3,
        tie_word_embeddings=True,
        attention_bias=True,
        mlp_bias=True,
        rms_norm_eps=1e-3,
    ),
    "llama-linear": llama({"rope_type": "linear", "factor": 3.0}),
    "llama-dynamic": llama(
        {"rope_type": "dynamic", "factor": 2.0}, max_position_embeddings=16
    ),
    "llama-llama3": llama(LLAMA3),
    "llama-yarn": llama(YARN),
    "mistral": model_of(
        "Mistral",
        3,
        vocab_size=89,
        hidden_size=40,
        intermediate_size=36,
        num_attention_heads=6,
        num_key_value_heads=2,
        head_dim=8,
        sliding_window=7,
    ),
    # The second layer has the window.
    "qwen2": model_of(
        "Qwen2",
        4,
        {"rope_type": "yarn", "factor": 2.5, "original_max_position_embeddings": 32},
        theta=1e6,
        vocab_size=101,
        hidden_size=30,
        intermediate_size=44,
        num_attention_heads=3,
        num_key_value_heads=1,
        tie_word_embeddings=True,
        use_sliding_window=True,
        sliding_window=5,
        max_window_layers=1,
    ),
    "qwen3": model_of(
        "Qwen3",
        5,
        theta=1e6,
        vocab_size=103,
        hidden_size=28,
        intermediate_size=40,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=10,
    ),
}


def main():
    generate.compute_alike()
    for name in sys.argv[1:] or MODELS:
        make = MODELS[name]
        generate.write_transformer(
            name,
            make,
            make().config.vocab_size,
            LENGTH,
            2,
            index=(3, 2),
            mixed=name == "qwen3",
            schedule=lambda step: generate.OPTIMIZER["lr"],
        )


if __name__ == "__main__":
    main()
