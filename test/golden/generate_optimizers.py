#!/usr/bin/env python3
# ===- generate_optimizers.py - Make the golden files of optimizers ---------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Writes what optimizers must reproduce, from PyTorch's own and lion-pytorch's:
#
#   optimizers/updates.json  parameters after 20 steps on given gradients, in two
#                            classes that differ in weight decay and lr_scale
#   optimizers/losses.json   the losses of 20 steps of bloom-4-heads
#
# Run as `python3 test/golden/generate_optimizers.py`, which runs itself again in
# the environment of scripts/torch_environment.py.
#
# ===----------------------------------------------------------------------===#

import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent

if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent.parent / "scripts"))
    import torch_environment

    torch_environment.enter(OMP_NUM_THREADS="1")

import importlib.metadata

import generate
import torch
import torch.nn.functional as F
from lion_pytorch import Lion

ELEMENTS, CLASS_END, STEPS, LR = 40, 24, 20, 1e-2
# Of each class: weight decay and the factor of the learning rate.
CLASSES = [(0.1, 1.0), (0.02, 0.5)]

# The hyperparameters as specifications name them, and the optimizer's own.
UPDATES = {
    "adamw": (torch.optim.AdamW, {"beta1": 0.9, "beta2": 0.95, "eps": 1e-8}),
    "adam": (torch.optim.Adam, {"beta1": 0.8, "beta2": 0.99, "eps": 1e-6}),
    "sgd": (torch.optim.SGD, {"momentum": 0.0, "nesterov": False}),
    "sgd-momentum": (torch.optim.SGD, {"momentum": 0.9, "nesterov": False}),
    "sgd-nesterov": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    "lion": (Lion, {"beta1": 0.9, "beta2": 0.99}),
}


def keywords(fields):
    """PyTorch's names of the hyperparameters."""
    result = {k: v for k, v in fields.items() if not k.startswith("beta")}
    if "beta1" in fields:
        result["betas"] = (fields["beta1"], fields["beta2"])
    return result


def make_optimizer(kind, groups, lr, fields):
    options = {} if kind is Lion else {"foreach": False}
    if kind in (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD):
        options["fused"] = False
    return kind(groups, lr=lr, **keywords(fields), **options)


def updates():
    generator = torch.Generator().manual_seed(11)
    start = torch.randn(ELEMENTS, generator=generator)
    # Each element's gradients keep their sign and stay away from zero, so that
    # rounding cannot change the sign of a mean of them.
    sign = torch.where(torch.rand(ELEMENTS, generator=generator) < 0.5, -1.0, 1.0)
    gradients = [
        sign * (0.1 + 0.9 * torch.rand(ELEMENTS, generator=generator)) for _ in range(STEPS)
    ]
    cases = {}
    for name, (kind, fields) in UPDATES.items():
        bounds = [(0, CLASS_END), (CLASS_END, ELEMENTS)]
        parts = [torch.nn.Parameter(start[a:b].clone()) for a, b in bounds]
        groups = [
            {"params": [part], "weight_decay": decay, "lr": LR * scale}
            for part, (decay, scale) in zip(parts, CLASSES)
        ]
        optimizer = make_optimizer(kind, groups, LR, fields)
        for gradient in gradients:
            for part, (a, b) in zip(parts, bounds):
                part.grad = gradient[a:b].clone()
            optimizer.step()
        result = torch.cat([part.detach() for part in parts])
        cases[name] = {"kind": name.split("-")[0], **fields, "result": result.tolist()}
    return {
        "lr": LR,
        "class_end": CLASS_END,
        "weight_decays": [decay for decay, _ in CLASSES],
        "lr_scales": [scale for _, scale in CLASSES],
        "start": start.tolist(),
        "gradients": [gradient.tolist() for gradient in gradients],
        "cases": cases,
    }


# The optimizer of each run as its specification gives it.
RUNS = {
    "adam": (torch.optim.Adam, {"lr": 3e-3, "beta1": 0.9, "beta2": 0.95}, []),
    "sgd": (torch.optim.SGD, {"lr": 0.1}, []),
    "sgd-momentum": (torch.optim.SGD, {"lr": 0.02, "momentum": 0.9}, []),
    "sgd-nesterov": (torch.optim.SGD, {"lr": 0.02, "momentum": 0.9, "nesterov": True}, []),
    "adamw-groups": (
        torch.optim.AdamW,
        {"lr": 3e-3, "beta1": 0.9, "beta2": 0.95},
        [
            {"match": "layernorm", "lr_scale": 0.5, "weight_decay": 0.3},
            {"match": r"^h\.1\..*bias$", "weight_decay": 0.2},
            {"match": "^word_embeddings.weight$", "lr_scale": 0.1},
        ],
    ),
}
DECAY = 0.1


def parameter_groups(model, lr, groups):
    """One for each parameter, as the first group that matches its name says."""
    for name, parameter in model.named_parameters():
        own = {"params": [parameter], "lr": lr}
        own["weight_decay"] = DECAY if parameter.dim() >= 2 else 0.0
        for group in groups:
            if re.search(group["match"], generate.published(name)):
                own["lr"] = lr * group.get("lr_scale", 1)
                own["weight_decay"] = group.get("weight_decay", own["weight_decay"])
                break
        yield own


def losses(kind, fields, groups):
    batch, length = 4, 32
    text = (HERE / "bloom-4-heads" / "tokens.bytes").read_bytes()
    tokens = torch.tensor(list(text))
    model = generate.bloom(256, 2, 32, 4)()
    fields = dict(fields)
    lr = fields.pop("lr")
    optimizer = make_optimizer(kind, list(parameter_groups(model, lr, groups)), lr, fields)
    result = []
    for step in range(STEPS):
        starts = [(step * batch + b) * length for b in range(batch)]
        inputs = torch.stack([tokens[s : s + length] for s in starts])
        targets = torch.stack([tokens[s + 1 : s + length + 1] for s in starts])
        optimizer.zero_grad()
        logits = model(inputs, use_cache=False).logits
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        loss.backward()
        result.append(loss.item())
        torch.nn.utils.clip_grad_norm_(model.parameters(), generate.CLIP)
        optimizer.step()
    return result


def write(name, content):
    made_with = {
        package: importlib.metadata.version(package)
        for package in ("torch", "lion-pytorch", "transformers")
    }
    text = json.dumps({"made_with": made_with, **content}, indent=1)
    # A list of numbers is a line.
    text = re.sub(r"\[[^][{}]*\]", lambda m: re.sub(r"\s+", " ", m[0]), text)
    folder = HERE / "optimizers"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text + "\n")


def main():
    generate.compute_alike()
    write("updates.json", updates())
    runs = {}
    for name, (kind, fields, groups) in RUNS.items():
        runs[name] = {
            "kind": name.split("-")[0],
            **fields,
            "weight_decay": DECAY,
            "groups": groups,
            "losses": losses(kind, fields, groups),
        }
        print(name, runs[name]["losses"][0], "->", runs[name]["losses"][-1])
    write("losses.json", {"runs": runs})


if __name__ == "__main__":
    main()
