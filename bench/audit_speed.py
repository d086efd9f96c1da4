#!/usr/bin/env python3
# ===- audit_speed.py - The time of an audit against PyTorch Geometric -----===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# The GCN's audit of Cora beside the same experiment of audit_pyg.py: trainings,
# queries, defenses and attackers. bench/README.md says how.
#
# ===----------------------------------------------------------------------===#

import argparse
import json
import os
import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "test" / "end-to-end")]
import audit
import audit_pyg
import results
import step
import support
import torch_environment

OUT = support.BUILD / "bench"
# What both sides do.
DEFENSES = [
    *({"kind": "NSD", "neighbors": k} for k in (1, 2, 3)),
    *({"kind": "LBP", "bins": 2, "beta": b} for b in (0.05, 0.1, 0.2)),
]


def compile_audit(options):
    gnn, lr, steps = audit.MODELS["GCN"]
    text = audit.SPECIFICATION.format(
        name="audit-speed",
        gnn=gnn,
        lr=lr,
        steps=steps,
        setting="TSTF",
        defenses=audit.lines_of(DEFENSES),
        threads=max(1, options.threads // options.ranks),
    )
    specification = OUT / "audit-speed.textproto"
    specification.write_text(text)
    return support.compile(specification, OUT / "audit-speed")


def own_seconds(executable, options):
    """Of the whole command."""
    begin = time.perf_counter()
    command = support.launcher(options.ranks) + [executable, "audit", "--data", support.CORA]
    command += ["--seeds", options.seeds]
    support.run(command, timeout=None)
    return time.perf_counter() - begin


def peer_seconds(options):
    """Without the start of Python and the reading of the graph."""
    import torch

    # Before there are threads, which inherit it.
    torch.set_flush_denormal(options.peer_flushes)
    torch.set_num_threads(options.threads)
    audit_pyg.QUERIES = [query for query in audit_pyg.QUERIES if query[0] == "TSTF"]
    audit_pyg.DEFENSES = DEFENSES
    committed = json.loads(audit_pyg.SPLITS.read_text())
    data = audit_pyg.read_graph(support.CORA)
    splits = committed["splits"][: options.peer_seeds]
    begin = time.perf_counter()
    rows = list(audit_pyg.experiments("GCN", data, splits, DEFENSES))
    seconds = time.perf_counter() - begin
    assert len(rows) == len(splits) * 2 * (1 + len(DEFENSES))
    return seconds


def main():
    parser = argparse.ArgumentParser(description="An audit's time.")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--peer-seeds", type=int, default=5, help="of PyTorch Geometric")
    parser.add_argument(
        "--peer-flushes", action="store_true", help="it takes subnormal numbers for zero, as Tessera"
    )
    parser.add_argument("--ranks", type=int, default=2, help="that share Tessera's trials")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    results.add_option(parser, "audit_speed")
    options = parser.parse_args()
    python, base = torch_environment.make()
    if pathlib.Path(sys.executable) != python:
        environment = step.peer_environment(base, options.threads)
        os.execve(python, [str(python), "-W", "ignore", *sys.argv], environment)
    OUT.mkdir(parents=True, exist_ok=True)
    executable = compile_audit(options)
    own, peer = [], []
    for _ in range(options.rounds):
        own.append(own_seconds(executable, options))
        peer.append(peer_seconds(options) * options.seeds / options.peer_seeds)
        print(f"Tessera {own[-1]:.1f} s, PyTorch Geometric {peer[-1]:.1f} s", flush=True)
    found = results.Results("audit_speed")
    for contender, values in (("Tessera", own), ("PyTorch Geometric", peer)):
        found.add(f"GCN, {options.seeds} seeds", contender, "audit", "s", values)
    found.write(options.json)
    ratio = statistics.median(peer) / statistics.median(own)
    print(f"{options.seeds} seeds: {ratio:.2f} x")


if __name__ == "__main__":
    main()
