#!/usr/bin/env python3
# ===- generate_texts.py - Make the golden texts of published models --------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Has transformers save small models of each family, whose tokens are bytes, with random
# weights in bf16, and writes into texts.json of each folder what it continues prompts with,
# one at a time, without drawing: the ids of COUNT tokens, by its own loop with cached keys.
#
#   texts/NAME/config.json, generation_config.json, model.safetensors, texts.json
#
# Run as `python3 test/golden/generate_texts.py [NAME...]`, which runs itself again in the
# environment of scripts/torch_environment.py.
#
# ===----------------------------------------------------------------------===#

import json
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent

if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent.parent / "scripts"))
    import torch_environment

    torch_environment.enter(OMP_NUM_THREADS="1")

import torch
import transformers

COUNT = 64
PROMPTS = ["T", "tiles of glass", "Grüße, 世界", "a mosaic of many small pieces"]
SETTINGS = {"greedy": {}, "penalty": {"repetition_penalty": 1.3}}
# The likeliest token is this much before the second: what rounds otherwise is no other.
LEAST_GAP = 2e-3

SMALL = {"vocab_size": 256, "hidden_size": 24, "bos_token_id": None, "eos_token_id": None}
ROTARY = {
    **SMALL,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "num_key_value_heads": 1,
    "head_dim": 8,
    "max_position_embeddings": 128,
    "pad_token_id": None,
}
MODELS = {
    "bloom": ("BloomForCausalLM", {**SMALL, "n_layer": 2, "n_head": 3, "pad_token_id": None}),
    "gpt2": ("GPT2LMHeadModel", {"vocab_size": 256, "n_embd": 24, "n_layer": 2, "n_head": 3, "n_positions": 128,
                      "bos_token_id": None, "eos_token_id": None}),
    "llama": ("LlamaForCausalLM", ROTARY),
    "mistral": ("MistralForCausalLM", {**ROTARY, "sliding_window": 16}),
    "qwen2": ("Qwen2ForCausalLM", ROTARY),
    "qwen3": ("Qwen3ForCausalLM", {**ROTARY, "head_dim": 16}),
}


def make(name, seed):
    kind, fields = MODELS[name]
    torch.manual_seed(seed)
    kind = getattr(transformers, kind)
    model = kind(kind.config_class(**fields))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.5 * torch.randn_like(parameter))
        model.get_input_embeddings().weight.mul_(0.4)
    return model.to(torch.bfloat16)


def texts(model):
    """What it writes; None where two tokens are nearly as likely, or nearly all alike."""
    found = []
    for prompt in PROMPTS:
        entry = {"prompt": prompt}
        ids = torch.tensor([[*prompt.encode()]])
        for name, settings in SETTINGS.items():
            written = model.generate(
                ids, do_sample=False, max_new_tokens=COUNT, attention_mask=torch.ones_like(ids),
                output_scores=True, return_dict_in_generate=True, **settings,
            )
            for scores in written.scores:
                first, second = scores[0].topk(2).values
                if first - second < LEAST_GAP:
                    return None
            entry[name] = written.sequences[0, ids.shape[1] :].tolist()
        found.append(entry)
        if len(set(entry["greedy"])) < min(len(found), 3):
            return None
    return found


def generate(name):
    folder = HERE / "texts" / name
    for seed in range(1000):
        shutil.rmtree(folder, ignore_errors=True)
        make(name, seed).save_pretrained(folder)
        # Read anew, since the type of what is not saved, as frequencies, has changed too.
        model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64)
        found = texts(model.eval())
        if found:
            break
    written = {"transformers": transformers.__version__, "torch": torch.__version__, "texts": found}
    (folder / "texts.json").write_text(json.dumps(written, ensure_ascii=False) + "\n")
    print(name, "by seed", seed, [len(set(entry["greedy"])) for entry in found])


if __name__ == "__main__":
    for name in sys.argv[1:] or MODELS:
        generate(name)
