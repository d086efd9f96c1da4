#!/usr/bin/env python3
# ===- generate_published.py - Make the golden published folders ------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Has transformers save small models with random weights as folders, BLOOM in several
# files with an index and GPT-2 in one, with tokens beside them (tokens.bin, u16) and what
# transformers finds of these in expected.json: the mean loss of samples of `sequence`
# tokens that follow one another.
#
#   python3 test/golden/generate_published.py [NAME...]
#
# ===----------------------------------------------------------------------===#

import json
import os
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]

if __name__ == "__main__" and "TESSERA_GOLDEN" not in os.environ:
    sys.path.insert(0, str(ROOT / "scripts"))
    import torch_environment

    python, environment = torch_environment.make()
    environment["TESSERA_GOLDEN"] = "1"
    os.execve(python, [str(python), *sys.argv], environment)

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


MODELS = {"bloom": bloom, "gpt2": gpt2}


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
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    for name in sys.argv[1:] or MODELS:
        generate(name)
