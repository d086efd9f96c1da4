#!/usr/bin/env python3
# ===- audit.py - Audits against PyTorch Geometric's ------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Compiles and runs audits of Cora, each model in both settings, on the splits that
# bench/audit_pyg.json has its means of, and compares means of the same splits;
# bench/README.md says how.
#
# ===----------------------------------------------------------------------===#

import argparse
import json
import os
import pathlib
import re
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test" / "end-to-end"))
import support

OUT = support.BUILD / "bench" / "audit"
SPLITS = ROOT / "examples" / "cora" / "audit-splits.json"
TABLE = ROOT / "bench" / "audit_pyg.json"
# How far means may be from PyTorch Geometric's: shares of nodes, AUROC, and for
# defenses the share of the advantage that is left and points of label loss.
ACCURACY, AUROC, ADVANTAGE, LOSS = 0.01, 0.015, 0.1, 1.5
# The fields of `gnn`, of `training` and the steps of each of its recipes. SAGE's
# batches of 64 are whole ones here.
MODELS = {
    "GCN": ("layer: GCN layers: 2 hidden: 256", 1e-4, 300),
    "SGC": ("layer: SGC layers: 2 hidden: 256 hops: 2", 1e-4, 300),
    "GAT": ("layer: GAT layers: 2 hidden: 256 heads: 8 attention_dropout: 0.1", 1e-4, 300),
    "SAGE_FULL_BATCH": ("layer: SAGE layers: 2 hidden: 256", 1e-3, 150),
    "MLP": ("layer: MLP layers: 2 hidden: 256", 1e-4, 300),
}
SPECIFICATION = """name: "{name}"
gnn {{ {gnn} nodes: 2708 edges: 10556 features: 1433 feature_entries: 49216 classes: 7 }}
training {{ steps: {steps} optimizer {{ kind: ADAM lr: {lr} }} }}
audit {{
  setting: {setting}
  train_nodes_per_class: 90
  test_nodes: 630
  attack {{ hidden: [100, 50] epochs: 100 batch: 32 lr: 0.01 input: POSTERIORS }}
  {defenses}
}}
target {{ cpu {{ name: "native" threads: {threads} }} }}
"""
# The query that a setting of PyTorch Geometric's table without one has here.
SUBGRAPHS = "SUBGRAPHS"


def layers_here():
    """The layers that this tree's specification knows."""
    text = (ROOT / "frontends" / "spec.proto").read_text()
    body = re.search(r"message Gnn \{\s*enum Layer \{(.*?)\n  \}", text, re.S).group(1)
    return set(re.findall(r"^\s*([A-Z]+) = \d+;", body, re.M))


def defenses_of(rows):
    """A specification's text for the defenses that a model's rows have."""
    texts = {}
    for row in rows:
        if row["defense"]:
            fields = " ".join(f"{key}: {value}" for key, value in row["defense"].items())
            texts[f"defense {{ {fields} }}"] = True
    return "\n  ".join(texts)


def audit(name, setting, rows, options):
    """report.json of a model in a setting, on the splits that its rows have."""
    gnn, lr, steps = MODELS[name]
    stem = OUT / f"{name.lower()}-{setting.lower()}"
    defenses = defenses_of(rows) if not options.no_defenses else ""
    text = SPECIFICATION.format(
        name=stem.name,
        gnn=gnn,
        lr=lr,
        steps=steps,
        setting=setting,
        defenses=defenses,
        threads=options.threads,
    )
    stem.with_suffix(".textproto").write_text(text)
    committed = json.loads(SPLITS.read_text())
    known = {seed for row in rows for seed in row.get("seeds", [])}
    chosen = [split for split in committed["splits"] if split["seed"] in known]
    splits = dict(committed, splits=chosen[: options.splits])
    stem.with_suffix(".splits.json").write_text(json.dumps(splits))
    support.compile(stem.with_suffix(".textproto"), stem)
    command = [stem, "audit", "--data", support.CORA]
    command += ["--splits", stem.with_suffix(".splits.json"), "--report", stem.with_suffix(".report")]
    support.run(command, timeout=None)
    return json.loads((stem.with_suffix(".report") / "report.json").read_text())


def mean_of(report, seeds, *path):
    """The mean of what the runs of these seeds have there."""
    values = []
    for run in report["runs"]:
        if run["seed"] in seeds:
            for key in path:
                run = run[key]
            values.append(run)
    return statistics.mean(values)


def peer_mean(row, seeds, key):
    """The same of PyTorch Geometric's."""
    pairs = zip(row["seeds"], row["values"][key])
    return statistics.mean(value for seed, value in pairs if seed in seeds)


class Table:
    """Rows as Markdown, and whether all are near enough."""

    def __init__(self, *columns):
        self.lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
        self.failures = []

    def add(self, label, cells, compared):
        """`compared`: (ours, PyTorch Geometric's, tolerance or None) for the last cells."""
        for own, peer, tolerance in compared:
            far = tolerance is not None and abs(own - peer) > tolerance
            digits = 1 if tolerance == LOSS else 3
            cells.append(f"{own:.{digits}f} / {peer:.{digits}f}" + (" (!)" if far else ""))
            if far:
                self.failures.append(f"{label}: {own:.4f}, {peer:.4f} in PyTorch Geometric")
        self.lines.append("| " + " | ".join([label, *cells]) + " |")


def compare_queries(name, setting, report, rows, table):
    """Undefended rows. Training accuracy is that on the graph of the training."""
    plain = [row for row in rows if not row["defense"]]
    trained = next(row for row in plain if row["query"] in ("REFERENCE", None))
    for row in plain:
        seeds = {run["seed"] for run in report["runs"]} & set(row["seeds"])
        query = row["query"] or SUBGRAPHS
        compared = []
        for who in ("target", "shadow"):
            for part, peer in (("train", trained), ("test", row)):
                own = mean_of(report, seeds, who, f"{part}_accuracy")
                peers = peer_mean(peer, seeds, f"{who}.{part}_accuracy")
                compared.append((own, peers, ACCURACY))
        tolerances = {"auroc": AUROC, "auroc_hard": AUROC, "precision": None, "recall": None}
        for key, tolerance in tolerances.items():
            own = mean_of(report, seeds, "queries", query, key)
            compared.append((own, peer_mean(row, seeds, f"attack.{key}"), tolerance))
        table.add(f"{name} {setting} {query}", [str(len(seeds))], compared)


def compare_defenses(name, setting, report, rows, table):
    """Of ratios of means, which fewer splits change little."""
    found = {}
    for each in report["defenses"]:
        key = {k: each[k] for k in ("kind", "neighbors", "bins", "beta") if k in each}
        found[each["query"], json.dumps(key, sort_keys=True)] = each
    for row in rows:
        if not row["defense"]:
            continue
        query = row["query"] or SUBGRAPHS
        own = found.get((query, json.dumps(row["defense"], sort_keys=True)))
        if own is None:
            continue
        mean = row["mean"]
        advantage = 2 * mean["undefended.auroc"] - 1
        compared = []
        for kind in ("adaptive", "static"):
            peer = (2 * mean[f"{kind}.auroc"] - 1) / advantage
            compared.append((own["advantage_left"][kind], peer, ADVANTAGE))
        loss = own["label_loss_points"]["mean"]
        compared.append((loss, 100 * mean["label_loss"], LOSS))
        strength = " ".join(str(value) for value in row["defense"].values())
        table.add(f"{name} {setting} {query}", [strength, str(row["splits"])], compared)


def main():
    parser = argparse.ArgumentParser(description="Audits against PyTorch Geometric's.")
    parser.add_argument("models", nargs="*", help=f"of {', '.join(MODELS)}; all by default")
    parser.add_argument("--splits", type=int, default=20, help="at most")
    parser.add_argument("--no-defenses", action="store_true")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    if unknown := set(options.models) - set(MODELS):
        parser.error(f"no model {', '.join(sorted(unknown))}")
    OUT.mkdir(parents=True, exist_ok=True)
    peers = json.loads(TABLE.read_text())
    queries = Table(
        *("model, setting, query", "splits", "target train", "target test", "shadow train"),
        *("shadow test", "AUROC", "AUROC of labels", "precision", "recall"),
    )
    columns = ("model, setting, query", "defense", "splits")
    defenses = Table(*columns, "adaptive", "static", "label loss")
    here, missing = layers_here(), []
    for name in options.models or MODELS:
        layer = MODELS[name][0].split()[1]
        for setting in ("TSTF", "TSTS"):
            rows = [r for r in peers["rows"] if r["model"] == name and r["setting"] == setting]
            if layer not in here or not rows:
                where = "this tree's layers" if layer not in here else "bench/audit_pyg.json"
                missing.append(f"{name} {setting} is not in {where}")
                continue
            print(f"{name} {setting}", flush=True)
            report = audit(name, setting, rows, options)
            compare_queries(name, setting, report, rows, queries)
            compare_defenses(name, setting, report, rows, defenses)
    text = "\n".join([*queries.lines, "", *defenses.lines, ""])
    (OUT / "table.md").write_text(text)
    print(f"\nhere / in PyTorch Geometric, means of the same splits but for defenses:\n\n{text}")
    print(*missing, sep="\n")
    print(f"also in {OUT / 'table.md'}")
    failures = queries.failures + defenses.failures
    if failures:
        sys.exit("audit.py: too far:\n" + "\n".join(failures))


if __name__ == "__main__":
    main()
