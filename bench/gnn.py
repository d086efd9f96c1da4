#!/usr/bin/env python3
# ===- gnn.py - Graph networks against PyTorch Geometric --------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# bench/README.md says what is measured and how.
#
# ===----------------------------------------------------------------------===#

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "test" / "end-to-end")]
import results
import step
import support
import torch_environment
from lines import Lines

OUT = support.BUILD / "bench" / "gnn"
CORA = ROOT / "examples" / "cora" / "cora.safetensors"
# Of random graphs: nodes, directed edges, features, the share of them that is not
# 0 (1: dense), classes, training nodes; nodes of a cluster, or 0.
RANDOM = {
    "pubmed": (19_717, 88_648, 500, 0.1, 3, 60, 0),
    "arxiv": (169_343, 2_315_598, 128, 1, 40, 90_941, 0),
    "arxiv-clustered": (169_343, 2_315_598, 128, 1, 40, 90_941, 1_000),
}
# Of a clustered graph: the edges that stay within a cluster.
WITHIN = 0.9
# PyTorch Geometric takes up to 16 GB for one of these: its forms run one by one.
LARGE = ("arxiv", "arxiv-clustered")
FORMS = {
    "GCN": ["edges", "csr", "sparse", "compile-edges", "compile-csr", "compile-sparse"],
    "SAGE": ["edges", "csr", "compile-edges", "compile-csr"],
    "SAMPLED": ["edges", "trimmed"],
    "SGC": ["edges", "compile-edges"],
    "GAT": ["edges", "compile-edges"],
}


# SAGE that learns from sampled neighbourhoods: fan-outs, nodes of a step. Batches
# that PyTorch Geometric learns from, in turns.
SAMPLING = {False: ([25, 10], 64), True: ([15, 10], 1024)}
SAMPLES = 8


def shape_of(layer, graph):
    """(widths between, heads, hops): as published for citation graphs, and 256 wide
    on graphs of ogbn-arxiv's size."""
    large = graph.startswith("arxiv")
    if layer == "SGC":
        return [], 1, 2
    if layer == "GAT":
        return [64 if large else 8], 4 if large else 8, 0
    return [256 if large else 16], 1, 0


def specification_of(layer, graph, threads):
    widths, heads, hops = shape_of(layer, graph)
    fields = [f"layer: {layer}", f"layers: {len(widths) + 1}", f'graph: "{OUT / graph}.safetensors"']
    if widths:
        fields.append(f"hidden: {widths[0]}")
    if layer == "GAT":
        fields.append(f"heads: {heads}")
    if hops:
        fields.append(f"hops: {hops}")
    sampling = ""
    if layer == "SAMPLED":
        fields[0] = "layer: SAGE"
        fan_out, batch = SAMPLING[graph.startswith("arxiv")]
        sampling = f"sampling {{ fan_out: {fan_out} batch: {batch} }} "
    return (
        f'name: "{layer.lower()}-{graph}"\ngnn {{ {" ".join(fields)} }}\n'
        f"training {{ steps: 5 {sampling}"
        "optimizer { lr: 1e-4 beta2: 0.95 weight_decay: 0.1 } "
        "schedule { kind: CONSTANT } }\n"
        f'target {{ cpu {{ name: "native" threads: {threads} }} }}\n'
    )


def layers_here():
    """The layers that this tree's specification knows."""
    text = (ROOT / "frontends" / "spec.proto").read_text()
    body = re.search(r"message Gnn \{\s*enum Layer \{(.*?)\n  \}", text, re.S).group(1)
    return {"SAMPLED", *re.findall(r"^\s*([A-Z]+) = \d+;", body, re.M)}


def write_graph(name, scale):
    """A random graph, smaller by `scale`; or Cora."""
    path = OUT / f"{name}.safetensors"
    if name == "cora":
        path.write_bytes(CORA.read_bytes())
        return
    nodes, edges, features, density, classes, train, cluster = RANDOM[name]
    nodes, edges, train = (max(10, round(scale * count)) for count in (nodes, edges, train))
    program = pathlib.Path(__file__)
    values = [nodes, edges, features, density, classes, train, cluster]
    command = [sys.executable, program, "--write-graph", json.dumps([str(path), *values])]
    subprocess.run(command, check=True)


def write_random(path, nodes, edges, features, density, classes, train, cluster):
    """In a process of its own, whose memory is then free. Half of the edges are
    random ones, the others their opposites."""
    import numpy
    from safetensors.numpy import save_file

    random = numpy.random.default_rng(1)
    half = edges // 2
    sources = random.integers(nodes, size=half)
    targets = random.integers(nodes, size=half)
    if cluster:
        # Clusters of nodes whose numbers say nothing of them.
        near = sources // cluster * cluster + random.integers(cluster, size=half)
        within = (random.random(half) < WITHIN) & (near < nodes)
        targets = numpy.where(within, near, targets)
        order = random.permutation(nodes)
        sources, targets = order[sources], order[targets]
    graph = {
        "edge_index": numpy.stack(
            [numpy.concatenate([sources, targets]), numpy.concatenate([targets, sources])]
        ).astype(numpy.int32),
        "y": random.integers(classes, size=nodes).astype(numpy.int32),
    }
    if density == 1:
        graph["x"] = random.standard_normal((nodes, features), dtype=numpy.float32)
    else:
        held = random.random((nodes, features), dtype=numpy.float32) < density
        held[-1, -1] = True
        graph["x.indptr"] = numpy.concatenate([[0], held.sum(1).cumsum()]).astype(numpy.int32)
        graph["x.indices"] = numpy.nonzero(held)[1].astype(numpy.int32)
        graph["x.values"] = random.random(int(held.sum()), dtype=numpy.float32)
    order = random.permutation(nodes)
    for name, begin, end in (
        ("train", 0, train),
        ("val", train, train + (nodes - train) // 2),
        ("test", train + (nodes - train) // 2, nodes),
    ):
        flags = numpy.zeros(nodes, dtype=bool)
        flags[order[begin:end]] = True
        graph[f"{name}_mask"] = flags
    save_file(graph, path)


class Peer(step.Peer):
    """bench/peer_gnn.py in one form, kept running. Null steps where it cannot."""

    def __init__(self, layer, form, threads, graph):
        python, base = torch_environment.make()
        widths, heads, hops = shape_of(layer, graph)
        self.log = OUT / f"{layer}-{graph}-{form}.log"
        command = [python, "-W", "ignore", ROOT / "bench" / "peer_gnn.py", layer, form]
        command += [str(threads), OUT / f"{graph}.safetensors"]
        command += [",".join(map(str, widths)), str(heads), str(hops)]
        if layer == "SAMPLED":
            command += [samples_of(graph)]
        with open(self.log, "w") as log:
            environment = step.peer_environment(base, threads)
            Lines.__init__(self, form, command, environment, stderr=log)

    def ready(self, warm):
        """Whether it runs; else why not."""
        try:
            self.answer()
            self.steps(warm)
            return ""
        except (SystemExit, BrokenPipeError):
            return self.reason()

    def reason(self):
        """Why it has ended: a process that is killed for its memory says nothing."""
        lines = self.log.read_text().split("\n")
        return next((line for line in reversed(lines) if line.strip()), "no reason given")


def samples_of(graph):
    return OUT / f"{graph}-samples.safetensors"


def write_samples(own, graph):
    """What the first steps learn from."""
    command = [own.executable, "sample", "--data", OUT / f"{graph}.safetensors", "--order"]
    samples_of(graph).unlink(missing_ok=True)
    support.run([*command, "sequential", "--steps", SAMPLES, "--save", samples_of(graph)])


def sampled_floor(graph, facts, peak, rows):
    """The same of layers on blocks, in the mean of the samples."""
    from safetensors.numpy import load_file

    samples = load_file(samples_of(graph))
    ends = [facts[2], *shape_of("SAMPLED", graph)[0], facts[3]]
    flops = read = 0
    for step_number in range(1, SAMPLES + 1):
        prefix = f"step.{step_number}.batch.0."
        counts = samples[prefix + "counts"]
        targets = samples[prefix + "edge_index"][1]
        for i, (a, b) in enumerate(zip(ends, ends[1:])):
            given = int(counts[len(counts) - 2 - i])
            edges = int((targets < given).sum())
            # Of the neighbours and of the node itself; forward and for both gradients.
            flops += 2 * 2 * given * a * b * (3 if i else 2)
            read += (2 if i else 1) * edges * a * 4
    gemms = flops / (1e6 * step.GEMM_SHARE * peak["gflops"])
    return (gemms + read / (1e6 * rows["row_gbytes"])) / SAMPLES


def peak_bytes(path):
    return support.plan(path)["peak_bytes"]


def floor_milliseconds(layer, graph, facts, peak, rows):
    """GEMMs at the share of the peak that large ones reach, and the rows that edges
    read at the rate of random rows: the model's formula in its own order, A (x W)."""
    widths, heads, _ = shape_of(layer, graph)
    nodes, edges, features, classes, entries = facts
    ends = [features, *[width * heads for width in widths], classes]
    if layer not in ("GCN", "GAT"):
        entries = 0  # the first GEMM's factor is what neighbours make of x
    flops = read = 0
    for i, (a, b) in enumerate(zip(ends, ends[1:])):
        # Forward, the weight's gradient, and the input's where it is one.
        products = 2 * 2 * (entries * b if i == 0 and entries else nodes * a * b)
        products += 2 * nodes * a * b if i else 0
        passes = 2 if layer != "SGC" else 0
        if layer == "SAGE":  # neighbours' inputs, and a weight for the node itself
            products *= 2
            width, passes = a, 2 if i else 0  # sums of features are taken ahead
        elif layer == "GAT":  # gradients of scores read the neighbours once more
            width, passes = b, 3
        else:  # sums of dense features are taken ahead
            width, passes = b, passes if i or entries else 0
        flops += products
        read += passes * (edges + (nodes if layer in ("GCN", "GAT") else 0)) * width * 4
    gemms = flops / (1e6 * step.GEMM_SHARE * peak["gflops"])
    return gemms + read / (1e6 * rows["row_gbytes"])


def facts_of(path):
    """(nodes, edges, features, classes, entries of sparse features or 0)"""
    from safetensors.numpy import load_file

    graph = load_file(path)
    edges, classes = graph["edge_index"].shape[1], 1 + int(graph["y"].max())
    if "x" in graph:
        return len(graph["x"]), edges, graph["x"].shape[1], classes, 0
    columns = graph["x.indices"]
    return len(graph["x.indptr"]) - 1, edges, 1 + int(columns.max()), classes, len(columns)


def start(layer, graph, forms, options, impossible):
    """The peers that run."""
    peers = []
    for form in forms:
        peer = Peer(layer, form, options.threads, graph)
        reason = peer.ready(2)
        if reason:
            impossible[form] = reason
        else:
            peers.append(peer)
    return peers


def measure(layer, graph, options):
    specification = OUT / f"{layer.lower()}-{graph}.textproto"
    specification.write_text(specification_of(layer, graph, options.threads))
    data = OUT / f"{graph}.safetensors"
    benchmark = {"specification": specification, "set": {}}
    name = f"gnn/{layer.lower()}-{graph}"
    own = step.Tessera(name, benchmark, options.threads, data, support.BUILD)
    if layer == "SAMPLED":
        write_samples(own, graph)
    forms = [form for form in FORMS[layer] if form in (options.forms or FORMS[layer])]
    groups = [[form] for form in forms] if graph in LARGE else [forms]
    if options.tessera_only or not groups:
        groups = [[]]
    nodes, edges, features, classes, entries = facts = facts_of(data)
    width = max([features if not entries else 0, *shape_of(layer, graph)[0]]) or classes
    random_rows = [support.BUILD / "bin" / "bench-rows", options.threads, nodes, width, edges]
    peaks, rows, times, ratios, memory, impossible = [], [], {own.name: []}, {}, {}, {}
    for group in groups:
        peers = start(layer, graph, group, options, impossible)
        here = {contender.name: [] for contender in [own, *peers]}
        for _ in range(options.rounds):
            peaks.append(step.measure_peak(options.threads))
            rows.append(json.loads(support.run(random_rows).stdout))
            for contender in [own, *peers]:
                try:
                    here[contender.name].append(statistics.median(contender.steps(options.steps)))
                except (SystemExit, BrokenPipeError):
                    if contender is own:
                        raise
                    impossible[contender.name] = contender.reason()
        times[own.name] += here[own.name]
        for peer in peers:
            if peer.name not in impossible:
                times[peer.name] = here[peer.name]
                ratios[peer.name] = statistics.median(here[peer.name]) / statistics.median(
                    here[own.name]
                )
                memory[peer.name] = peer.peak_memory()
    train = [own.executable, "train", "--data", data, "--steps", 3]
    memory[own.name] = support.most_memory(train)
    peak = {key: statistics.median(p[key] for p in peaks) for key in peaks[0]}
    rate = {"row_gbytes": statistics.median(r["row_gbytes"] for r in rows)}
    if layer == "SAMPLED":
        floor = sampled_floor(graph, facts, peak, rate)
    else:
        floor = floor_milliseconds(layer, graph, facts, peak, rate)
    return {
        "layer": layer,
        "graph": graph,
        "floor_milliseconds": floor,
        "plan_bytes": peak_bytes(specification),
        "milliseconds": {name: statistics.median(each) for name, each in times.items()},
        "rounds": times,
        "times_tessera": ratios,
        "peak_memory": memory,
        "impossible": impossible,
        **peak,
        **rate,
    }


def report(result):
    print(
        f"\n{result['layer']} on {result['graph']}: peak {result['gflops']:.0f} GFLOP/s, random "
        f"rows {result['row_gbytes']:.1f} GB/s, floor {result['floor_milliseconds']:.2f} ms"
    )
    for name, milliseconds in result["milliseconds"].items():
        memory = result["peak_memory"][name]
        line = f"  {name:16s} {milliseconds:9.2f} ms {memory / 1e6:8.0f} MB"
        if name == "Tessera":
            line += f"  {milliseconds / result['floor_milliseconds']:.2f} x floor"
            line += f", {memory / result['plan_bytes']:.2f} x plan"
        else:
            line += f"  {result['times_tessera'][name]:.2f} x Tessera"
            line += f", {result['peak_memory']['Tessera'] / memory:.2f} of its memory taken here"
        print(line, flush=True)
    for form, reason in result["impossible"].items():
        print(f"  {form:16s} not possible: {reason}")


def keep(result, found):
    case = f"{result['layer']} on {result['graph']}"
    for name, values in result["rounds"].items():
        found.add(case, name, "step", "ms", values)
        found.add(case, name, "memory", "bytes", result["peak_memory"][name])
    found.add(case, "plan", "memory", "bytes", result["plan_bytes"])
    found.add(case, "floor", "step", "ms", result["floor_milliseconds"])


def main():
    if sys.argv[1:2] == ["--write-graph"]:
        return write_random(*json.loads(sys.argv[2]))
    parser = argparse.ArgumentParser(description="Graph networks against PyTorch Geometric.")
    parser.add_argument("rows", nargs="*", help="LAYER or LAYER:GRAPH; all by default")
    parser.add_argument("--graphs", default="cora,pubmed,arxiv,arxiv-clustered")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=5, help="measured in each round")
    parser.add_argument("--scale", type=float, default=1, help="of random graphs")
    parser.add_argument("--forms", nargs="*", help="of PyTorch Geometric; all by default")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--tessera-only", action="store_true")
    results.add_option(parser, "gnn")
    options = parser.parse_args()
    torch_environment.enter()
    OUT.mkdir(parents=True, exist_ok=True)
    support.run(["ninja", "-C", support.BUILD, "bench-peak", "bench-rows"])
    found, here = results.Results("gnn"), layers_here()
    for graph in options.graphs.split(","):
        wanted = [
            layer
            for layer in FORMS
            if not options.rows or {layer, f"{layer}:{graph}"} & set(options.rows)
        ]
        if wanted:
            write_graph(graph, options.scale)
        for layer in wanted:
            if layer not in here:
                print(f"\n{layer} on {graph}: this tree has no layer {layer}")
                continue
            result = measure(layer, graph, options)
            report(result)
            keep(result, found)
        for path in (OUT / f"{graph}.safetensors", samples_of(graph)):
            path.unlink(missing_ok=True)
    found.write(options.json)


if __name__ == "__main__":
    main()
