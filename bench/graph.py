#!/usr/bin/env python3
# ===- graph.py - Loading a large graph -------------------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# The CPU time of loading a graph's edges against SciPy's two conversions, and the
# memory of a run against its plan: bench/README.md. Runs itself again in the
# environment that scripts/torch_environment.py makes.
#
# ===----------------------------------------------------------------------===#

import argparse
import pathlib
import re
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path += [str(ROOT / "scripts"), str(ROOT / "test" / "end-to-end")]
import results
import support
import torch_environment

OUT = support.BUILD / "bench"
SPECIFICATION = """name: "graph"
gnn { layer: GCN layers: 2 hidden: 16 graph: "graph.safetensors" }
training { steps: 3 optimizer { lr: 0.01 } }
target { cpu { name: "native" threads: 1 } }
"""


def make_graph(options):
    """Random edges; their ends as arrays."""
    import numpy
    from safetensors.numpy import save_file

    random = numpy.random.default_rng(1)
    nodes, edges = options.nodes, options.edges
    ends = random.integers(nodes, size=(2, edges))
    split = random.integers(3, size=nodes)
    graph = {
        "x": random.standard_normal((nodes, options.features), dtype=numpy.float32),
        "edge_index": ends,
        "y": random.integers(10, size=nodes),
        "train_mask": split == 0,
        "val_mask": split == 1,
        "test_mask": split == 2,
    }
    if options.weights:
        graph["edge_weight"] = random.random(edges, dtype=numpy.float32)
    save_file(graph, OUT / "graph.safetensors")
    return ends, graph.get("edge_weight")


def scipy_milliseconds(ends, weights):
    """Of both conversions, which are one thread's, from edges in memory."""
    import numpy
    from scipy.sparse import coo_matrix

    if weights is None:
        weights = numpy.ones(ends.shape[1], dtype=numpy.float32)
    edges = coo_matrix((weights, (ends[1], ends[0])))
    begin = time.process_time()
    edges.tocsr()
    edges.tocsc()
    return 1e3 * (time.process_time() - begin)


def own_milliseconds():
    """Of opening and checking the file, and of both conversions."""
    output = support.run([support.BUILD / "bin" / "bench-graph", OUT / "graph.safetensors"]).stdout
    return [float(number) for number in re.findall(r"[0-9.]+", output)]


def peak_of_a_run():
    """The most memory of a run of some steps."""
    (OUT / "graph.textproto").write_text(SPECIFICATION)
    support.compile(OUT / "graph.textproto", OUT / "graph")
    command = [OUT / "graph", "train", "--data", OUT / "graph.safetensors"]
    return support.most_memory(command)


def main():
    parser = argparse.ArgumentParser(description="Loading a large graph.")
    parser.add_argument("--nodes", type=int, default=1_000_000)
    parser.add_argument("--edges", type=int, default=10_000_000)
    parser.add_argument("--features", type=int, default=16)
    parser.add_argument("--weights", action="store_true", help="of the edges")
    parser.add_argument("--rounds", type=int, default=5)
    results.add_option(parser, "graph")
    options = parser.parse_args()
    torch_environment.enter()
    OUT.mkdir(parents=True, exist_ok=True)
    support.run(["ninja", "-C", support.BUILD, "bench-graph"])
    ends, weights = make_graph(options)
    peers, opened, built = [], [], []
    for _ in range(options.rounds):
        peers.append(scipy_milliseconds(ends, weights))
        for times, number in zip((opened, built), own_milliseconds()):
            times.append(number)
    peer, own = statistics.median(peers), statistics.median(map(sum, zip(opened, built)))
    print(f"SciPy, two conversions from memory: {peer:.0f} ms")
    print(
        f"Tessera, from the file: {own:.0f} ms, of which opening and checking "
        f"{statistics.median(opened):.0f} ms"
    )
    used = peak_of_a_run()
    plan = support.plan(OUT / "graph.textproto")["peak_bytes"]
    print(f"plan {plan / 1e6:.1f} MB, most used {used / 1e6:.1f} MB: {used / plan:.3f}")
    found, case = results.Results("graph"), "with weights" if options.weights else "without weights"
    found.add(case, "SciPy", "two conversions", "ms", peers)
    found.add(case, "Tessera", "opening and both conversions", "ms", [sum(pair) for pair in zip(opened, built)])
    found.add(case, "Tessera", "memory", "bytes", used)
    found.write(options.json)
    (OUT / "graph.safetensors").unlink()
    if own > peer or used > 1.1 * plan:
        sys.exit(1)


if __name__ == "__main__":
    main()
