#!/usr/bin/env python3
# ===- block_model.py - Graphs to test with ---------------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Random graphs of a block model, so that nothing is fitted to the one real graph
# that the tests have:
#
#   test/graphs/block_model.py OUT.safetensors --nodes 500 --classes 4 --homophily 0.6
#
# or, in a script, block_model(...). The same options give the same file with any
# Python. Needs the standard library alone.
#
# ===----------------------------------------------------------------------===#

import argparse
import array
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "end-to-end"))
import support


def sizes_of_classes(nodes, classes):
    """Class c has about as many nodes as 2 / (c + 2) of the first one's, at least 2."""
    shares = [1 / (c + 2) for c in range(classes)]
    sizes = [max(2, int(nodes * share / sum(shares))) for share in shares]
    sizes[0] += nodes - sum(sizes)
    if sizes[0] < 2:
        raise ValueError(f"{nodes} nodes are too few for {classes} classes")
    return sizes


def drawn_edges(draw, y, options):
    """Distinct edges between distinct nodes, [(from, to)], of which the wanted share
    joins nodes of one class; none at isolated nodes."""
    nodes = len(y)
    isolated = set(draw.sample(range(nodes), round(options.isolated * nodes)))
    members = {}
    for node in range(nodes):
        if node not in isolated:
            members.setdefault(y[node], []).append(node)
    linked = sorted(node for own in members.values() for node in own)
    count = round(options.degree * nodes / (1 if options.directed else 2))
    found = {}  # ordered
    for alike in range(count):
        want = alike < round(options.homophily * count)
        for _ in range(1000):
            a = draw.choice(linked)
            b = draw.choice(members[y[a]] if want else linked)
            edge = (a, b) if options.directed else (min(a, b), max(a, b))
            if a != b and (y[a] == y[b]) == want and edge not in found:
                found[edge] = True
                break
        else:
            raise ValueError(f"{nodes} nodes have no room for degree {options.degree}")
    edges = list(found)
    if not options.directed:
        edges += [(b, a) for a, b in edges]
    edges += [draw.choice(edges) for _ in range(options.duplicates)]
    edges += [(node, node) for node in (draw.randrange(nodes) for _ in range(options.self_loops))]
    draw.shuffle(edges)
    return edges


def words_of(draw, y, options):
    """The columns of each node's ones, ascending. Each class prefers its own part of
    the columns; a node takes `signal` of its words from there."""
    classes, features = max(y) + 1, options.features
    rows = []
    for label in y:
        begin, end = label * features // classes, (label + 1) * features // classes
        words = set()
        for _ in range(options.words):
            own = draw.random() < options.signal and begin < end
            words.add(draw.randrange(begin, end) if own else draw.randrange(features))
        rows.append(sorted(words))
    # A file tells the number of columns by the last one that is used.
    rows[-1] = sorted({*rows[-1], features - 1})
    return rows


def split_flags(draw, y, options):
    """Training nodes balanced over classes; of the others half validate, half test."""
    rest, train = [], []
    for label in range(max(y) + 1):
        members = [node for node, own in enumerate(y) if own == label]
        draw.shuffle(members)
        count = min(options.train_per_class, (len(members) + 1) // 2)
        train += members[:count]
        rest += members[count:]
    draw.shuffle(rest)
    parts = {"train": train, "val": rest[: len(rest) // 2], "test": rest[len(rest) // 2 :]}
    flags = {}
    for name, members in parts.items():
        chosen = set(members)
        flags[name] = array.array("b", [node in chosen for node in range(len(y))])
    return flags


DEFAULTS = {
    "nodes": (200, "of the graph"),
    "classes": (4, "of unequal sizes"),
    "degree": (4.0, "mean, before duplicates and loops"),
    "homophily": (0.7, "share of edges within a class, before duplicates and loops"),
    "isolated": (0.05, "share of nodes without edges, but loops"),
    "features": (40, "columns of x"),
    "words": (6, "ones of a node, at most"),
    "signal": (0.6, "share of a node's words that its class prefers"),
    "self_loops": (0, "edges of a node to itself"),
    "duplicates": (0, "edges that are there a second time"),
    "train_per_class": (10, "training nodes, at most half of a class"),
    "seed": (1, "of all draws"),
}


def block_model(**values):
    """A graph, {name: (dtype, shape, array)} as support.write_safetensors takes it.

    Keywords are the options of the command line; features are sparse ones unless
    `dense`. ValueError where there is no such graph.
    """
    options = argparse.Namespace(directed=False, dense=False)
    vars(options).update({name: default for name, (default, _) in DEFAULTS.items()})
    unknown = set(values) - set(vars(options))
    if unknown:
        raise TypeError(f"block_model has no {', '.join(sorted(unknown))}")
    vars(options).update(values)
    draw = random.Random(options.seed)
    sizes = sizes_of_classes(options.nodes, options.classes)
    y = [label for label, size in enumerate(sizes) for _ in range(size)]
    draw.shuffle(y)
    edges = drawn_edges(draw, y, options)
    rows = words_of(draw, y, options)
    graph = {}
    if options.dense:
        x = array.array("f", bytes(4 * options.nodes * options.features))
        for node, columns in enumerate(rows):
            for column in columns:
                x[node * options.features + column] = 1
        graph["x"] = ("F32", [options.nodes, options.features], x)
    else:
        indptr = [0]
        for columns in rows:
            indptr.append(indptr[-1] + len(columns))
        indices = array.array("i", [column for columns in rows for column in columns])
        graph["x.indptr"] = ("I32", [options.nodes + 1], array.array("i", indptr))
        graph["x.indices"] = ("I32", [len(indices)], indices)
    ends = array.array("i", [edge[side] for side in (0, 1) for edge in edges])
    graph["edge_index"] = ("I32", [2, len(edges)], ends)
    graph["y"] = ("I32", [options.nodes], array.array("i", y))
    for name, flags in split_flags(draw, y, options).items():
        graph[f"{name}_mask"] = ("BOOL", [options.nodes], flags)
    return graph


def edges_of(graph):
    """The ends of a graph's edges: (sources, targets)."""
    _, (_, count), ends = graph["edge_index"]
    return ends[:count], ends[count:]


def homophily(graph):
    """The share of edges whose ends have one class."""
    y = graph["y"][2]
    sources, targets = edges_of(graph)
    return sum(y[a] == y[b] for a, b in zip(sources, targets)) / max(1, len(sources))


def main():
    parser = argparse.ArgumentParser(description="A random graph of a block model.")
    parser.add_argument("out", metavar="OUT.safetensors", type=pathlib.Path)
    for name, (default, text) in DEFAULTS.items():
        flag = "--" + name.replace("_", "-")
        parser.add_argument(flag, type=type(default), default=default, help=f"{text} ({default})")
    parser.add_argument("--directed", action="store_true", help="edges need no opposite")
    parser.add_argument("--dense", action="store_true", help="x in place of its ones' places")
    options = vars(parser.parse_args())
    out = options.pop("out")
    try:
        graph = block_model(**options)
    except ValueError as error:
        sys.exit(f"block_model.py: {error}")
    support.write_safetensors(out, graph)
    print(f"{out}: {len(edges_of(graph)[0])} edges, homophily {homophily(graph):.3f}")


if __name__ == "__main__":
    main()
