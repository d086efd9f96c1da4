#!/usr/bin/env python3
# ===- generate.py - Make the golden files ---------------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Trains small models with random weights in transformers (BLOOM, GPT-2) and
# PyTorch Geometric (GCN) and writes what Tessera must reproduce:
#
#   NAME/specification.textproto  written by hand, beside the files
#   NAME/weights.safetensors      the weights at the start
#   NAME/tokens.bin, .idx         the text, or NAME/tokens.bytes; NAME/graph.safetensors the graph
#   NAME/gradients.safetensors    every gradient of the first batch
#   NAME/expected.json            the first loss, the losses of 20 AdamW steps,
#                                 how far float32 is from float64, versions
#
# Run as `python3 test/golden/generate.py`: it runs itself again in the
# environment that scripts/torch_environment.py makes.
#
# ===----------------------------------------------------------------------===#

import json
import math
import os
import pathlib
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
STEPS = 20
OPTIMIZER = {"lr": 3e-3, "betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": 0.1}
CLIP = 1.0


if __name__ == "__main__" and "TESSERA_GOLDEN" not in os.environ:
    sys.path.insert(0, str(ROOT / "scripts"))
    import torch_environment

    python, environment = torch_environment.make()
    environment.update(TESSERA_GOLDEN="1", OMP_NUM_THREADS="1")
    os.execve(python, [str(python), __file__], environment)

import torch
import torch.nn.functional as F
import torch_geometric
import transformers
from safetensors.torch import save_file


def randomize(model, seed, weight_std):
    """Random values everywhere: a bias or norm at its usual start would hide errors."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() >= 2:
                parameter.copy_(weight_std * noise)
            elif name.endswith("weight"):
                parameter.copy_(1 + 0.1 * noise)
            else:
                parameter.copy_(0.05 * noise)


def make_tokens(count, vocabulary, seed):
    """Tokens that a model can partly predict: mostly an affine recurrence."""
    generator = torch.Generator().manual_seed(seed)
    jump = torch.rand(count, generator=generator) < 0.25
    noise = torch.randint(vocabulary, (count,), generator=generator)
    tokens = [int(noise[0])]
    for i in range(1, count):
        tokens.append(int(noise[i]) if jump[i] else (3 * tokens[-1] + 7) % vocabulary)
    return tokens


def write_mmididx(stem, tokens, documents, width):
    """Writes the MMIDIDX pair, tokens of 2 or 4 bytes, one sequence a document."""
    letter, code = {2: ("H", 8), 4: ("i", 4)}[width]
    stem.with_suffix(".bin").write_bytes(struct.pack(f"<{len(tokens)}{letter}", *tokens))
    bounds = [len(tokens) * i // documents for i in range(documents + 1)]
    lengths = [b - a for a, b in zip(bounds, bounds[1:])]
    index = b"MMIDIDX\0\0" + struct.pack("<QBQQ", 1, code, documents, documents + 1)
    index += struct.pack(f"<{documents}i", *lengths)
    index += struct.pack(f"<{documents}q", *[width * b for b in bounds[:-1]])
    index += struct.pack(f"<{documents + 1}q", *range(documents + 1))
    stem.with_suffix(".idx").write_bytes(index)


def cosine(step):
    """Warm-up over 4 steps, then half a cosine down to a tenth at step 16."""
    peak, low, warmup, end = OPTIMIZER["lr"], 0.1 * OPTIMIZER["lr"], 4, 16
    if step <= warmup:
        return peak * step / warmup
    progress = min(1.0, (step - warmup) / (end - warmup))
    return low + 0.5 * (peak - low) * (1 + math.cos(math.pi * progress))


def train(model, loss_of_step, schedule):
    """Returns (losses, gradients of the first batch) of STEPS steps of AdamW."""
    decayed = [p for p in model.parameters() if p.dim() >= 2]
    plain = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": decayed}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, foreach=False, fused=False, **OPTIMIZER)
    losses, gradients = [], {}
    for step in range(1, STEPS + 1):
        for group in optimizer.param_groups:
            group["lr"] = schedule(step)
        optimizer.zero_grad()
        loss = loss_of_step(model, step - 1)
        loss.backward()
        losses.append(loss.item())
        if step == 1:
            gradients = {n: p.grad.clone() for n, p in model.named_parameters()}
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
    return losses, gradients


class InDouble:
    """transformers' BLOOM asks its softmax for float32; in double keep double."""

    def __enter__(self):
        self.softmax = F.softmax
        F.softmax = lambda x, dim, dtype=None: self.softmax(
            x, dim=dim, dtype=x.dtype if x.dtype == torch.float64 else dtype
        )

    def __exit__(self, *_):
        F.softmax = self.softmax


def autocast(loss_of_step):
    """The same loss with PyTorch's mixed precision, in bfloat16."""

    def loss(model, step):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return loss_of_step(model, step)

    return loss


def published(name):
    """The name in published files, which lack transformers' prefix."""
    return name.removeprefix("transformer.")


def write_case(name, make_model, loss_of_step, schedule, prefixed=False, mixed=False):
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    model = make_model()
    weights = {
        (n if prefixed else published(n)): p.detach().clone()
        for n, p in model.named_parameters()
    }
    losses, gradients = train(model, loss_of_step, schedule)
    with InDouble():
        double_losses, double = train(make_model().double(), loss_of_step, schedule)

    def relative(n, gradients=gradients):
        scale = double[n].norm().item()
        return (gradients[n].double() - double[n]).norm().item() / scale if scale else 0.0

    versions = {
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "torch_geometric": torch_geometric.__version__,
    }
    # One entry, since safetensors writes several in any order.
    metadata = {"made_with": ", ".join(f"{k} {v}" for k, v in versions.items())}
    save_file(weights, folder / "weights.safetensors", metadata=metadata)
    save_file(
        {published(n): g.contiguous() for n, g in gradients.items()},
        folder / "gradients.safetensors",
        metadata=metadata,
    )
    expected = {
        "made_with": versions,
        "loss": losses[0],
        "losses": losses,
        "losses_float64": double_losses,
        "float32_from_float64": {
            "largest_loss": max(abs(a - b) / b for a, b in zip(losses, double_losses)),
            "largest_gradient": max(map(relative, gradients)),
        },
    }
    if mixed:
        mixed_losses, mixed_gradients = train(make_model(), autocast(loss_of_step), schedule)
        expected["bfloat16_autocast"] = {
            "losses": mixed_losses,
            "gradients_from_float64": {
                published(n): relative(n, mixed_gradients) for n in gradients
            },
        }
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    print(name, f"{losses[0]:.6f} -> {losses[-1]:.6f}", expected["float32_from_float64"])


def write_transformer(name, make_model, vocabulary, length, batch, index=None, **options):
    """`index`: (documents, bytes per token) of an MMIDIDX pair; else a token is a byte."""
    count = STEPS * batch * length + 1
    tokens = make_tokens(count, vocabulary, seed=len(name))
    (HERE / name).mkdir(exist_ok=True)
    if index:
        write_mmididx(HERE / name / "tokens", tokens, *index)
    else:
        (HERE / name / "tokens.bytes").write_bytes(bytes(tokens))
    tokens = torch.tensor(tokens)

    def loss_of_step(model, step):
        starts = [(step * batch + b) * length for b in range(batch)]
        inputs = torch.stack([tokens[s : s + length] for s in starts])
        targets = torch.stack([tokens[s + 1 : s + length + 1] for s in starts])
        logits = model(inputs, use_cache=False).logits
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())

    write_case(name, make_model, loss_of_step, mixed=True, **options)


def bloom(vocabulary, layers, hidden, heads):
    def make():
        config = transformers.BloomConfig(
            vocab_size=vocabulary,
            hidden_size=hidden,
            n_layer=layers,
            n_head=heads,
            hidden_dropout=0.0,
            attention_dropout=0.0,
            attn_implementation="eager",
        )
        model = transformers.BloomForCausalLM(config)
        randomize(model, seed=heads, weight_std=0.08)
        return model.train()

    return make


def gpt2(vocabulary, layers, hidden, heads, positions):
    def make():
        config = transformers.GPT2Config(
            vocab_size=vocabulary,
            n_positions=positions,
            n_embd=hidden,
            n_layer=layers,
            n_head=heads,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            bos_token_id=None,
            eos_token_id=None,
            attn_implementation="eager",
        )
        model = transformers.GPT2LMHeadModel(config)
        randomize(model, seed=heads, weight_std=0.08)
        return model.train()

    return make


def write_gcn(name, weighted=False):
    """A directed graph with isolated nodes, self-loops and a doubled edge; with
    `weighted`, weights of its edges, of which one is 0 and one is negative."""
    nodes, features, hidden, classes = 60, 24, 16, 5
    generator = torch.Generator().manual_seed(7)
    labels = torch.randint(classes, (nodes,), generator=generator)
    x = torch.randn(nodes, features, generator=generator)
    x[torch.arange(nodes), labels] += 1.5
    # The last three nodes have no edge at all.
    edges = torch.randint(nodes - 3, (2, 140), generator=generator)
    loops = torch.tensor([[4, 9, 21], [4, 9, 21]])
    edges = torch.cat([edges, loops, edges[:, :1]], dim=1)
    train_mask = torch.zeros(nodes, dtype=torch.bool)
    train_mask[::2] = True
    train_mask[-1] = True
    graph = {
        "x": x,
        "edge_index": edges,
        "y": labels,
        "train_mask": train_mask,
        "val_mask": ~train_mask & (torch.arange(nodes) % 4 == 1),
        "test_mask": ~train_mask & (torch.arange(nodes) % 4 == 3),
    }
    weights = None
    if weighted:
        # Of a node's edges to itself the last one counts.
        edges = torch.cat([edges, loops[:, :1]], dim=1)
        weights = 0.1 + 2 * torch.rand(edges.shape[1], generator=generator)
        weights[3], weights[5] = 0, -0.2
        graph.update(edge_index=edges, edge_weight=weights)
    (HERE / name).mkdir(exist_ok=True)
    save_file(graph, HERE / name / "graph.safetensors")

    def make():
        model = torch_geometric.nn.models.GCN(features, hidden, 2, classes)
        randomize(model, seed=5, weight_std=0.3)
        return model.train()

    def loss_of_step(model, step):
        dtype = next(model.parameters()).dtype
        weight = weights.to(dtype) if weighted else None
        logits = model(x.to(dtype), edges, edge_weight=weight)
        return F.cross_entropy(logits[train_mask], labels[train_mask])

    write_case(name, make, loss_of_step, schedule=lambda step: OPTIMIZER["lr"])


def main():
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    constant = lambda step: OPTIMIZER["lr"]
    write_transformer(
        "bloom-3-heads", bloom(257, 2, 48, 3), 257, 29, 2, index=(5, 2), schedule=cosine
    )
    write_transformer(
        "bloom-4-heads", bloom(256, 2, 32, 4), 256, 32, 4, schedule=constant, prefixed=True
    )
    write_transformer(
        "gpt2-3-heads", gpt2(100, 2, 48, 3, 32), 100, 24, 2, index=(1, 2), schedule=constant
    )
    write_transformer(
        "gpt2-4-heads",
        gpt2(64, 2, 32, 4, 27),
        *(64, 27, 4),
        index=(3, 4),
        schedule=cosine,
        prefixed=True,
    )
    write_gcn("gcn")
    write_gcn("gcn-weighted", weighted=True)


if __name__ == "__main__":
    main()
