# ===- audit_case.py - A small audit of membership ------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import json
import pathlib
import sys
import unittest

import support

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "graphs"))
import block_model

SPECIFICATION = """name: "audit"
gnn {{ layer: GCN layers: 2 hidden: 16 graph: "graph.safetensors" }}
training {{ steps: 40 optimizer {{ kind: ADAM lr: 0.02 }} }}
audit {{
  setting: {setting}
  train_nodes_per_class: 20
  test_nodes: 60
  attack {{ hidden: [16] epochs: 20 }}
  {more}
}}
target {{ cpu {{ name: "native" threads: 1 }} }}
"""
DEFENSES = "defense { kind: NSD neighbors: 2 } defense { kind: LABEL_ONLY }"
NODES, CLASSES = 500, 3


class AuditCase(unittest.TestCase):
    """What tests of audits on a graph of NODES nodes share."""

    def make(self, name, setting="TSTF", more="", **fields):
        out = support.scratch(name)
        tensors = block_model.block_model(
            nodes=NODES, classes=CLASSES, features=40, degree=5, homophily=0.7, seed=1
        )
        support.write_safetensors(out / "graph.safetensors", tensors)
        text = SPECIFICATION.format(setting=setting, more=more)
        (out / "spec.textproto").write_text(text)
        support.compile(out / "spec.textproto", out / "exe", **fields)
        return out, tensors

    def audit(self, out, *options, check=True):
        command = [out / "exe", "audit", "--data", out / "graph.safetensors", *options]
        return support.run([str(part) for part in command], check=check)

    def report(self, out, *options):
        self.audit(out, "--report", out / "report", *options)
        return json.loads((out / "report" / "report.json").read_text())

    def split(self, tensors, nodes):
        """Nodes of a trial, those of each class in the order of `nodes`."""
        labels = list(tensors["y"][2])
        parts, rest = {}, nodes
        for part in ("target_train", "shadow_train"):
            parts[part] = [
                n for c in range(CLASSES) for n in [n for n in rest if labels[n] == c][:20]
            ]
            rest = [n for n in rest if n not in parts[part]]
        return {**parts, "target_test": rest[:60], "shadow_test": rest[60:120]}
