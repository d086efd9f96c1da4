#!/usr/bin/env python3
# ===- audit_pyg.py - Membership inference on GNNs in PyTorch Geometric -----===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# The experiment of Olatunji, Nejdl and Khosla, "Membership inference attack on
# graph neural networks" (2021), on the splits that examples/cora has: what
# bench/audit.py compares audits with. bench/README.md says how it is run.
#
#   audit_pyg.py run MODEL... [--splits 20] [--defenses]   # appends to build/bench
#   audit_pyg.py run MODEL... --repeats 10                # GUESSED defenses alone
#   audit_pyg.py collect                                  # writes audit_pyg.json
#
# Runs itself again in the environment that scripts/torch_environment.py makes.
#
# A model is trained on the subgraph of its training nodes. Who is asked where:
#
#   TSTF MATCHED    members and non-members on the full graph
#   TSTF REFERENCE  members on the training nodes' subgraph, others on the full
#                   graph, as the paper's code does
#   TSTS            members on that subgraph, others on the test nodes' subgraph
#
# ===----------------------------------------------------------------------===#

import argparse
import json
import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import torch_environment

SPLITS = ROOT / "examples" / "cora" / "audit-splits.json"
RUNS = ROOT / "build" / "bench" / "audit-pyg"
TABLE = ROOT / "bench" / "audit_pyg.json"
HIDDEN = 256
QUERIES = [("TSTF", "MATCHED"), ("TSTF", "REFERENCE"), ("TSTS", None)]
# What a model is and how it is trained; `batch` nodes a step, whose neighbours
# all take part, or all training nodes where there is none.
RECIPES = {
    "GCN": {"lr": 1e-4, "epochs": 300},
    "SGC": {"lr": 1e-4, "epochs": 300, "hops": 2},
    "GAT": {"lr": 1e-4, "epochs": 300, "heads": 8, "attention_dropout": 0.1},
    "SAGE": {"lr": 1e-3, "epochs": 15, "batch": 64},
    # As many steps as SAGE takes, each of all training nodes.
    "SAGE_FULL_BATCH": {"lr": 1e-3, "epochs": 150},
    "MLP": {"lr": 1e-4, "epochs": 300},
}
# What of a defense's rows is kept of each split.
DEFENSE_VALUES = ("undefended.auroc", "static.auroc", "adaptive.auroc", "label_loss")
ATTACK = {"hidden": [100, 50], "lr": 0.01, "epochs": 100, "batch": 32}
DEFENSES = [
    *({"kind": "NSD", "neighbors": k} for k in (1, 2, 3)),
    *({"kind": "LBP", "bins": 2, "beta": b} for b in (0.05, 0.1, 0.2)),
    *({"kind": "LBP", "bins": 4, "beta": b} for b in (0.05, 0.1)),
    {"kind": "TEMPERATURE", "temperature": 4},
    {"kind": "LABEL_ONLY"},
]
# Those whose answers are unlike all that an attacker who knows of no defense has
# learned from. What he says of them is chance, a new one with each attacker: only
# means of several trainings on each split tell anything.
GUESSED = ("TEMPERATURE", "LABEL_ONLY")


def repeated(splits, repeats):
    """The nodes of each split with seeds of their own, the first ones not among them."""
    return [dict(each, seed=each["seed"] + 1000 * i) for i in range(1, repeats) for each in splits]


def sparse_linear(linear):
    """The same as `linear` for sparse features, with their transpose in `x.transposed`:
    the paper's words are there or not, and a dense product spends its time on zeros."""
    import torch

    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, weight):
            ctx.transposed = x.transposed
            return x @ weight.t()

        @staticmethod
        def backward(ctx, gradient):
            return None, (ctx.transposed @ gradient).t()

    class SparseLinear(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight, self.bias = linear.weight, linear.bias

        def forward(self, x):
            result = Product.apply(x, self.weight)
            return result if self.bias is None else result + self.bias

    return SparseLinear()


def make_model(name, features, classes):
    import torch
    from torch_geometric import nn as pyg

    recipe = RECIPES[name]

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            if name == "GCN":
                self.first = pyg.GCNConv(features, HIDDEN)
                self.second = pyg.GCNConv(HIDDEN, classes)
            elif name == "SGC":
                # The first layer's x is nobody's result: it is propagated once.
                self.first = pyg.SGConv(features, HIDDEN, K=recipe["hops"], cached=True)
                self.second = pyg.SGConv(HIDDEN, classes, K=recipe["hops"])
            elif name == "GAT":
                heads, rate = recipe["heads"], recipe["attention_dropout"]
                self.first = pyg.GATConv(features, HIDDEN, heads=heads, dropout=rate)
                self.second = pyg.GATConv(HIDDEN * heads, classes, dropout=rate)
            elif name.startswith("SAGE"):
                self.first = pyg.SAGEConv(features, HIDDEN)
                self.second = pyg.SAGEConv(HIDDEN, classes)
            else:
                self.first = sparse_linear(torch.nn.Linear(features, HIDDEN))
                self.second = torch.nn.Linear(HIDDEN, classes)
            if name in ("GCN", "GAT"):
                self.first.lin = sparse_linear(self.first.lin)
            self.takes_sparse = name in ("GCN", "GAT", "MLP")

        def forward(self, graph, edges):
            x = graph.sparse if self.takes_sparse else graph.x
            rest = [] if name == "MLP" else [edges]
            return self.second(torch.relu(self.first(x, *rest)), *rest)

        def forget(self):
            """Before another graph."""
            if name == "SGC":
                self.first._cached_x = None

    return Model()


class Graph:
    """Some nodes of a graph and the edges between them."""

    def __init__(self, x, edges, y, nodes=None):
        import torch
        from torch_geometric.utils import subgraph

        self.nodes = torch.arange(len(x)) if nodes is None else nodes
        self.x, self.y = x[self.nodes], y[self.nodes]
        self.edges = edges
        if nodes is not None:
            self.edges, _ = subgraph(nodes, edges, relabel_nodes=True, num_nodes=len(x))
        self.sparse = self.x.to_sparse_csr()
        self.sparse.transposed = self.x.t().to_sparse_csr()
        self.place = torch.full((len(x),), -1)
        self.place[self.nodes] = torch.arange(len(self.nodes))


def train(name, graph, classes):
    """A model that has learned all nodes of a graph."""
    import torch
    import torch.nn.functional as F

    recipe = RECIPES[name]
    model = make_model(name, graph.x.shape[1], classes)
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe["lr"], fused=True)
    count = len(graph.x)
    batch = recipe.get("batch", count)
    for _ in range(recipe["epochs"]):
        order = torch.randperm(count)
        for begin in range(0, count, batch):
            rows = order[begin : begin + batch]
            optimizer.zero_grad(set_to_none=True)
            F.cross_entropy(model(graph, graph.edges)[rows], graph.y[rows]).backward()
            optimizer.step()
    return model.eval()


def sampled(edges, neighbors):
    """At most so many random edges into each node."""
    import torch

    order = torch.randperm(edges.shape[1])
    order = order[torch.sort(edges[1, order], stable=True).indices]
    targets = edges[1, order]
    begins = torch.searchsorted(targets, targets)
    return edges[:, order[torch.arange(len(order)) - begins < neighbors]]


def perturbed(posteriors, bins, beta):
    """LBP: a row's classes in random order, in bins of (nearly) one size, a draw
    of Laplace(0, beta) added to all of a bin; back in order."""
    import torch

    rows, classes = posteriors.shape
    order = torch.rand(rows, classes).argsort(1)
    noise = torch.distributions.Laplace(0.0, beta).sample((rows, bins))
    bin_of_place = torch.arange(classes) * bins // classes
    return posteriors.scatter_add(1, order, noise[:, bin_of_place])


def defended(posteriors, defense):
    """What is answered in their place. NSD changes the graph, not the answers."""
    import torch

    if defense["kind"] == "LBP":
        return perturbed(posteriors, defense["bins"], defense["beta"])
    if defense["kind"] == "TEMPERATURE":
        return torch.softmax(posteriors.log() / defense["temperature"], 1)
    if defense["kind"] == "LABEL_ONLY":
        predicted = posteriors.argmax(1)
        return torch.nn.functional.one_hot(predicted, posteriors.shape[1]).float()
    return posteriors


class Asked:
    """A model's posteriors for the members and the non-members, in graphs of each."""

    def __init__(self, model, graphs, nodes, defense):
        import torch

        drawn = {}  # one draw of NSD for each graph
        self.posteriors, self.correct = [], []
        for graph, wanted in zip(graphs, nodes):
            if id(graph) not in drawn:
                edges = graph.edges
                if defense and defense["kind"] == "NSD":
                    edges = sampled(edges, defense["neighbors"])
                model.forget()
                with torch.no_grad():
                    drawn[id(graph)] = model(graph, edges).softmax(1)
            places = graph.place[wanted]
            answer = drawn[id(graph)][places]
            if defense:
                answer = defended(answer, defense)
            self.posteriors.append(answer)
            self.correct.append((answer.argmax(1) == graph.y[places]).float().mean().item())

    def distance(self, other):
        """The mean Jensen-Shannon distance, base 2, of clipped, renormalised rows."""
        import torch

        def rows(asked):
            p = torch.cat(asked.posteriors).double().clamp_min(0)
            return (p + 1e-12) / (p + 1e-12).sum(1, keepdim=True)

        p, q = rows(self), rows(other)
        m = (p + q) / 2
        divergence = ((p * (p / m).log2()).sum(1) + (q * (q / m).log2()).sum(1)) / 2
        return divergence.clamp_min(0).sqrt().mean().item()


class Attackers:
    """MLPs, one for each of several models' answers, that have learned which of them
    are members'. They are trained at once, which changes nothing but the time: each
    has its own start, order and optimizer state."""

    def __init__(self, lessons):
        import torch
        import torch.nn.functional as F

        x = torch.stack([torch.cat(asked.posteriors) for asked in lessons])
        count, rows, classes = x.shape
        members = len(lessons[0].posteriors[0])
        y = (torch.arange(rows) < members).long().expand(count, rows)
        widths = [classes, *ATTACK["hidden"], 2]
        self.layers = []
        for inputs, outputs in zip(widths, widths[1:]):  # as torch.nn.Linear starts
            bound = inputs**-0.5
            weight = torch.empty(count, inputs, outputs).uniform_(-bound, bound)
            bias = torch.empty(count, 1, outputs).uniform_(-bound, bound)
            self.layers.append((weight.requires_grad_(), bias.requires_grad_()))
        parameters = [p for layer in self.layers for p in layer]
        optimizer = torch.optim.Adam(parameters, lr=ATTACK["lr"], fused=True)
        for _ in range(ATTACK["epochs"]):
            order = torch.rand(count, rows).argsort(1)
            for batch in order.split(ATTACK["batch"], dim=1):
                optimizer.zero_grad(set_to_none=True)
                logits = self.logits(x.gather(1, batch[:, :, None].expand(-1, -1, classes)))
                losses = F.cross_entropy(
                    logits.flatten(0, 1), y.gather(1, batch).flatten(), reduction="sum"
                )
                (losses / batch.shape[1]).backward()
                optimizer.step()

    def logits(self, x):
        import torch

        for i, (weight, bias) in enumerate(self.layers):
            x = torch.baddbmm(bias, torch.relu(x) if i else x, weight)
        return x

    def successes(self, targets):
        """What each makes of a model's answers."""
        import torch

        with torch.no_grad():
            logits = self.logits(torch.stack([torch.cat(a.posteriors) for a in targets])).double()
        scores = logits[:, :, 1] - logits[:, :, 0]
        return [success(s, len(a.posteriors[0])) for s, a in zip(scores, targets)]


def success(scores, count):
    """The first `count` scores are members'; those above 0 are taken for members'."""
    import torch

    members, others = scores[:count], scores[count:]
    # The chance that a member scores above another, ties counted half.
    ordered = others.sort().values
    below = torch.searchsorted(ordered, members) + torch.searchsorted(ordered, members, right=True)
    hits, false = (members > 0).sum().item(), (others > 0).sum().item()
    recall, fall_out = hits / len(members), false / len(others)
    return {
        "auroc": (below.double().mean() / 2 / len(others)).item(),
        "auroc_hard": (1 + recall - fall_out) / 2,
        "precision": hits / max(hits + false, 1),
        "recall": recall,
        "accuracy": (hits + len(others) - false) / (len(members) + len(others)),
    }


def graphs_of(full, subgraphs, who, setting, query):
    """Where members and non-members are asked."""
    if setting == "TSTS":
        return subgraphs[f"{who}_train"], subgraphs[f"{who}_test"]
    return (full if query == "MATCHED" else subgraphs[f"{who}_train"]), full


def answers_of(name, data, split, defenses):
    """All that is asked of one split's target and shadow: (row, {who: Asked}, plain's)
    for each query and defense."""
    import torch

    torch.manual_seed(split["seed"])
    full = Graph(*data)
    classes = int(data[2].max()) + 1
    nodes = {key: torch.tensor(ids) for key, ids in split.items() if key != "seed"}
    subgraphs = {key: Graph(*data, ids) for key, ids in nodes.items()}
    models = {who: train(name, subgraphs[f"{who}_train"], classes) for who in ("target", "shadow")}

    def ask(who, setting, query, defense):
        places = graphs_of(full, subgraphs, who, setting, query)
        wanted = (nodes[f"{who}_train"], nodes[f"{who}_test"])
        return Asked(models[who], places, wanted, defense)

    for setting, query in QUERIES:
        plain = None
        for defense in [None, *defenses]:
            if name == "MLP" and defense and defense["kind"] == "NSD":
                continue
            asked = {who: ask(who, setting, query, defense) for who in models}
            plain = plain or asked
            row = {"model": name, "seed": split["seed"], "setting": setting, "query": query}
            yield {**row, "defense": defense}, asked, plain


def experiments(name, data, splits, defenses):
    """The rows of several splits, their attackers being trained together."""
    asked = [each for split in splits for each in answers_of(name, data, split, defenses)]
    attackers = Attackers([answers["shadow"] for _, answers, _ in asked])
    targets = [answers["target"] for _, answers, _ in asked]
    adaptive = attackers.successes(targets)
    # Attackers that know of no defense ask as the one of the plain answers has learned.
    own = {id(plain): i for i, (_, answers, plain) in enumerate(asked) if answers is plain}
    learned = [own[id(plain)] for _, _, plain in asked]
    attackers.layers = [(w[learned], b[learned]) for w, b in attackers.layers]
    static = attackers.successes(targets)
    for (row, answers, plain), knows, ignores in zip(asked, adaptive, static):
        target = answers["target"]
        if row["defense"]:
            row["distance"] = target.distance(plain["target"])
            row["label_loss"] = plain["target"].correct[1] - target.correct[1]
            row |= {f"static.{key}": value for key, value in ignores.items()}
            row |= {f"adaptive.{key}": value for key, value in knows.items()}
        else:
            for who, own_answers in answers.items():
                accuracies = zip(("train_accuracy", "test_accuracy"), own_answers.correct)
                row |= {f"{who}.{key}": value for key, value in accuracies}
            row |= {f"attack.{key}": value for key, value in knows.items()}
        yield row


def read_graph(path):
    import torch
    from safetensors.torch import load_file

    tensors = load_file(path)
    begins, columns = (tensors[k].long() for k in ("x.indptr", "x.indices"))
    size = (len(begins) - 1, int(columns.max()) + 1)
    x = torch.sparse_csr_tensor(begins, columns, torch.ones(len(columns)), size).to_dense()
    return x, tensors["edge_index"].long(), tensors["y"].long()


def file_of(name, is_repeated):
    return RUNS / f"{name}{'.repeated' if is_repeated else ''}.jsonl"


def rows_of(file):
    return map(json.loads, file.read_text().splitlines() if file.exists() else [])


def run(options):
    import torch

    torch.set_num_threads(options.threads)
    committed = json.loads(SPLITS.read_text())
    data = read_graph(SPLITS.parent / committed["graph"])
    RUNS.mkdir(parents=True, exist_ok=True)
    defenses = DEFENSES if options.defenses else []
    wanted = committed["splits"][: options.splits]
    if options.repeats > 1:
        defenses = [defense for defense in DEFENSES if defense["kind"] in GUESSED]
        wanted = repeated(wanted, options.repeats)
    for name in options.models:
        file = file_of(name, is_repeated=options.repeats > 1)
        done = {row["seed"] for row in rows_of(file)}
        splits = [s for s in wanted if s["seed"] not in done]
        for begin in range(0, len(splits), options.together):
            start = time.perf_counter()
            group = splits[begin : begin + options.together]
            rows = list(experiments(name, data, group, defenses))
            with open(file, "a") as stream:
                stream.writelines(json.dumps(row) + "\n" for row in rows)
            print(f"{name}: {len(group)} splits in {time.perf_counter() - start:.1f} s", flush=True)


def found_rows():
    """What the runs in build/bench have found: {row without figures: {seed: figures}}."""
    found, plain = {}, {}
    for name in RECIPES:
        for is_repeated in (False, True):
            for row in rows_of(file_of(name, is_repeated)):
                key = {k: row.pop(k) for k in ("model", "setting", "query", "defense")}
                seed = row.pop("seed")
                asked = (key["model"], key["setting"], key["query"], seed)
                if key["defense"]:  # of the same trial
                    row["undefended.auroc"] = plain[asked]
                else:
                    plain[asked] = row["attack.auroc"]
                # The other models of repeated trials are there for their defenses.
                if key["defense"] or not is_repeated:
                    found.setdefault(json.dumps(key), {})[seed] = row
    return found


def collect():
    """Adds what has been found to the table, whose other rows and seeds stay."""
    import torch
    import torch_geometric

    found = found_rows()
    table = []
    for old in json.loads(TABLE.read_text())["rows"] if TABLE.exists() else []:
        key = json.dumps({k: old[k] for k in ("model", "setting", "query", "defense")})
        if key not in found:
            table.append(old)
            continue
        columns = zip(*old["values"].values())
        kept = {s: dict(zip(old["values"], row)) for s, row in zip(old["seeds"], columns)}
        found[key] = kept | found[key]
    for key, by_seed in found.items():
        result = {**json.loads(key), "splits": len(by_seed)}
        rows = [by_seed[seed] for seed in sorted(by_seed)]
        names = [name for name in rows[0] if all(name in row for row in rows)]
        for statistic in ("mean", "stdev") if len(rows) > 1 else ("mean",):
            values = {
                k: round(getattr(statistics, statistic)(row[k] for row in rows), 5)
                for k in names
            }
            result[statistic] = values
        # So that means of any of the splits can be made.
        kept = DEFENSE_VALUES if result["defense"] else names
        result["seeds"] = sorted(by_seed)
        result["values"] = {k: [round(row[k], 5) for row in rows] for k in kept}
        table.append(result)
    order = [*RECIPES]
    defenses = [None, *DEFENSES]
    table.sort(
        key=lambda row: (
            order.index(row["model"]),
            QUERIES.index((row["setting"], row["query"])),
            defenses.index(row["defense"]),
        )
    )
    versions = {"torch": torch.__version__, "torch_geometric": torch_geometric.__version__}
    text = ",\n".join(json.dumps(row) for row in table)
    head = {"versions": versions, "hidden": HIDDEN, "recipes": RECIPES, "attack": ATTACK}
    TABLE.write_text(json.dumps(head)[:-1] + ', "rows": [\n' + text + "\n]}\n")
    for row in table:
        if not row["defense"]:
            means = row["mean"]
            print(
                f"{row['model']:16s} {row['setting']} {row['query'] or '':10s} {row['splits']:3d} splits "
                + " ".join(f"{means[k]:.3f}" for k in ("target.train_accuracy", "target.test_accuracy", "attack.auroc"))
            )


def main():
    parser = argparse.ArgumentParser(description="Membership inference in PyTorch Geometric.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("run")
    command.add_argument("models", nargs="+", choices=RECIPES)
    command.add_argument("--splits", type=int, default=20)
    command.add_argument("--defenses", action="store_true", help="also, statically and adaptively")
    command.add_argument("--repeats", type=int, default=1, help="trials of each split, for the defenses in GUESSED")
    command.add_argument("--together", type=int, default=5, help="splits between two writes")
    command.add_argument("--threads", type=int, default=1)
    commands.add_parser("collect")
    options = parser.parse_args()
    torch_environment.enter()
    collect() if options.command == "collect" else run(options)


if __name__ == "__main__":
    main()
