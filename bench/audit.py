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
import csv
import json
import os
import pathlib
import re
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test" / "end-to-end"))
import audit_pyg
import results
import support

OUT = support.BUILD / "bench" / "audit"
DOCUMENT = ROOT / "docs" / "audit.md"
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
QUERIES = [(setting, query or SUBGRAPHS) for setting, query in audit_pyg.QUERIES]
SETTINGS = ("TSTF", "TSTS")


def heading(setting, query):
    return setting if query == SUBGRAPHS else f"{setting} {query}"


def describe(defense):
    """As report.csv has it."""
    kind = defense["kind"]
    if kind == "NSD":
        return f"NSD, {defense['neighbors']} neighbor" + "s" * (defense["neighbors"] > 1)
    if kind == "LBP":
        return f"LBP, {defense['bins']} bins, beta {defense['beta']:g}"
    return f"{kind} {defense['temperature']:g}" if kind == "TEMPERATURE" else kind


def layers_here():
    """The layers that this tree's specification knows."""
    text = (ROOT / "frontends" / "spec.proto").read_text()
    body = re.search(r"message Gnn \{\s*enum Layer \{(.*?)\n  \}", text, re.S).group(1)
    return set(re.findall(r"^\s*([A-Z]+) = \d+;", body, re.M))


def defenses_of(name):
    """Without edges NSD has nothing to take away."""
    return [d for d in audit_pyg.DEFENSES if name != "MLP" or d["kind"] != "NSD"]


def lines_of(defenses):
    """As a specification has them."""
    fields = (" ".join(f"{key}: {value}" for key, value in each.items()) for each in defenses)
    return "\n  ".join(f"defense {{ {line} }}" for line in fields)


def is_guessed(defense):
    return defense["kind"] in audit_pyg.GUESSED


def stem_of(name, setting, is_repeated=False):
    return OUT / f"{name.lower()}-{setting.lower()}{'-repeated' if is_repeated else ''}"


def audit(name, setting, options, is_repeated=False):
    """Compiles and runs the audit of a model in a setting, or more trials of each split
    with the defenses alone whose static attackers guess."""
    gnn, lr, steps = MODELS[name]
    stem = stem_of(name, setting, is_repeated)
    defenses = [] if options.no_defenses else defenses_of(name)
    if is_repeated:
        defenses = [defense for defense in defenses if is_guessed(defense)]
    text = SPECIFICATION.format(
        name=stem.name,
        gnn=gnn,
        lr=lr,
        steps=steps,
        setting=setting,
        defenses=lines_of(defenses),
        threads=options.threads,
    )
    stem.with_suffix(".textproto").write_text(text)
    committed = json.loads(audit_pyg.SPLITS.read_text())
    chosen = committed["splits"][: options.splits]
    if is_repeated:
        chosen = chosen + audit_pyg.repeated(chosen, options.repeats)
    splits = dict(committed, splits=chosen)
    stem.with_suffix(".splits.json").write_text(json.dumps(splits))
    support.compile(stem.with_suffix(".textproto"), stem)
    command = [stem, "audit", "--data", support.CORA]
    command += ["--splits", stem.with_suffix(".splits.json"), "--report", folder_of(name, setting, is_repeated)]
    support.run(command, timeout=None)


def folder_of(name, setting, is_repeated=False):
    return stem_of(name, setting, is_repeated).with_suffix(".report")


def has_report(name, setting, is_repeated=False):
    return (folder_of(name, setting, is_repeated) / "report.json").exists()


class Report:
    """What an audit here has found."""

    def __init__(self, name, setting, is_repeated=False):
        folder = folder_of(name, setting, is_repeated)
        self.json = json.loads((folder / "report.json").read_text())
        with open(folder / "report.csv", newline="") as stream:
            self.lines = list(csv.DictReader(stream))
        self.seeds = [run["seed"] for run in self.json["runs"]]

    def values(self, query, defense, column):
        """Of each seed; `defense` as describe() has it, or NONE."""
        return {
            int(line["seed"]): float(line[column])
            for line in self.lines
            if line["query"] == query and line["defense"] == defense
        }

    def mean(self, seeds, query, defense, column):
        values = self.values(query, defense, column)
        return statistics.mean(values[seed] for seed in seeds)

    def alone(self, query, name):
        """The AUROC of a baseline without a model."""
        found = (b for b in self.json["baselines"] if b["query"] == query and b["name"] == name)
        return next(found)["mean"]["auroc"]

    def within(self, query, by):
        found = (a for a in self.json["analysis"] if a["query"] == query and a["by"] == by)
        return next(found)["auroc_within"]


class Peer:
    """What bench/audit_pyg.json has of a model in a setting."""

    def __init__(self, name, setting):
        rows = json.loads(audit_pyg.TABLE.read_text())["rows"]
        self.rows = {
            (row["query"] or SUBGRAPHS, describe(row["defense"]) if row["defense"] else "NONE"): row
            for row in rows
            if row["model"] == name and row["setting"] == setting
        }

    def has_repeats(self):
        """Whether it has several trials of a split where static attackers guess."""
        return any(len(row["seeds"]) > len(self.row(query)["seeds"]) for (query, _), row in self.rows.items())

    def row(self, query, defense="NONE"):
        return self.rows.get((query, defense))

    def mean(self, seeds, query, defense, key):
        row = self.row(query, defense)
        values = dict(zip(row["seeds"], row["values"][key]))
        return statistics.mean(values[seed] for seed in seeds)


class Table:
    """Rows as Markdown, and whether all are near enough."""

    def __init__(self, *columns):
        self.lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
        self.failures, self.distances = [], {}

    def cell(self, label, own, peer, tolerance):
        """Ours and PyTorch Geometric's, if it has one; the tolerance may be None."""
        digits = {LOSS: 1, ADVANTAGE: 2}.get(tolerance, 3)
        if peer is None:
            return f"{own:.{digits}f}"
        self.distances[label] = abs(own - peer)
        far = tolerance is not None and abs(own - peer) > tolerance
        if far:
            self.failures.append(f"{label}: {own:.4f}, {peer:.4f} in PyTorch Geometric")
        return f"{own:.{digits}f} / {peer:.{digits}f}" + (" (!)" if far else "")

    def add(self, *cells):
        self.lines.append("| " + " | ".join(cells) + " |")

    def text(self):
        return "\n".join(self.lines)


def common(report, row, query, defense="NONE"):
    """The seeds of both, or all of the report's where the other has none."""
    seeds = list(report.values(query, defense, "auroc"))
    return [seed for seed in seeds if row and seed in row["seeds"]] or seeds


def query_rows(table, name, reports, peers):
    """Undefended rows. Training accuracy is that on the graph of the training."""
    for setting, query in QUERIES:
        if setting not in reports:
            continue
        report, peer = reports[setting], peers[setting]
        seeds = common(report, peer.row(query), query)
        trained = "REFERENCE" if setting == "TSTF" else SUBGRAPHS
        label = f"{name} {heading(setting, query)}"
        cells = [label, str(len(seeds))]
        columns = [
            *((f"{who}_{part}_accuracy", f"{who}.{part}_accuracy", ACCURACY) for who in ("target", "shadow")
              for part in ("train", "test")),
            *(("auroc", "attack.auroc", AUROC), ("auroc_hard", "attack.auroc_hard", AUROC)),
            *(("precision", "attack.precision", None), ("recall", "attack.recall", None)),
        ]
        for column, key, tolerance in columns:
            own = report.mean(seeds, query, "NONE", column)
            asked = trained if "train_accuracy" in column else query
            other = peer.mean(seeds, asked, "NONE", key) if peer.row(query) else None
            cells.append(table.cell(f"{label} {column}", own, other, tolerance))
        table.add(*cells)


def share_left(own, seeds, query, defense, column, plain):
    """Of the advantage 2 AUROC - 1, a ratio of means over the same seeds."""
    advantage = 2 * own.mean(seeds, query, "NONE", plain) - 1
    return (2 * own.mean(seeds, query, defense, column) - 1) / advantage


def defense_rows(table, name, reports, peers):
    """A row for each defense, with the three queries beside each other. The label loss
    of TSTF is the mean over both queries, which draw apart. Where static attackers
    guess, means are of all trials that there are of each side."""
    for defense in defenses_of(name):
        kind = describe(defense)
        if not all(reports[setting].values(query, kind, "auroc") for setting, query in QUERIES):
            continue
        label = f"{name} {kind}"
        losses = {}
        cells, counts = [], set()
        for setting, query in QUERIES:
            report, peer = reports[setting], peers[setting]
            row = peer.row(query, kind)
            seeds = others = common(report, row, query, kind)
            if is_guessed(defense) and has_report(name, setting, is_repeated=True):
                report = Report(name, setting, is_repeated=True)
                seeds, others = report.seeds, row["seeds"] if row else None
            counts.add(f"{len(seeds)} / {len(others)}" if row and seeds != others else str(len(seeds)))
            for attacker, column in (("adaptive", "auroc"), ("static", "static_auroc")):
                own = share_left(report, seeds, query, kind, column, "auroc")
                other = row and share_left_of_peer(peer, others, query, kind, f"{attacker}.auroc")
                cells.append(table.cell(f"{label} {heading(setting, query)} {attacker}", own, other, ADVANTAGE))
            loss = report.mean(seeds, query, kind, "label_loss_points")
            other = row and 100 * peer.mean(others, query, kind, "label_loss")
            losses.setdefault(setting, []).append((loss, other))
        for setting, pairs in losses.items():
            own = statistics.mean(loss for loss, _ in pairs)
            others = [other for _, other in pairs]
            other = None if None in others else statistics.mean(others)
            cells.append(table.cell(f"{label} {setting} label loss", own, other, LOSS))
        table.add(name, kind, ", ".join(sorted(counts)), *cells)


def share_left_of_peer(peer, seeds, query, defense, key):
    advantage = 2 * peer.mean(seeds, query, defense, "undefended.auroc") - 1
    return (2 * peer.mean(seeds, query, defense, key) - 1) / advantage


def claim_rows(table, name, reports):
    """Here alone: what an attack has beside what needs no model."""
    for setting, query in QUERIES:
        report = reports.get(setting)
        if report is None:
            continue
        train, test = (
            report.mean(report.seeds, query, "NONE", f"target_{part}_accuracy")
            for part in ("train", "test")
        )
        figures = (
            train - test,
            report.mean(report.seeds, query, "NONE", "auroc"),
            report.alone(query, "class"),
            report.alone(query, "degree"),
            report.within(query, "class"),
            report.within(query, "degree"),
        )
        table.add(f"{name} {heading(setting, query)}", *(f"{figure:.3f}" for figure in figures))


def tables(models):
    """The tables of all models that have reports: {name: Table}."""
    queries = Table(
        *("model, setting, query", "splits", "target train", "target test", "shadow train"),
        *("shadow test", "AUROC", "AUROC of labels", "precision", "recall"),
    )
    columns = [f"{heading(*each)} {kind}" for each in QUERIES for kind in ("adaptive", "static")]
    defenses = Table("model", "defense", "trials", *columns, "loss TSTF", "loss TSTS")
    claims = Table(
        *("model, setting, query", "gap", "AUROC", "class alone", "degree alone"),
        *("within classes", "within degrees"),
    )
    for name in models:
        there = [setting for setting in SETTINGS if has_report(name, setting)]
        reports = {setting: Report(name, setting) for setting in there}
        peers = {setting: Peer(name, setting) for setting in there}
        query_rows(queries, name, reports, peers)
        claim_rows(claims, name, reports)
        if len(there) == len(SETTINGS):
            defense_rows(defenses, name, reports, peers)
    return {"queries": queries, "claims": claims, "defenses": defenses}


def write_document(found):
    """Puts each table where docs/audit.md has its marks."""
    text = DOCUMENT.read_text()
    for name, table in found.items():
        begin, end = f"<!-- bench/audit.py: {name} -->\n", "<!-- end -->"
        head, rest = text.split(begin)
        text = head + begin + "\n" + table.text() + "\n\n" + end + rest.split(end, 1)[1]
    DOCUMENT.write_text(text)


def main():
    parser = argparse.ArgumentParser(description="Audits against PyTorch Geometric's.")
    parser.add_argument("models", nargs="*", help=f"of {', '.join(MODELS)}; all by default")
    parser.add_argument("--splits", type=int, default=20, help="at most")
    parser.add_argument("--no-defenses", action="store_true")
    parser.add_argument("--repeats", type=int, default=5, help="trials of each split where static attackers guess")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--reports", action="store_true", help="run nothing, read the reports that are there")
    parser.add_argument("--document", action="store_true", help="also puts the tables into docs/audit.md")
    results.add_option(parser, "audit")
    options = parser.parse_args()
    if unknown := set(options.models) - set(MODELS):
        parser.error(f"no model {', '.join(sorted(unknown))}")
    OUT.mkdir(parents=True, exist_ok=True)
    here = layers_here()
    models = [name for name in options.models or MODELS if MODELS[name][0].split()[1] in here]
    for name in models if not options.reports else []:
        for setting in SETTINGS:
            print(f"{name} {setting}", flush=True)
            audit(name, setting, options)
            if not options.no_defenses and Peer(name, setting).has_repeats():
                audit(name, setting, options, is_repeated=True)
    found = tables(models)
    text = "\n\n".join(table.text() for table in found.values())
    (OUT / "table.md").write_text(text + "\n")
    print(f"\nhere / in PyTorch Geometric, means of the same splits:\n\n{text}")
    print(f"also in {OUT / 'table.md'}")
    measured = results.Results("audit")
    for table in found.values():
        for label, distance in table.distances.items():
            measured.add(label, "Tessera", "distance from PyTorch Geometric", "", distance)
    measured.write(options.json)
    if options.document:
        write_document(found)
    if failures := [failure for table in found.values() for failure in table.failures]:
        sys.exit("audit.py: too far:\n" + "\n".join(failures))


if __name__ == "__main__":
    main()
