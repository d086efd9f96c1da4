#!/usr/bin/env python3
# ===- generate_published.py - Make the golden published folders ------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Has transformers save small models with random weights as folders, BLOOM in several
# files with an index and the others in one, with tokens beside them (tokens.bin, u16) and what
# transformers finds of these in expected.json: the mean loss of samples of `sequence`
# tokens that follow one another.
#
#   python3 test/golden/generate_published.py [NAME...]
#
# ===----------------------------------------------------------------------===#

import json
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]

if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "scripts"))
    import torch_environment

    torch_environment.enter()

import numpy
import torch
import transformers

SAMPLES = 6


def bloom():
    config = transformers.BloomConfig(
        vocab_size=96, hidden_size=24, n_layer=2, n_head=3, layer_norm_epsilon=2e-5
    )
    return transformers.BloomForCausalLM(config), 16, "16KB"


def gpt2():
    config = transformers.GPT2Config(
        vocab_size=90,
        n_embd=20,
        n_layer=2,
        n_head=2,
        n_inner=50,
        n_positions=24,
        resid_pdrop=0,
        embd_pdrop=0,
        attn_pdrop=0,
        bos_token_id=0,
        eos_token_id=1,
    )
    return transformers.GPT2LMHeadModel(config), 16, "1GB"


def llama_like(kind, scaling, **fields):
    """Tokens are bytes, so that it can be asked for text."""
    config = getattr(transformers, kind + "Config")(
        vocab_size=256,
        hidden_size=24,
        intermediate_size=40,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        bos_token_id=0,
        eos_token_id=1,
        rope_parameters={"rope_type": "default", "rope_theta": 5e5, **scaling},
        **fields,
    )
    return getattr(transformers, kind + "ForCausalLM")(config), 32, "1GB"


def llama():
    scaling = {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 32,
    }
    return llama_like("Llama", scaling, head_dim=8, mlp_bias=True)


def mistral():
    return llama_like("Mistral", {}, sliding_window=9)


def qwen2():
    return llama_like(
        "Qwen2",
        {"rope_type": "yarn", "factor": 2.0, "original_max_position_embeddings": 32},
        tie_word_embeddings=True,
        use_sliding_window=True,
        sliding_window=6,
        max_window_layers=2,
    )


def qwen3():
    return llama_like("Qwen3", {"rope_type": "linear", "factor": 2.0}, head_dim=10)


MODELS = {
    "bloom": bloom,
    "gpt2": gpt2,
    "llama": llama,
    "mistral": mistral,
    "qwen2": qwen2,
    "qwen3": qwen3,
}
PROMPT = "This is "


def continue_text(model, count):
    """The likeliest `count` bytes after the prompt, as hexadecimal digits."""
    tokens = list(PROMPT.encode())
    for _ in range(count):
        tokens.append(model(torch.tensor([tokens])).logits[0, -1].argmax().item())
    return bytes(tokens[len(PROMPT) :]).hex()


def generate(name):
    torch.manual_seed(len(name))
    model, sequence, shard = MODELS[name]()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    folder = HERE / "published" / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, max_shard_size=shard)
    generator = numpy.random.default_rng(1)
    tokens = generator.integers(
        0, model.config.vocab_size, SAMPLES * sequence + 1, dtype=numpy.uint16
    )
    tokens.tofile(folder / "tokens.bin")
    model.eval().double()
    text = torch.from_numpy(tokens.astype(numpy.int64))
    inputs = text[:-1].view(SAMPLES, sequence)
    targets = text[1:].view(SAMPLES, sequence)
    logits = model(inputs).logits
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
    expected = {
        "sequence": sequence,
        "loss": loss.item(),
        "transformers": transformers.__version__,
        "torch": torch.__version__,
    }
    if model.config.vocab_size == 256:
        expected["prompt"] = PROMPT
        expected["continued"] = continue_text(model, sequence - len(PROMPT))
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    for name in sys.argv[1:] or MODELS:
        generate(name)
