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
#   NAME/expected.json            the first loss, the losses of 20 AdamW steps (50
#                                 with dropout), how far float32 is from float64,
#                                 versions
#
# Dropout draws what Tessera draws: F.dropout is replaced by one that takes its
# bits from Philox, computed here (docs/rationale-nn.md says which).
#
# Run as `python3 test/golden/generate.py [NAME...]`: it runs itself again in the
# environment that scripts/torch_environment.py makes.
#
# ===----------------------------------------------------------------------===#

import json
import math
import pathlib
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
STEPS = 20
OPTIMIZER = {"lr": 3e-3, "betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": 0.1}
CLIP = 1.0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "scripts"))
    import torch_environment

    torch_environment.enter(OMP_NUM_THREADS="1")

import numpy
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


def philox(counter, key):
    """Ten rounds of Philox 4x32 (Salmon et al., SC11): four words of each counter.

    `counter` is four arrays of one shape, `key` two numbers.
    """
    low = numpy.uint64(0xFFFFFFFF)
    half = numpy.uint64(32)
    c = [word.astype(numpy.uint64) for word in counter]
    key = list(key)
    for _ in range(10):
        p0, p1 = numpy.uint64(0xD2511F53) * c[0], numpy.uint64(0xCD9E8D57) * c[2]
        c = [
            (p1 >> half) ^ c[1] ^ numpy.uint64(key[0]),
            p1 & low,
            (p0 >> half) ^ c[3] ^ numpy.uint64(key[1]),
            p0 & low,
        ]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


class Drawing:
    """F.dropout with Tessera's bits, for the step and the samples that are set.

    Draws of a step are numbered as they come; the use that word 3 begins with is 3.
    """

    SEED = 1

    def start(self, step, samples):
        """`samples`: a number for each text of the batch; None: rows are nodes."""
        self.step, self.samples, self.draw = step, samples, 0

    def bits(self, samples, rows, columns, part):
        """[samples, rows, columns]: element c of row r is word c mod 4 of a counter."""
        ids, row, column = numpy.meshgrid(
            numpy.array(samples), numpy.arange(rows), numpy.arange(columns), indexing="ij"
        )
        call = row * ((columns + 3) // 4) + column // 4
        word = 3 + (self.draw << 4) + (part << 16)
        counter = [call, ids, numpy.full_like(call, self.step), numpy.full_like(call, word)]
        words = numpy.stack(philox(counter, (self.SEED, 0)))
        return numpy.take_along_axis(words, (column % 4)[None], axis=0)[0]

    def dropout(self, x, p=0.5, training=True, inplace=False):
        if not training or p == 0:
            return x
        if x.dim() == 4:
            # Probabilities [batch, heads, queries, keys]: a row of bits is a key.
            batch, heads, queries, keys = x.shape
            bits = numpy.stack(
                [self.bits(self.samples, keys, queries, h) for h in range(heads)], axis=1
            ).swapaxes(2, 3)
        elif self.samples is None:
            bits = self.bits(range(x.shape[0]), 1, x.shape[1], 0)[:, 0]
        else:
            bits = self.bits(self.samples, *x.shape[1:], 0)
        self.draw += 1
        keep = torch.from_numpy(bits >= int(p * 2**32)).to(x.dtype)
        return x * (keep / (1 - p))


def cosine(step):
    """Warm-up over 4 steps, then half a cosine down to a tenth at step 16."""
    peak, low, warmup, end = OPTIMIZER["lr"], 0.1 * OPTIMIZER["lr"], 4, 16
    if step <= warmup:
        return peak * step / warmup
    progress = min(1.0, (step - warmup) / (end - warmup))
    return low + 0.5 * (peak - low) * (1 + math.cos(math.pi * progress))


def train(model, loss_of_step, schedule, steps=STEPS):
    """Returns (losses, gradients of the first batch) of so many steps of AdamW."""
    decayed = [p for p in model.parameters() if p.dim() >= 2]
    plain = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": decayed}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, foreach=False, fused=False, **OPTIMIZER)
    losses, gradients = [], {}
    for step in range(1, steps + 1):
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


def write_case(
    name, make_model, loss_of_step, schedule, prefixed=False, mixed=False, steps=STEPS
):
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    model = make_model()
    weights = {
        (n if prefixed else published(n)): p.detach().clone()
        for n, p in model.named_parameters()
    }
    losses, gradients = train(model, loss_of_step, schedule, steps)
    with InDouble():
        double_losses, double = train(make_model().double(), loss_of_step, schedule, steps)

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


def write_transformer(
    name, make_model, vocabulary, length, batch, index=None, steps=STEPS, mixed=True, **options
):
    """`index`: (documents, bytes per token) of an MMIDIDX pair; else a token is a byte."""
    count = steps * batch * length + 1
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
        drawing.start(step, range(step * batch, (step + 1) * batch))
        logits = model(inputs, use_cache=False).logits
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())

    write_case(name, make_model, loss_of_step, mixed=mixed, steps=steps, **options)


def bloom(vocabulary, layers, hidden, heads, dropout=0.0, attention_dropout=0.0):
    def make():
        config = transformers.BloomConfig(
            vocab_size=vocabulary,
            hidden_size=hidden,
            n_layer=layers,
            n_head=heads,
            hidden_dropout=dropout,
            attention_dropout=attention_dropout,
            attn_implementation="eager",
        )
        model = transformers.BloomForCausalLM(config)
        randomize(model, seed=heads, weight_std=0.08)
        return model.train()

    return make


def gpt2(
    vocabulary,
    layers,
    hidden,
    heads,
    positions,
    dropout=0.0,
    attention_dropout=0.0,
    activation="gelu_new",
):
    def make():
        config = transformers.GPT2Config(
            vocab_size=vocabulary,
            n_positions=positions,
            n_embd=hidden,
            n_layer=layers,
            n_head=heads,
            resid_pdrop=dropout,
            embd_pdrop=dropout,
            attn_pdrop=attention_dropout,
            activation_function=activation,
            bos_token_id=None,
            eos_token_id=None,
            attn_implementation="eager",
        )
        model = transformers.GPT2LMHeadModel(config)
        randomize(model, seed=heads, weight_std=0.08)
        return model.train()

    return make


class DroppingGcn(torch.nn.Module):
    """A GCN that drops the input of each layer, as PyTorch Geometric's examples do."""

    def __init__(self, features, hidden, classes, dropout):
        super().__init__()
        self.dropout = dropout
        self.convs = torch.nn.ModuleList(
            torch_geometric.nn.GCNConv(a, b) for a, b in [(features, hidden), (hidden, classes)]
        )

    def forward(self, x, edges, edge_weight=None):
        for i, conv in enumerate(self.convs):
            x = F.dropout(x.relu() if i else x, self.dropout, self.training)
            x = conv(x, edges, edge_weight)
        return x


def write_gcn(name, weighted=False, dropout=0.0, steps=STEPS):
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
        if dropout:
            model = DroppingGcn(features, hidden, classes, dropout)
        else:
            model = torch_geometric.nn.models.GCN(features, hidden, 2, classes)
        randomize(model, seed=5, weight_std=0.3)
        return model.train()

    def loss_of_step(model, step):
        drawing.start(step, None)
        dtype = next(model.parameters()).dtype
        weight = weights.to(dtype) if weighted else None
        logits = model(x.to(dtype), edges, edge_weight=weight)
        return F.cross_entropy(logits[train_mask], labels[train_mask])

    write_case(name, make, loss_of_step, schedule=lambda step: OPTIMIZER["lr"], steps=steps)


drawing = Drawing()


def compute_alike():
    """Makes PyTorch compute the same bits each time."""
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)


def write_cases(cases, write):
    """Writes, by write(name, case), those of `cases` that the command line names, or all;
    only those that have a specification."""
    compute_alike()
    for name in sys.argv[1:] or cases:
        if (HERE / name / "specification.textproto").exists():
            write(name, cases[name])
        else:
            print(f"{name}: no specification")


def main():
    F.dropout = drawing.dropout
    compute_alike()
    constant = {"schedule": lambda step: OPTIMIZER["lr"]}
    dropping = {"steps": 50, "mixed": False, "index": (3, 2), **constant}
    text = write_transformer
    cases = {
        "bloom-3-heads": lambda name: text(
            name, bloom(257, 2, 48, 3), 257, 29, 2, index=(5, 2), schedule=cosine
        ),
        "bloom-4-heads": lambda name: text(
            name, bloom(256, 2, 32, 4), 256, 32, 4, prefixed=True, **constant
        ),
        "gpt2-3-heads": lambda name: text(
            name, gpt2(100, 2, 48, 3, 32), 100, 24, 2, index=(1, 2), **constant
        ),
        "gpt2-4-heads": lambda name: text(
            name, gpt2(64, 2, 32, 4, 27), 64, 27, 4, index=(3, 4), schedule=cosine, prefixed=True
        ),
        "gpt2-relu2": lambda name: text(
            name, gpt2(60, 2, 24, 3, 21, activation="relu2"), 60, 21, 2, index=(2, 2), **constant
        ),
        "gcn": write_gcn,
        "gcn-weighted": lambda name: write_gcn(name, weighted=True),
        # Rates that differ, widths and lengths that are no multiples of 4.
        "bloom-dropout": lambda name: text(
            name, bloom(64, 2, 24, 3, 0.1, 0.2), 64, 22, 2, **dropping
        ),
        "gpt2-dropout": lambda name: text(
            name, gpt2(64, 2, 30, 3, 19, 0.2, 0.1), 64, 19, 4, prefixed=True, **dropping
        ),
        "gcn-dropout": lambda name: write_gcn(name, dropout=0.6, steps=50),
    }
    for name in sys.argv[1:] or cases:
        cases[name](name)


if __name__ == "__main__":
    main()
