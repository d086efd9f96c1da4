#!/usr/bin/env python3
# ===- generate_layers.py - Make the golden files of graphs' layers ---------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Trains stacks of layers for 50 steps on a graph that test/graphs/block_model.py makes,
# with directed and doubled edges, loops and isolated nodes, and writes what
# generate.py says of its own models. A folder is written where the specification,
# by hand, is there.
#
#   python3 test/golden/generate_layers.py [NAME...]
#
# ===----------------------------------------------------------------------===#

import collections
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]

if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "scripts"))
    import torch_environment

    torch_environment.enter(OMP_NUM_THREADS="1")

sys.path[:0] = [str(ROOT / "test" / "graphs"), str(ROOT / "test" / "end-to-end")]
import generate
import numpy
import support
import torch
import torch.nn.functional as F
from block_model import block_model
from torch_geometric import nn as pyg

GRAPH = {
    "nodes": 61,
    "classes": 5,
    "features": 17,
    "degree": 3,
    "isolated": 0.1,
    "directed": True,
    "duplicates": 6,
    "self_loops": 4,
    "dense": True,
    "seed": 3,
}
FEATURES, CLASSES = GRAPH["features"], GRAPH["classes"]


class Stack(torch.nn.Module):
    """Layers that `make(inputs, outputs)` makes, with a ReLU between them."""

    def __init__(self, widths, make):
        super().__init__()
        widths = [FEATURES, *widths, CLASSES]
        self.convs = torch.nn.ModuleList(make(a, b) for a, b in zip(widths, widths[1:]))

    def forward(self, x, edges):
        for i, conv in enumerate(self.convs):
            x = conv(torch.relu(x) if i else x, edges)
        return x


class Options(Stack):
    """With a layer norm of each node, an ELU and, from the second layer on, the layer's
    input added."""

    def __init__(self, widths, make):
        super().__init__(widths, make)
        self.norms = torch.nn.ModuleList(torch.nn.LayerNorm(width) for width in widths)

    def forward(self, x, edges):
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms)):
            y = F.elu(norm(conv(x, edges)))
            x = x + y if i else y
        return self.convs[-1](x, edges)


class Mlp(pyg.MLP):
    def forward(self, x, edges):
        return super().forward(x)


def edge_factors(sources, targets, heads, rate):
    """What dropout multiplies edges by, [edges, heads], with Tessera's bits: see
    graph.attention."""
    drawing = generate.drawing
    seen = collections.Counter()
    rows = []
    for edge in zip(sources.tolist(), targets.tolist()):
        rows.append(edge[0] + GRAPH["nodes"] * seen[edge])
        seen[edge] += 1
    head = numpy.arange(heads)
    call = numpy.array(rows)[:, None] * ((heads + 3) // 4) + head // 4
    word = 3 + (drawing.draw << 4)
    counter = [call, *(numpy.zeros_like(call) + n for n in (0, drawing.step, word))]
    counter[1] += targets.numpy()[:, None]
    words = numpy.stack(generate.philox(counter, (drawing.SEED, 0)))
    bits = numpy.take_along_axis(words, numpy.broadcast_to(head % 4, call.shape)[None], 0)[0]
    drawing.draw += 1
    return torch.from_numpy((bits >= int(rate * 2**32)) / (1 - rate))


class DroppingGATConv(pyg.GATConv):
    def edge_update(self, alpha_j, alpha_i, edge_attr, index, ptr, dim_size, edge_index_j):
        rate, self.dropout = self.dropout, 0.0
        alpha = super().edge_update(alpha_j, alpha_i, edge_attr, index, ptr, dim_size)
        self.dropout = rate
        return alpha * edge_factors(edge_index_j, index, self.heads, rate).to(alpha.dtype)


class Gat(torch.nn.Module):
    """Layers of `heads` heads, of which the last has heads of its own, averaged."""

    def __init__(self, widths, heads, output_heads=1, concat=True, features=0.0, **options):
        super().__init__()
        layers, inputs = [], FEATURES
        conv = DroppingGATConv if options.get("dropout") else pyg.GATConv
        for width in widths:
            layers.append(conv(inputs, width, heads, concat=concat, **options))
            inputs = width * heads if concat else width
        layers.append(conv(inputs, CLASSES, output_heads, concat=False, **options))
        self.convs = torch.nn.ModuleList(layers)
        self.features = features

    def forward(self, x, edges):
        for i, conv in enumerate(self.convs):
            x = generate.drawing.dropout(torch.relu(x) if i else x, self.features)
            x = conv(x, edges)
        return x


def gin_mlp(inputs, outputs):
    return pyg.MLP([inputs, outputs, outputs], norm=None)


CASES = {
    "gcn-generated": lambda: Stack([13, 9], pyg.GCNConv),
    "gat": lambda: Gat([7], heads=3),
    "gat-averaged": lambda: Gat(
        [5, 6], heads=8, output_heads=3, concat=False, negative_slope=0.1
    ),
    "gat-dropout": lambda: Gat([7], heads=5, output_heads=2, features=0.2, dropout=0.4),
    "mlp": lambda: Mlp([FEATURES, 13, 9, CLASSES], norm=None),
    "sage": lambda: Stack([13], pyg.SAGEConv),
    "sage-max": lambda: Stack([13], lambda a, b: pyg.SAGEConv(a, b, aggr="max")),
    "sage-sum": lambda: Stack(
        [13, 9], lambda a, b: pyg.SAGEConv(a, b, aggr="sum", root_weight=False)
    ),
    "sage-options": lambda: Options([13, 13], pyg.SAGEConv),
    "sgc": lambda: Stack([], lambda a, b: pyg.SGConv(a, b, K=3)),
    "sgc-2-layers": lambda: Stack([13], lambda a, b: pyg.SGConv(a, b, K=2)),
    "gin": lambda: Stack([13], lambda a, b: pyg.GINConv(gin_mlp(a, b), 0.2, train_eps=True)),
    "gin-fixed-eps": lambda: Stack([13], lambda a, b: pyg.GINConv(gin_mlp(a, b), 0.2)),
}


def write_layers(name, make_model):
    graph = block_model(**GRAPH)
    tensors = {
        key: torch.tensor(list(values)).reshape(shape) for key, (_, shape, values) in graph.items()
    }
    support.write_safetensors(HERE / name / "graph.safetensors", graph)
    mask, labels = tensors["train_mask"].bool(), tensors["y"].long()
    edges = tensors["edge_index"].long()

    def make():
        model = make_model()
        generate.randomize(model, seed=5, weight_std=0.3)
        return model.train()

    def loss_of_step(model, step):
        generate.drawing.start(step, None)
        dtype = next(model.parameters()).dtype
        logits = model(tensors["x"].to(dtype), edges)
        return F.cross_entropy(logits[mask], labels[mask])

    rate = generate.OPTIMIZER["lr"]
    generate.write_case(name, make, loss_of_step, schedule=lambda step: rate, steps=50)


if __name__ == "__main__":
    generate.write_cases(CASES, write_layers)
