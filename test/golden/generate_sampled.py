#!/usr/bin/env python3
# ===- generate_sampled.py - Make the golden files of sampled training ------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Trains PyTorch Geometric's layers for 20 steps on the micro-batches that Tessera
# samples: the command `sample` writes them, and every layer runs on the whole sampled
# subgraph, of which the seeds' rows count. Graphs have directed and doubled edges, loops
# and isolated nodes; that of a GCN has weights. A folder is written where the
# specification, by hand, is there.
#
#   TESSERA_BUILD=build python3 test/golden/generate_sampled.py [NAME...]
#
# ===----------------------------------------------------------------------===#

import array
import pathlib
import random
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]

if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "scripts"))
    import torch_environment

    torch_environment.enter(OMP_NUM_THREADS="1")

sys.path[:0] = [str(ROOT / "test" / "graphs"), str(ROOT / "test" / "end-to-end")]
import generate
import support
import torch
import torch.nn.functional as F
from block_model import block_model
from generate_layers import CLASSES, FEATURES, GRAPH, Gat, Stack, gin_mlp
from safetensors.torch import load_file
from torch_geometric import nn as pyg

SAMPLED = dict(GRAPH, nodes=150, degree=7, duplicates=20, self_loops=12)
STEPS = 20


class Weighted(Stack):
    def forward(self, x, edges, weights):
        for i, conv in enumerate(self.convs):
            x = conv(torch.relu(x) if i else x, edges, weights)
        return x


CASES = {
    "sampled-gcn": lambda: Weighted([13], pyg.GCNConv),
    "sampled-gat": lambda: Gat([7], heads=3),
    "sampled-gin": lambda: Stack(
        [13], lambda a, b: pyg.GINConv(gin_mlp(a, b), 0.2, train_eps=True)
    ),
    "sampled-sage": lambda: Stack([13, 9], pyg.SAGEConv),
}
assert FEATURES == SAMPLED["features"] and CLASSES == SAMPLED["classes"]


def micro_batches(batches, step):
    """Those of step `step`, counted from 0: dictionaries of their tensors."""
    prefix, found = f"step.{step + 1}.batch.", {}
    for name, tensor in batches.items():
        if name.startswith(prefix):
            index, tensor_name = name.removeprefix(prefix).split(".", 1)
            found.setdefault(int(index), {})[tensor_name] = tensor
    return [found[index] for index in sorted(found)]


def write_sampled(name, make_model):
    folder = HERE / name
    graph = block_model(**SAMPLED)
    is_weighted = name == "sampled-gcn"
    if is_weighted:
        draw = random.Random(7)
        edges = graph["edge_index"][1][1]
        weights = array.array("f", [draw.uniform(0.2, 3) for _ in range(edges)])
        graph["edge_weight"] = ("F32", [edges], weights)
    support.write_safetensors(folder / "graph.safetensors", graph)
    x = torch.tensor(graph["x"][2]).reshape(graph["x"][1])

    out = support.scratch(f"golden-{name}-batches")
    executable = support.compile(folder / "specification.textproto", out / "exe")
    command = [executable, "sample", "--data", folder / "graph.safetensors"]
    command += ["--order", "sequential", "--steps", STEPS, "--save", out / "batches"]
    support.run(command)
    batches = load_file(out / "batches")

    def make():
        model = make_model()
        generate.randomize(model, seed=5, weight_std=0.3)
        return model.train()

    def loss_of_step(model, step):
        generate.drawing.start(step, None)
        sampled = micro_batches(batches, step)
        seeds = sum(len(batch["y"]) for batch in sampled)
        loss = 0
        for batch in sampled:
            if not len(batch["y"]):
                continue
            dtype = next(model.parameters()).dtype
            weights = [batch["edge_weight"].to(dtype)] if is_weighted else []
            logits = model(x[batch["nodes"]].to(dtype), batch["edge_index"], *weights)
            logits = logits[: len(batch["y"])]
            loss = loss + F.cross_entropy(logits, batch["y"], reduction="sum") / seeds
        return loss

    rate = generate.OPTIMIZER["lr"]
    generate.write_case(name, make, loss_of_step, schedule=lambda step: rate, steps=STEPS)


if __name__ == "__main__":
    generate.write_cases(CASES, write_sampled)
