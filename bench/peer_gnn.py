# ===- peer_gnn.py - A step of a graph network in PyTorch Geometric ---------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Serves bench/gnn.py as peer.py serves step.py: reads numbers from its standard
# input and answers each with the milliseconds of that many training steps; at the
# end it says its peak memory.
#
#   peer_gnn.py LAYER FORM THREADS GRAPH WIDTHS HEADS HOPS [SAMPLES]
#
# FORM says what the graph and the features are to PyTorch Geometric:
#
#   edges         edge_index, features dense
#   csr           a sparse matrix (torch.sparse_csr), features dense
#   sparse        the same, and the first layer multiplies sparse features
#   compile-FORM  the same by torch.compile
#   trimmed       a step's edge_index, of which each layer gets what it needs
#
# LAYER is that of the specification, or SAMPLED: GraphSAGE, a step of which learns
# from one of SAMPLES after the other, a file of the executable's command `sample`.
#
# ===----------------------------------------------------------------------===#

import itertools
import sys

import torch
import torch.nn.functional as F
from peer import optimizer_of, serve
from torch_geometric import nn as pyg


def read(path):
    """(features, dense or sparse, edges, classes, training nodes)"""
    from safetensors.torch import load_file

    data = load_file(path)
    if "x" in data:
        x = data["x"].float()
    else:
        begins, columns = (data[name].long() for name in ("x.indptr", "x.indices"))
        values = data.get("x.values", torch.ones(len(columns))).float()
        size = (len(begins) - 1, int(columns.max()) + 1)
        x = torch.sparse_csr_tensor(begins, columns, values, size)
    rows = data["train_mask"].bool().nonzero().squeeze(1)
    return x, data["edge_index"].long(), data["y"].long(), rows


class SparseLinear(torch.nn.Module):
    """x W^T + b of sparse x, whose gradient for W is x^T times the result's."""

    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, transpose, weight):
            ctx.transpose = transpose
            return x @ weight.t()

        @staticmethod
        def backward(ctx, gradient):
            return None, None, (ctx.transpose @ gradient).t()

    def __init__(self, linear, x):
        super().__init__()
        self.weight, self.bias = linear.weight, linear.bias
        self.transpose = x.to_sparse_coo().t().to_sparse_csr()

    def forward(self, x):
        result = self.Product.apply(x, self.transpose, self.weight)
        return result if self.bias is None else result + self.bias


class Model(torch.nn.Module):
    """Layers with a ReLU between them. What depends on the graph alone is computed
    once, as Tessera does."""

    def __init__(self, layer, features, classes, widths, heads, hops):
        super().__init__()
        ends = [features, *widths, classes]
        pairs = list(zip(ends, ends[1:]))
        if layer == "GCN":
            layers = [pyg.GCNConv(a, b, cached=True) for a, b in pairs]
        elif layer in ("SAGE", "SAMPLED"):
            layers = [pyg.SAGEConv(a, b) for a, b in pairs]
        elif layer == "SGC":
            layers = [pyg.SGConv(features, classes, K=hops, cached=True)]
        else:
            layers = [pyg.GATConv(features, widths[0], heads)]
            layers.append(pyg.GATConv(widths[0] * heads, classes, 1, concat=False))
        self.layers = torch.nn.ModuleList(layers)

    def forward(self, x, edges):
        for i, layer in enumerate(self.layers):
            x = layer(torch.relu(x) if i else x, edges)
        return x


def make_step(layer, form, graph, widths, heads, hops):
    x, edges, labels, rows = read(graph)
    nodes = len(x)
    model = Model(layer, x.shape[1], int(labels.max()) + 1, widths, heads, hops)
    compiled, form = form.startswith("compile-"), form.removeprefix("compile-")
    if form == "sparse":
        if x.layout == torch.strided or layer != "GCN":
            raise SystemExit("no sparse features to multiply")
        model.layers[0].lin = SparseLinear(model.layers[0].lin, x)
    elif x.layout != torch.strided:
        x = x.to_dense()
    if form != "edges":
        ones = torch.ones(edges.shape[1])
        rows_of = torch.sparse_coo_tensor(edges.flip(0), ones, (nodes, nodes))
        edges = rows_of.coalesce().to_sparse_csr()
    model(x, edges)  # fills caches, which torch.compile cannot trace
    optimizer = optimizer_of(model)
    forward = torch.compile(model) if compiled else model
    targets = labels[rows]

    def step():
        loss = F.cross_entropy(forward(x, edges)[rows], targets)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.item()

    return step


def read_samples(path):
    """(nodes, edges, classes of the seeds, nodes and edges that each hop adds)"""
    from safetensors.torch import load_file

    data, samples = load_file(path), []
    while f"step.{len(samples) + 1}.batch.0.nodes" in data:
        prefix = f"step.{len(samples) + 1}.batch.0."
        nodes, edges, counts, classes = (
            data[prefix + name] for name in ("nodes", "edge_index", "counts", "y")
        )
        edges = edges[:, edges[1].argsort(stable=True)]
        ends = [int((edges[1] < count).sum()) for count in counts[:-1]]
        hops = [end - begin for begin, end in zip([0, *ends], ends)]
        found = [int(counts[0]), *counts.diff().tolist()]
        samples.append((nodes, edges.contiguous(), classes, found, hops))
    return samples


def make_sampled_step(form, graph, widths, path):
    from torch_geometric.utils import trim_to_layer

    x, _, labels, _ = read(graph)
    if x.layout != torch.strided:
        x = x.to_dense()
    model = Model("SAMPLED", x.shape[1], int(labels.max()) + 1, widths, 1, 0)
    optimizer = optimizer_of(model)
    samples = itertools.cycle(read_samples(path))

    def step():
        nodes, edges, classes, found, hops = next(samples)
        h = x[nodes]
        for i, layer in enumerate(model.layers):
            if form == "trimmed":
                h, edges, _ = trim_to_layer(i, found, hops, h, edges)
            h = layer(torch.relu(h) if i else h, edges)
        loss = F.cross_entropy(h[: len(classes)], classes)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.item()

    return step


def main():
    layer, form, threads, graph, widths, heads, hops, *samples = sys.argv[1:]
    torch.manual_seed(1)
    torch.set_num_threads(int(threads))
    widths = [int(width) for width in widths.split(",") if width]
    if samples:
        return serve(make_sampled_step(form, graph, widths, samples[0]))
    serve(make_step(layer, form, graph, widths, int(heads), int(hops)))


if __name__ == "__main__":
    main()
