# ===- generate_models.py - Models for bench/generate.py --------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Writes a model of random weights for bench/generate.py, in the environment of
# scripts/llama_environment.py:
#
#   generate_models.py NAME FOLDER FORMAT...
#
# FOLDER/published is transformers' folder in fp32 with a tokenizer of bytes,
# FOLDER/FORMAT.gguf the same weights for llama.cpp: F32, F16, BF16 or Q8_0. What
# is there is kept.
#
# ===----------------------------------------------------------------------===#

import json
import pathlib
import sys

import gguf
import numpy as np
import torch
from transformers import (
    AutoModelForCausalLM,
    BloomConfig,
    BloomForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
)

MODELS = {
    "gpt2-124m": lambda: GPT2LMHeadModel(GPT2Config()),
    "bloom-560m": lambda: BloomForCausalLM(
        BloomConfig(vocab_size=250880, hidden_size=1024, n_layer=24, n_head=16)
    ),
    "llama-350m": lambda: LlamaForCausalLM(
        LlamaConfig(
            vocab_size=32000,
            hidden_size=1024,
            intermediate_size=2816,
            num_hidden_layers=24,
            num_attention_heads=16,
            num_key_value_heads=8,
            max_position_embeddings=2048,
        )
    ),
}
FORMATS = {
    "F32": gguf.GGMLQuantizationType.F32,
    "F16": gguf.GGMLQuantizationType.F16,
    "BF16": gguf.GGMLQuantizationType.BF16,
    "Q8_0": gguf.GGMLQuantizationType.Q8_0,
}


def randomize(model):
    """Weights by which texts depend on all layers.

    With the initial ones each token is followed by itself in a model with a tied
    head, and biases do nothing.
    """
    for name, weight in model.named_parameters():
        if weight.dim() == 1:
            weight.data += 0.1 * torch.randn_like(weight)
        elif "emb" not in name and "wte" not in name and "wpe" not in name:
            weight.data *= 3


def bytes_tokenizer():
    """A tokenizer.json in which byte b is token b."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    character = {byte: chr(byte) for byte in shown}
    character |= {byte: chr(256 + i) for i, byte in enumerate(hidden)}
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": level | {"use_regex": False},
        "post_processor": None,
        "decoder": level | {"use_regex": False},
        "model": {
            "type": "BPE",
            "vocab": {character[byte]: byte for byte in range(256)},
            "merges": [],
        },
    }


def write_published(name, folder):
    torch.manual_seed(1)
    model = MODELS[name]()
    randomize(model)
    model.save_pretrained(folder)
    (folder / "tokenizer.json").write_text(json.dumps(bytes_tokenizer()))


def rows_by_halves(weight, heads):
    """Rows of a head as llama.cpp rotates them, neighbours together; transformers
    rotates row i with row i + half a head."""
    shape = weight.shape
    return weight.reshape(heads, 2, -1, shape[1]).swapaxes(1, 2).reshape(shape)


def rearrange(kind, name, tensor, config):
    """transformers' tensor as llama.cpp lays it out."""
    if kind == "gpt2" and ".c_" in name and tensor.ndim == 2:
        return tensor.T
    if kind == "bloom" and "query_key_value" in name:
        # Heads of (q, k, v) become q, k and v of all heads.
        split = tensor.reshape(config.n_head, 3, -1, *tensor.shape[1:])
        return split.swapaxes(0, 1).reshape(tensor.shape)
    if kind == "llama" and "q_proj" in name:
        return rows_by_halves(tensor, config.num_attention_heads)
    if kind == "llama" and "k_proj" in name:
        return rows_by_halves(tensor, config.num_key_value_heads)
    return tensor


def write_gguf(model, file, kind, names):
    config = model.config
    architecture = config.model_type
    writer = gguf.GGUFWriter(file, architecture)
    writer.add_tokenizer_model("none")
    writer.add_vocab_size(config.vocab_size)
    # BLOOM's configuration has no length of samples.
    writer.add_context_length(getattr(config, "max_position_embeddings", 2048))
    writer.add_embedding_length(config.hidden_size)
    width = getattr(config, "intermediate_size", 4 * config.hidden_size)
    writer.add_feed_forward_length(width)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(config.num_attention_heads)
    if architecture == "llama":
        writer.add_head_count_kv(config.num_key_value_heads)
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
        writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
        writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    else:
        writer.add_layer_norm_eps(config.layer_norm_epsilon)
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        values = rearrange(architecture, name, tensor.numpy(), config)
        if architecture == "bloom":
            # gguf knows a BLOOM's names without what is before them in its folder.
            name = name.removeprefix("transformer.")
        written = names.get_name(name, (".weight", ".bias"))
        values = np.ascontiguousarray(values, dtype=np.float32)
        # As llama.cpp's own files: vectors, and the table of positions, in fp32.
        if values.ndim == 2 and "wpe" not in name:
            values = gguf.quants.quantize(values, kind)
            writer.add_tensor(written, values, raw_dtype=kind)
        else:
            writer.add_tensor(written, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    name, folder, *formats = sys.argv[1:]
    folder = pathlib.Path(folder)
    published = folder / "published"
    if not (published / "tokenizer.json").exists():
        write_published(name, published)
    missing = [f for f in formats if not (folder / f"{f}.gguf").exists()]
    if not missing:
        return
    model = AutoModelForCausalLM.from_pretrained(published)
    architecture = gguf.MODEL_ARCH[model.config.model_type.upper()]
    names = gguf.get_tensor_name_map(architecture, model.config.num_hidden_layers)
    for kind in missing:
        part = folder / "part.gguf"
        write_gguf(model, part, FORMATS[kind], names)
        part.rename(folder / f"{kind}.gguf")


if __name__ == "__main__":
    main()
