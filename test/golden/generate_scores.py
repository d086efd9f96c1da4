#!/usr/bin/env python3
# ===- generate_scores.py - Make the golden scores of texts -----------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Writes what transformers says of each byte of some texts, by the models of
# texts/NAME (generate_texts.py), into scores.json of each folder: the logarithm of
# its probability, and those of the likeliest bytes of its place with their ids.
# The first byte of a text has none. All is computed in double precision, also what
# transformers has fp32 for whatever a model's type is: norms, rotary positions.
#
# Random weights enlarge rounding, so no fixed bound fits all models. float32_error
# measures it: how far the logarithms are at most from these where transformers
# computes in fp32, in ORDERS evaluations, each of which adds the products of its
# linear layers in random orders.
#
# Run as `python3 test/golden/generate_scores.py`, which runs itself again in the
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

import contextlib
from unittest import mock

import torch
import transformers

TEXTS = ["Ma", "tiles of glass and stone", "Grüße, 世界! " * 7]
LIKELIEST = 5
ORDERS = 32


@contextlib.contextmanager
def nothing_in_float32():
    double = torch.float64
    with mock.patch.multiple(torch, float32=double, float=double):
        with mock.patch.object(torch.Tensor, "float", torch.Tensor.double):
            yield


@contextlib.contextmanager
def sums_in_random_order(generator):
    linear, addmm = torch.nn.functional.linear, torch.addmm

    def any_linear(x, weight, bias=None):
        order = torch.randperm(x.shape[-1], generator=generator)
        return linear(x[..., order], weight[:, order], bias)

    def any_addmm(bias, x, weight):
        order = torch.randperm(x.shape[-1], generator=generator)
        return addmm(bias, x[:, order], weight[order])

    with mock.patch.object(torch.nn.functional, "linear", any_linear):
        with mock.patch.object(torch, "addmm", any_addmm):
            yield


@torch.no_grad()
def log_probabilities(model, text):
    """[tokens - 1, vocabulary] in double precision."""
    return model(torch.tensor([[*text.encode()]])).logits[0, :-1].double().log_softmax(-1)


def score(text, logs):
    chosen = logs.gather(1, torch.tensor([*text.encode()])[1:, None])[:, 0]
    top = logs.topk(LIKELIEST)
    rounded = lambda values: [float(f"{value:.9g}") for value in values]
    return {
        "text": text,
        "logprobs": rounded(chosen.tolist()),
        "top": top.indices.tolist(),
        "top_logprobs": [rounded(row) for row in top.values.tolist()],
    }


def error(text, logs, expected):
    """The largest of what score() tells of."""
    places = torch.tensor([*text.encode()])[1:, None]
    places = torch.cat([places, expected.topk(LIKELIEST).indices], 1)
    return (logs - expected).gather(1, places).abs().max().item()


def main():
    load = transformers.AutoModelForCausalLM.from_pretrained
    generator = torch.Generator().manual_seed(0)
    for folder in sorted((HERE / "texts").iterdir()):
        with nothing_in_float32():
            model = load(folder, dtype=torch.float64).eval()
            logs = [log_probabilities(model, text) for text in TEXTS]
        single = load(folder, dtype=torch.float32).eval()
        with sums_in_random_order(generator):
            worst = max(
                error(text, log_probabilities(single, text), expected)
                for _ in range(ORDERS)
                for text, expected in zip(TEXTS, logs)
            )
        written = {"transformers": transformers.__version__, "torch": torch.__version__}
        written["texts"] = [score(*pair) for pair in zip(TEXTS, logs)]
        written["float32_error"] = float(f"{worst:.2g}")
        (folder / "scores.json").write_text(json.dumps(written, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
