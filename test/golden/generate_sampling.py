#!/usr/bin/env python3
# ===- generate_sampling.py - Make the golden probabilities of tokens -------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Writes sampling.json: logits, the tokens before, settings of generation, and the
# probabilities that transformers draws the next token by, with its own list of
# logits processors; without do_sample the token that it takes.
#
# Run as `python3 test/golden/generate_sampling.py`, which runs itself again in the
# environment of scripts/torch_environment.py.
#
# ===----------------------------------------------------------------------===#

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent

if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent.parent / "scripts"))
    import torch_environment

    torch_environment.enter(OMP_NUM_THREADS="1")

import torch
import transformers

TEXT = [3, 17, 3, 8, 39, 17]

SETTINGS = {
    "plain": {},
    "temperature": {"temperature": 0.7},
    "hot": {"temperature": 3.5},
    "top-k": {"top_k": 7},
    "top-k-1": {"top_k": 1},
    "top-k-all": {"top_k": 1000},
    "top-p": {"top_p": 0.8},
    "top-p-0": {"top_p": 0.0},
    "min-p": {"min_p": 0.1},
    "min-p-1": {"min_p": 1.0},
    "penalty": {"repetition_penalty": 1.7},
    "reward": {"repetition_penalty": 0.6},
    "top-k, top-p": {"top_k": 9, "top_p": 0.7},
    "top-p, min-p": {"top_p": 0.9, "min_p": 0.08},
    "all": {"temperature": 1.3, "top_k": 20, "top_p": 0.9, "min_p": 0.05, "repetition_penalty": 1.2},
    "greedy": {"do_sample": False},
    "greedy, penalty": {"do_sample": False, "repetition_penalty": 5.0},
}


def logits():
    """Rows of each kind, [vocabulary]."""
    generator = torch.Generator().manual_seed(1)
    spread = 2 * torch.randn(40, generator=generator)
    # Two tokens at the edge of top-k 7 and 9 are equal.
    tied = spread.clone()
    order = tied.argsort(descending=True)
    tied[order[7]] = tied[order[6]]
    tied[order[9]] = tied[order[8]]
    masked = spread.clone()
    masked[::3] = -torch.inf
    return {
        "spread": spread,
        "tied": tied,
        "masked": masked,
        "large": 3 * torch.randn(700, generator=generator),
    }


def probabilities(model, scores, settings):
    """Of the token after TEXT, as GenerationMixin._sample draws it."""
    settings = {"do_sample": True, "top_k": 0, **settings}
    config = transformers.GenerationConfig(**settings)
    config._eos_token_tensor = None
    ids = torch.tensor([TEXT])
    processors = model._get_logits_processor(generation_config=config, input_ids_seq_length=len(TEXT))
    scores = processors(ids, scores[None])
    if not settings["do_sample"]:
        return torch.nn.functional.one_hot(scores.argmax(-1), scores.shape[-1])[0]
    return torch.softmax(scores, -1)[0]


def numbers(row):
    """Nine digits read back to the same float; null for minus infinity."""
    return [None if value == -torch.inf else float(f"{value:.9g}") for value in row.tolist()]


if __name__ == "__main__":
    config = transformers.GPT2Config(vocab_size=40, n_embd=4, n_layer=1, n_head=1)
    model = transformers.GPT2LMHeadModel(config)
    rows = logits()
    cases = []
    for kind, row in rows.items():
        for name, settings in SETTINGS.items():
            found = numbers(probabilities(model, row, settings))
            kept = {str(i): p for i, p in enumerate(found) if p}
            cases.append({"logits": kind, "name": name, "settings": settings, "probabilities": kept})
    golden = {
        "transformers": transformers.__version__,
        "torch": torch.__version__,
        "text": TEXT,
        "logits": {kind: numbers(row) for kind, row in rows.items()},
        "cases": cases,
    }
    text = json.dumps(golden)
    for mark in ('"spread": [', '"tied": [', '"masked": [', '"large": [', '{"logits": "', '"cases"'):
        text = text.replace(mark, "\n" + mark)
    (HERE / "sampling.json").write_text(text + "\n")
