# ===- test_audit.py - Audits of membership --------------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import array
import json
import random
import re
import sys
import unittest

import support
from audit_case import CLASSES, DEFENSES, NODES, AuditCase, block_model


class Audit(AuditCase):
    def test_a_report_of_two_trials(self):
        out, _ = self.make("audit-tstf", more=DEFENSES + " ablation: NO_EDGES")
        report = self.report(out, "--seeds", 2)
        self.assertEqual(len(report["runs"]), 2)
        for run in report["runs"]:
            # A graph whose nodes were numbered wrongly teaches nothing of others.
            self.assertGreater(run["target"]["train_accuracy"], 0.9)
            self.assertGreater(run["target"]["test_accuracy"], 0.5)
            self.assertGreater(
                run["target"]["train_accuracy"], run["target"]["test_accuracy"]
            )
        output = self.audit(out, "--seeds", 2).stdout
        for row in ("MATCHED", "REFERENCE", "class alone", "NSD, 2 neighbors"):
            self.assertIn(row, output)

        # Audits of one seed are equal to the bit, alone or among others.
        first = (out / "report" / "report.json").read_bytes()
        self.report(out, "--seeds", 2)
        self.assertEqual((out / "report" / "report.json").read_bytes(), first)
        alone = self.report(out, "--seeds", 1, "--seed", 2)
        self.assertEqual(alone["runs"][0], report["runs"][1])

        # All programs are listed, and share memory.
        info = support.run([out / "exe", "info"]).stdout
        sizes = {}
        for model, program, size in re.findall(
            r"^  (target|attack) +(\w+) +([\d,]+) B", info, re.M
        ):
            sizes[model, program] = int(size.replace(",", ""))
        self.assertLessEqual(
            {
                ("target", "train"),
                ("target", "predict_whole"),
                ("attack", "train"),
                ("attack", "predict_all"),
            },
            sizes.keys(),
        )
        whole = re.search(r"^  in all +([\d,]+) B", info, re.M).group(1)
        self.assertEqual(int(whole.replace(",", "")), max(sizes.values()))

    def test_the_target_is_one_that_train_makes(self):
        # The same subgraph, cut out here, as an ordinary graph: its training
        # gives the accuracies that the audit reports.
        out, tensors = self.make("audit-target")
        splits = [
            {
                "seed": 7,
                "target_train": [],
                "target_test": [],
                "shadow_train": [],
                "shadow_test": [],
            }
        ]
        labels = list(tensors["y"][2])
        free = {c: [n for n in range(NODES) if labels[n] == c] for c in range(CLASSES)}
        for part in ("target_train", "shadow_train"):
            splits[0][part] = sorted(n for c in free for n in free[c][:20])
            free = {c: free[c][20:] for c in free}
        rest = sorted(n for c in free for n in free[c])
        splits[0]["target_test"], splits[0]["shadow_test"] = rest[:60], rest[60:120]
        (out / "splits.json").write_text(
            json.dumps({"graph": "graph", "splits": splits})
        )
        report = self.report(out, "--splits", out / "splits.json")
        run = report["runs"][0]
        self.assertEqual(run["seed"], 7)

        nodes = splits[0]["target_train"]
        number = {node: i for i, node in enumerate(nodes)}
        ends = tensors["edge_index"][2]
        count = len(ends) // 2
        kept = [
            (number[ends[i]], number[ends[count + i]])
            for i in range(count)
            if ends[i] in number and ends[count + i] in number
        ]
        support.write_safetensors(
            out / "sub.safetensors",
            {
                "x": self.rows(tensors, nodes),
                "edge_index": (
                    "I64",
                    [2, len(kept)],
                    array.array("q", [*[a for a, _ in kept], *[b for _, b in kept]]),
                ),
                "y": (
                    "I64",
                    [len(nodes)],
                    array.array("q", [labels[n] for n in nodes]),
                ),
                **{
                    f"{name}_mask": (
                        "BOOL",
                        [len(nodes)],
                        array.array("b", [name == "train"] * len(nodes)),
                    )
                    for name in ("train", "val", "test")
                },
            },
        )
        plain = re.sub(r"audit \{.*?\n\}\n", "", (out / "spec.textproto").read_text(), flags=re.S)
        plain = plain.replace("graph.safetensors", "sub.safetensors")
        (out / "plain.textproto").write_text(plain)
        support.compile(out / "plain.textproto", out / "plain")
        weights = out / "weights.safetensors"
        # The target's parameters are drawn by this seed (runtime/commands/AuditTrial.cpp).
        support.train(
            out / "plain",
            out / "sub.safetensors",
            out / "log",
            1,
            ["--seed", str(8 * 7), "--save", weights],
        )
        command = [out / "plain", "eval", "--data", out / "sub.safetensors"]
        output = support.run([*command, "--init", weights]).stdout
        accuracy = float(re.search(r"train .* accuracy ([\d.]+)", output).group(1))
        self.assertAlmostEqual(accuracy, run["target"]["train_accuracy"], places=5)

    def rows(self, tensors, nodes):
        """The features of some nodes, dense."""
        if "x" in tensors:
            _, (_, columns), values = tensors["x"]
            picked = [values[n * columns + c] for n in nodes for c in range(columns)]
        else:
            indptr, indices = tensors["x.indptr"][2], tensors["x.indices"][2]
            columns = max(indices) + 1
            picked = [0.0] * (len(nodes) * columns)
            for i, n in enumerate(nodes):
                for c in indices[indptr[n] : indptr[n + 1]]:
                    picked[i * columns + c] = 1.0
        return "F32", [len(nodes), columns], array.array("f", picked)

    def test_a_shadow_of_another_kind(self):
        shadow = "shadow { gnn { layer: SAGE hidden: 8 } training { steps: 30 } }"
        out, _ = self.make("audit-shadow", more=shadow + DEFENSES)
        report = self.report(out, "--seeds", 2)
        for run in report["runs"]:
            self.assertGreater(run["shadow"]["train_accuracy"], 0.9)
            self.assertNotEqual(run["shadow"], run["target"])
        self.assertIn("takes a sage model", report["threat_model"])
        self.assertIsNone(report["shadow_data"])
        # The target does not depend on it, and all share the memory.
        other, _ = self.make("audit-no-shadow", more=DEFENSES)
        alone = self.report(other, "--seeds", 2)
        self.assertIn("knows the model's architecture", alone["threat_model"])
        for run, same in zip(report["runs"], alone["runs"]):
            self.assertEqual(run["target"], same["target"])
        info = support.run([out / "exe", "info"]).stdout
        rows = re.findall(r"^  (target|shadow|attack) +(\w+) +([\d,]+) B", info, re.M)
        programs = {(model, program) for model, program, _ in rows}
        self.assertLessEqual({("shadow", "train"), ("shadow", "predict_whole")}, programs)
        whole = re.search(r"^  in all +([\d,]+) B", info, re.M).group(1)
        self.assertEqual(
            int(whole.replace(",", "")),
            max(int(size.replace(",", "")) for _, _, size in rows),
        )
        # Without fields it is the target's model, in programs of its own.
        same, _ = self.make("audit-same-shadow", more="shadow { }" + DEFENSES)
        self.assertEqual(self.report(same, "--seeds", 2)["runs"], alone["runs"])

        extra = ("--shadow-data", out / "graph.safetensors")
        done = self.audit(out, *extra, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("is for a shadow with a graph of its own", done.stderr)

    def test_a_shadow_on_another_graph(self):
        # With other features, one class more and other sets.
        graph = block_model.block_model(
            nodes=400, classes=CLASSES + 1, features=30, degree=6, homophily=0.7, seed=2
        )
        folder = support.scratch("audit-shadow-graph-data")
        path = folder / "other.safetensors"
        support.write_safetensors(path, graph)
        shadow = (
            f'shadow {{ gnn {{ graph: "{path}" hidden: 12 }}'
            " train_nodes_per_class: 15 test_nodes: 80 }"
        )
        out, tensors = self.make(
            "audit-shadow-graph", more=shadow + DEFENSES, audit__attack__input="SORTED"
        )
        other = ("--shadow-data", path)
        report = self.report(out, "--seeds", 2, *other)
        self.assertEqual(report["shadow_data"], str(path))
        self.assertEqual(len(report["hashes"]["shadow_graph"]), 64)
        self.assertIn("another graph", report["threat_model"])
        for run in report["runs"]:
            self.assertGreater(run["shadow"]["train_accuracy"], 0.9)
            self.assertGreater(run["shadow"]["test_accuracy"], 0.5)
        # Classes of the one graph are not those of the other.
        names = {b["name"] for b in report["baselines"]}
        self.assertEqual(names, {"degree"})

        # The same sets as a file says them: IDs of the shadow's are of its graph.
        split = self.split(tensors, list(range(NODES)))
        labels = list(graph["y"][2])
        by_class = [[n for n in range(400) if labels[n] == c] for c in range(CLASSES + 1)]
        split["shadow_train"] = sorted(n for nodes in by_class for n in nodes[:15])
        rest = [n for n in range(400) if n not in split["shadow_train"]]
        split["shadow_test"] = rest[-80:]
        splits = {"graph": "graph", "splits": [{**split, "seed": 5}]}
        (out / "splits.json").write_text(json.dumps(splits))
        report = self.report(out, "--splits", out / "splits.json", *other)
        self.assertEqual(report["runs"][0]["seed"], 5)

        done = self.audit(out, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("give it by --shadow-data", done.stderr)
        wrong = ("--shadow-data", out / "graph.safetensors")
        done = self.audit(out, *wrong, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("has 500 nodes, the audit was compiled for 400", done.stderr)

    def test_layers_that_read_sparse_features_as_dense(self):
        # Dropout, and a first layer that takes the largest of its neighbours.
        for name, fields in (
            ("dropout", {"gnn__dropout": 0.3}),
            ("max", {"gnn__layer": "SAGE", "gnn__aggregation": "MAX"}),
        ):
            with self.subTest(name):
                out, _ = self.make(f"audit-{name}", **fields)
                report = self.report(out, "--seeds", 1)
                self.assertGreater(report["runs"][0]["target"]["test_accuracy"], 0.5)

    def test_train_on_subgraph_test_on_subgraph(self):
        out, _ = self.make("audit-tsts", setting="TSTS", more=DEFENSES)
        report = self.report(out, "--seeds", 2)
        self.assertEqual(report["setting"], "TSTS")
        self.assertEqual(report["queries"], ["SUBGRAPHS"])

    def test_a_model_that_is_there(self):
        # The target of a plain run on the whole graph, by its weights and by its
        # answers: only shadow and attack are trained, and both ways agree.
        out, tensors = self.make("audit-existing", more="defense { kind: LABEL_ONLY }")
        labels = list(tensors["y"][2])
        masks = {
            name: array.array("b", [node % 9 == part for node in range(NODES)])
            for part, name in enumerate(("train", "val", "test"))
        }
        for name, flags in masks.items():
            tensors[f"{name}_mask"] = ("BOOL", [NODES], flags)
        support.write_safetensors(out / "graph.safetensors", tensors)
        text = (out / "spec.textproto").read_text()
        plain = re.sub(r"audit \{.*?\n\}\n", "", text, flags=re.S)
        (out / "plain.textproto").write_text(plain)
        support.compile(out / "plain.textproto", out / "plain")
        weights = out / "weights.safetensors"
        options = ["--save", weights]
        graph = out / "graph.safetensors"
        support.train(out / "plain", graph, out / "log", 1, options)
        report = self.report(out, "--target", weights, "--seeds", 1)
        self.assertEqual(report["queries"], ["MATCHED"])
        self.assertEqual(report["members"], sum(masks["train"]))
        command = [out / "plain", "eval", "--data", graph, "--init", weights]
        output = support.run(command).stdout
        accuracy = float(re.search(r"train .* accuracy ([\d.]+)", output).group(1))
        target = report["runs"][0]["target"]
        self.assertAlmostEqual(accuracy, target["train_accuracy"], places=5)

        # Answers that name the members outright.
        rows = [
            [0.98 if label == c else 0.01 for c in range(CLASSES)]
            if masks["train"][node]
            else [1 / CLASSES] * CLASSES
            for node, label in enumerate(labels)
        ]
        posteriors = array.array("f", [p for row in rows for p in row])
        support.write_safetensors(
            out / "answers.safetensors",
            {"posteriors": ("F32", [NODES, CLASSES], posteriors)},
        )
        options = ["--posteriors", out / "answers.safetensors", "--seeds", 1]
        report = self.report(out, *options)
        self.assertEqual(report["runs"][0]["target"]["train_accuracy"], 1)
        aurocs = {a["name"]: a["mean"]["auroc"] for a in report["attacks"]}
        self.assertEqual(aurocs["confidence"], 1)

        done = self.audit(out, *options, "--target", weights, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("--target and --posteriors are both", done.stderr)

    def test_a_browser_shows_the_example(self):
        # What scripts/demo-audit does, with fewer trials.
        out = support.scratch("audit-demo")
        support.compile(support.EXAMPLES / "audit-cora.textproto", out / "exe")
        command = [out / "exe", "audit", "--data", support.CORA, "--seeds", 2]
        support.run([str(part) for part in [*command, "--report", out / "report"]])
        check = support.ROOT / "test" / "runtime" / "audit" / "check_report.py"
        done = support.run([sys.executable, check, out / "report"], check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

        # Figures of PyTorch Geometric on other splits of the same kind: MATCHED
        # .732, REFERENCE .897, test accuracy .826, which deviate by about .02.
        report = json.loads((out / "report" / "report.json").read_text())
        mean = report["mean"]
        self.assertAlmostEqual(mean["attack"]["auroc"], 0.732, delta=0.05)
        self.assertAlmostEqual(mean["target"]["test_accuracy"], 0.82, delta=0.05)
        reference = [run["queries"]["REFERENCE"]["auroc"] for run in report["runs"]]
        for auroc in reference:
            self.assertAlmostEqual(auroc, 0.897, delta=0.05)

    def test_an_untrained_target_leaks_nothing(self):
        # With inputs of deviation 1, so that the attack does not collapse on
        # answers that are nearly the same; under REFERENCE it tells which graph
        # answered.
        out = support.scratch("audit-untrained")
        text = (support.EXAMPLES / "audit-cora.textproto").read_text()
        text = re.sub(r"  defense .*\n|  ablation.*\n", "", text)
        text = text.replace("attack {", "attack { standardize: true")
        (out / "spec.textproto").write_text(text)
        rate = {"training__optimizer__lr": 0, "training__steps": 1}
        support.compile(out / "spec.textproto", out / "exe", **rate)
        folder = out / "report"
        command = [out / "exe", "audit", "--data", support.CORA, "--report", folder]
        support.run([str(part) for part in command])
        report = json.loads((folder / "report.json").read_text())
        aurocs = {
            query: [run["queries"][query]["auroc"] for run in report["runs"]]
            for query in report["queries"]
        }
        mean = sum(aurocs["MATCHED"]) / len(aurocs["MATCHED"])
        self.assertAlmostEqual(mean, 0.5, delta=0.05)
        self.assertGreater(min(aurocs["REFERENCE"]), 0.52)
        for attack in report["attacks"]:
            self.assertTrue(attack["informative"], attack["name"])

    def test_members_that_are_none_are_not_told(self):
        # The target has learnt other nodes than the mask says.
        out, tensors = self.make("audit-permuted")
        draw = random.Random(1)

        def mask(share):
            flags = array.array("b", [draw.random() < share for _ in range(NODES)])
            return "BOOL", [NODES], flags

        for name in ("train", "val", "test"):
            tensors[f"{name}_mask"] = mask(0.12)
        graph = out / "graph.safetensors"
        support.write_safetensors(graph, tensors)
        plain = re.sub(
            r"audit \{.*?\n\}\n", "", (out / "spec.textproto").read_text(), flags=re.S
        )
        (out / "plain.textproto").write_text(plain)
        support.compile(out / "plain.textproto", out / "plain")
        weights = out / "weights.safetensors"
        support.train(out / "plain", graph, out / "log", 1, ["--save", weights])
        aurocs = []
        for _ in range(5):
            tensors["train_mask"] = mask(0.09)
            support.write_safetensors(graph, tensors)
            report = self.report(out, "--target", weights, "--seeds", 2)
            aurocs.append(report["mean"]["attack"]["auroc"])
        self.assertAlmostEqual(sum(aurocs) / len(aurocs), 0.5, delta=0.05)

    def test_likelihood_ratios(self):
        out, _ = self.make("audit-lira")
        text = (out / "spec.textproto").read_text()
        text = text.replace("attack {", "attack { kind: LIRA shadows: 4")
        (out / "spec.textproto").write_text(text)
        support.compile(out / "spec.textproto", out / "exe")
        report = self.report(out, "--seeds", 2)
        names = [(a["query"], a["name"]) for a in report["attacks"]]
        self.assertEqual(names[0], ("MATCHED", "LIRA"))
        self.assertIn(("MATCHED", "SHADOW_MLP"), names)
        self.assertEqual(report["queries"], ["MATCHED"])
        # The members' own labels tell too much for a guess.
        self.assertGreater(report["attacks"][0]["mean"]["auroc"], 0.6)

    def test_too_little_room_for_edges_is_refused_with_the_number(self):
        out, _ = self.make("audit-capacity", more="edge_capacity: 3")
        done = self.audit(out, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"has \d+ edges.*room for 3.*edge_capacity")

    def test_what_cannot_be_audited_is_refused(self):
        out, tensors = self.make("audit-refused")
        done = self.audit(out, "--seed", 1, "--splits", out / "none", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("--seed is of splits that are drawn", done.stderr)

        (out / "report").write_text("a file")
        done = self.audit(out, "--report", out / "report", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertNotIn("of 5", done.stdout)  # before the work

        smaller = block_model.block_model(
            nodes=NODES - 1,
            classes=CLASSES,
            features=40,
            degree=5,
            homophily=0.7,
            seed=1,
        )
        support.write_safetensors(out / "graph.safetensors", smaller)
        done = self.audit(out, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("has 499 nodes, the audit was compiled for 500", done.stderr)

        command = [out / "exe", "train", "--data", out / "graph.safetensors"]
        done = support.run([str(part) for part in command], check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("this executable audits, and its models train on", done.stderr)

        support.write_safetensors(out / "graph.safetensors", tensors)
        text = (out / "spec.textproto").read_text()
        plain = re.sub(r"audit \{.*?\n\}\n", "", text, flags=re.S)
        (out / "plain.textproto").write_text(plain)
        support.compile(out / "plain.textproto", out / "exe")
        done = self.audit(out, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("this executable audits nothing", done.stderr)


if __name__ == "__main__":
    unittest.main()
