#!/usr/bin/env python3
# ===- generate_predictions.py - What transformers says of samples ----------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Writes into each folder of published/ (generate_published.py) tokens that its
# model predicts about half of, predicted.bin (u16), and what transformers says of
# them in double precision, predicted.json: of each sample of `sequence` tokens that
# follow one another the logarithm of the probability of what follows each token,
# summed, and how many of these are the likeliest. `margin` is the least distance
# of the two largest logits of a place, so that no rounding decides.
#
#   python3 test/golden/generate_predictions.py
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

import numpy
import torch
import transformers

SAMPLES = 7  # not a multiple of the batches that tests have


@torch.no_grad()
def make_tokens(model, sequence, generator):
    """Each is with even chances the likeliest after those of its sample, or any."""
    vocabulary = model.config.vocab_size
    tokens = [int(generator.integers(vocabulary))]
    for _ in range(SAMPLES):
        sample = tokens[-1:]
        for _ in range(sequence):
            logits = model(torch.tensor([sample])).logits[0, -1]
            other = int(generator.integers(vocabulary))
            sample.append(int(logits.argmax()) if generator.random() < 0.5 else other)
        tokens += sample[1:]
    return tokens


@torch.no_grad()
def predict(model, sequence, tokens):
    text = torch.tensor(tokens)
    inputs, targets = (t.view(SAMPLES, sequence) for t in (text[:-1], text[1:]))
    logits = model(inputs).logits
    logs = logits.log_softmax(-1).gather(2, targets[..., None])[..., 0]
    largest = logits.topk(2).values
    return {
        "sequence": sequence,
        "log_likelihood": logs.sum(1).tolist(),
        "correct": (logits.argmax(-1) == targets).sum(1).tolist(),
        "margin": (largest[..., 0] - largest[..., 1]).min().item(),
        "transformers": transformers.__version__,
        "torch": torch.__version__,
    }


def main():
    for folder in sorted((HERE / "published").iterdir()):
        sequence = json.loads((folder / "expected.json").read_text())["sequence"]
        load = transformers.AutoModelForCausalLM.from_pretrained
        model = load(folder, dtype=torch.float64).eval()
        generator = numpy.random.default_rng(len(folder.name))
        while True:
            tokens = make_tokens(model, sequence, generator)
            found = predict(model, sequence, tokens)
            if found["margin"] > 1e-4:
                break
        numpy.array(tokens, dtype=numpy.uint16).tofile(folder / "predicted.bin")
        (folder / "predicted.json").write_text(json.dumps(found) + "\n")
        print(folder.name, found["correct"], found["margin"])


if __name__ == "__main__":
    main()
