# ===- graph_sources.py - Graphs as others keep them ------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# The readers of scripts/graph-from. Each takes a path and the command's options
# and returns a Graph, or raises Refused. Arrays are as the source has them: what is
# written is made of them elsewhere.
#
# ===----------------------------------------------------------------------===#

import gzip
import inspect
import json
import pathlib
import pickle
import warnings

import numpy as np


class Refused(Exception):
    """A source that cannot be read, in one line."""


class Graph:
    """A source's graph.

    x:      [nodes, features], or rows as (indptr, columns, values, features)
    edges:  [2, E]; edge i goes from node edges[0, i] to node edges[1, i]
    y:      [nodes], -1 where a node has no class
    splits: {"train": flags [nodes], "val": ..., "test": ...}, or None
    weight: [E], or None
    notes:  what was left out or made up, a line each
    """

    def __init__(self, x, edges, y, splits=None, weight=None, notes=()):
        self.x, self.edges, self.y = x, np.asarray(edges), np.asarray(y)
        self.splits, self.weight, self.notes = splits, weight, list(notes)

    @property
    def nodes(self):
        return len(self.x[0]) - 1 if isinstance(self.x, tuple) else len(self.x)


def flags_of(nodes, members):
    flags = np.zeros(nodes, dtype=bool)
    flags[np.asarray(members, dtype=np.int64)] = True
    return flags


def within(nodes, ids, what):
    """Ids that a file has, which must be nodes."""
    ids = np.asarray(ids, dtype=np.int64)
    outside = ids[(ids < 0) | (ids >= nodes)]
    if outside.size:
        raise Refused(f"{what}: {outside[0]} is no node; there are {nodes}, counted from 0")
    return ids


def classes_of(values, what):
    """One class a node of numbers [nodes], [nodes, 1] or one-hot [nodes, classes];
    -1 where there is none."""
    y = np.asarray(values)
    if y.ndim == 2 and y.shape[1] > 1:
        if not (np.isin(y, (0, 1)).all() and (y.sum(1) <= 1).all()):
            raise Refused(
                f"{what} has {y.shape[1]} labels a node: one class a node is wanted, choose a column"
            )
        return np.where(y.sum(1) > 0, y.argmax(1), -1)
    y = y.reshape(-1)
    if y.dtype.kind == "f":
        known = np.isfinite(y)
        if (y[known] != np.round(y[known])).any():
            raise Refused(f"{what} has fractions: classes are whole numbers from 0")
        y = np.where(known, y, -1)
    y = y.astype(np.int64)
    return np.where(y < 0, -1, y)


# Planetoid's raw files ---------------------------------------------------------


class Rows:
    """Stands for SciPy's csr_matrix in a pickle."""

    def dense(self):
        state = self.__dict__
        shape = state.get("_shape") or state["shape"]
        result = np.zeros(shape, dtype=np.float32)
        for row, (begin, end) in enumerate(zip(state["indptr"], state["indptr"][1:])):
            np.add.at(result[row], state["indices"][begin:end], state["data"][begin:end])
        return result


class PlanetoidUnpickler(pickle.Unpickler):
    """Knows what these files are made of, and runs nothing else."""

    # Some under the names that Python 2 had for them.
    KNOWN = {
        ("collections", "defaultdict"),
        ("__builtin__", "list"),
        ("__builtin__", "object"),
        ("copy_reg", "_reconstructor"),
        ("builtins", "list"),
        ("builtins", "object"),
        ("copyreg", "_reconstructor"),
        ("_codecs", "encode"),
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
    }

    def find_class(self, module, name):
        if module.startswith("scipy.sparse") and name == "csr_matrix":
            return Rows
        if module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            if name in ("_reconstruct", "scalar"):
                return getattr(getattr(np, "_core", None) or np.core, "multiarray").__dict__[name]
        if (module, name) in self.KNOWN:
            return super().find_class(module, name)
        raise Refused(f"a pickle of Planetoid has no {module}.{name}: it is not read")


def planetoid_name(folder):
    names = sorted(path.name[4:-6] for path in folder.glob("ind.*.graph"))
    return names[0] if len(names) == 1 else None


def read_planetoid(folder, options):
    name = options.name or planetoid_name(folder)
    if not name:
        raise Refused(f"{folder} has several graphs: choose one with --name")
    parts = {}
    for part in ("x", "y", "tx", "ty", "allx", "ally", "graph"):
        with open(folder / f"ind.{name}.{part}", "rb") as file:
            content = PlanetoidUnpickler(file, encoding="latin1").load()
        parts[part] = content.dense() if isinstance(content, Rows) else content
    test = np.loadtxt(folder / f"ind.{name}.test.index", dtype=np.int64, ndmin=1)
    known = len(parts["allx"])
    if len(test) != len(parts["tx"]) or test.min() < known:
        raise Refused(f"{folder}: ind.{name}.test.index does not fit ind.{name}.tx")
    # Row i of tx is node test[i]. Nodes that test lacks have neither features nor a class.
    nodes = max(known, int(test.max()) + 1)
    x = np.zeros((nodes, parts["allx"].shape[1]), dtype=np.float32)
    y = np.full(nodes, -1)
    x[:known], x[test] = parts["allx"], parts["tx"]
    y[:known], y[test] = classes_of(parts["ally"], "ally"), classes_of(parts["ty"], "ty")
    ends = [(a, b) for a, others in parts["graph"].items() for b in others if a != b]
    ends = within(nodes, np.array(ends, dtype=np.int64).reshape(-1, 2), f"ind.{name}.graph")
    # As PyTorch Geometric has them: without loops, each edge once, by target.
    edges = np.unique(ends[:, ::-1], axis=0)[:, ::-1].T
    train = len(parts["y"])
    splits = {
        "train": flags_of(nodes, range(train)),
        "val": flags_of(nodes, range(train, min(train + 500, known))),
        "test": flags_of(nodes, test),
    }
    gaps = nodes - known - len(np.unique(test))
    notes = [f"{gaps} nodes are in no file: no features, no class"] if gaps else []
    return Graph(x, edges, y, splits, notes=notes)


# GraphSAINT's folders -----------------------------------------------------------


def read_graphsaint(folder, options):
    with np.load(folder / "adj_full.npz") as rows:
        form = rows["format"].item()
        if form not in (b"csr", "csr"):
            raise Refused(f"{folder}/adj_full.npz is no CSR matrix")
        indptr, indices, nodes = rows["indptr"], rows["indices"], int(rows["shape"][0])
    edges = np.stack([np.repeat(np.arange(nodes), np.diff(indptr)), indices])
    x = np.load(folder / "feats.npy")
    if len(x) != nodes:
        raise Refused(f"{folder}: feats.npy has {len(x)} rows, adj_full.npz {nodes}")
    classes = json.loads((folder / "class_map.json").read_text())
    ids = within(nodes, [int(key) for key in classes], "class_map.json")
    values = list(classes.values())
    if isinstance(values[0], list):
        labels = classes_of(values, f"{folder}/class_map.json")
    else:
        labels = np.array(values)
    y = np.full(nodes, -1)
    y[ids] = labels
    role = json.loads((folder / "role.json").read_text())
    splits = {
        name: flags_of(nodes, within(nodes, role[key], "role.json"))
        for name, key in (("train", "tr"), ("val", "va"), ("test", "te"))
    }
    return Graph(x, edges, y, splits)


# OGB's raw folders --------------------------------------------------------------


def table(path, dtype=np.float64):
    """A CSV file of numbers, plain or packed; None where there is none."""
    packed = path.with_name(path.name + ".gz")
    if not path.exists() and not packed.exists():
        return None
    opened = open(path) if path.exists() else gzip.open(packed, "rt")
    with opened as file:
        try:
            return np.loadtxt(file, dtype=dtype, delimiter=",", ndmin=2)
        except ValueError as error:
            raise Refused(f"{path}: {error}") from None


def read_ogb(folder, options):
    raw = folder / "raw" if (folder / "raw").is_dir() else folder
    ends = table(raw / "edge.csv", np.int64)
    x = table(raw / "node-feat.csv", np.float32)
    labels = table(raw / "node-label.csv")
    counts = table(raw / "num-node-list.csv", np.int64)
    for part, name in ((ends, "edge"), (x, "node-feat"), (labels, "node-label")):
        if part is None:
            raise Refused(f"{raw} has no {name}.csv, nor {name}.csv.gz")
    if counts is not None and (counts.size != 1 or counts[0, 0] != len(x)):
        raise Refused(f"{raw}: num-node-list.csv does not name the {len(x)} nodes of one graph")
    folders = sorted(path for path in (folder / "split").glob("*") if path.is_dir())
    if options.name:
        folders = [path for path in folders if path.name == options.name]
    if len(folders) > 1:
        names = ", ".join(path.name for path in folders)
        raise Refused(f"{folder} has several splits, {names}: choose one with --name")
    splits = None
    if folders:
        splits = {}
        for name, part in (("train", "train"), ("val", "valid"), ("test", "test")):
            members = table(folders[0] / f"{part}.csv", np.int64)
            if members is None:
                raise Refused(f"{folders[0]} has no {part}.csv, nor {part}.csv.gz")
            splits[name] = flags_of(len(x), within(len(x), members.reshape(-1), f"{part}.csv"))
    elif options.name:
        raise Refused(f"{folder}/split has no {options.name}")
    return Graph(x, within(len(x), ends, "edge.csv").T, classes_of(labels, "node-label.csv"), splits)


# Edge lists ---------------------------------------------------------------------


def words_of(path):
    """The words of each line, parted by blanks, commas or tabs; # and % begin comments."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt") as file:
        for number, line in enumerate(file, 1):
            words = line.replace(",", " ").split()
            if words and words[0][0] not in "#%":
                yield number, words


def read_labels(path):
    """(names of nodes or None, classes): lines of a class, or of a node and its class.
    Classes that are no whole numbers are numbered in their order."""
    rows = list(words_of(path))
    if not rows or len(rows[0][1]) > 2:
        raise Refused(f"{path}: lines of a class, or of a node and its class, are wanted")
    width = len(rows[0][1])
    for number, words in rows:
        if len(words) != width:
            raise Refused(f"{path}:{number}: {width} words are wanted, as above")
    words = [row[-1] for _, row in rows]
    try:
        y = np.array([int(word) for word in words])
    except ValueError:
        order = {word: i for i, word in enumerate(sorted(set(words)))}
        y = np.array([order[word] for word in words])
    return ([row[0] for _, row in rows] if width == 2 else None), np.where(y < 0, -1, y)


def read_features(path):
    try:
        if path.suffix == ".npy":
            return np.load(path)
        return np.array([[float(word) for word in words] for _, words in words_of(path)])
    except ValueError as error:
        raise Refused(f"{path}: {error}") from None


def read_edge_list(path, options):
    names, y = read_labels(options.labels) if options.labels else (None, None)
    x = read_features(options.features) if options.features else None
    if x is not None and x.ndim != 2:
        raise Refused(f"{options.features}: a row of numbers for each node is wanted")
    number_of = {name: i for i, name in enumerate(names)} if names else None
    if names and len(number_of) < len(names):
        raise Refused(f"{options.labels} names a node twice")
    ends, weights = [], []
    for number, words in words_of(path):
        try:
            if len(words) not in (2, 3):
                raise ValueError("two nodes, and perhaps a weight, are wanted")
            if number_of:
                ends.append([number_of[word] for word in words[:2]])
            else:
                ends.append([int(word) for word in words[:2]])
            if len(words) == 3:
                weights.append(float(words[2]))
        except KeyError as error:
            raise Refused(f"{path}:{number}: {options.labels} has no node {error}") from None
        except ValueError as error:
            raise Refused(f"{path}:{number}: {error}") from None
    if weights and len(weights) < len(ends):
        raise Refused(f"{path}: some edges have a weight, some have none")
    edges = np.array(ends, dtype=np.int64).reshape(-1, 2).T
    counts = [len(part) for part in (x, y) if part is not None]
    nodes = counts[0] if counts else int(edges.max(initial=0)) + 1
    if set(counts) - {nodes}:
        raise Refused(
            f"{options.features} has {len(x)} rows, {options.labels} {len(y)}: one a node is wanted"
        )
    within(nodes, edges, path)
    notes = []
    if x is None:
        x = np.log1p(np.bincount(edges[1], minlength=nodes).astype(np.float32))[:, None]
        notes.append("no features: log(1 + edges into the node) stands for them")
    if y is None:
        y = np.zeros(nodes, dtype=np.int64)
        notes.append("no labels: all nodes have class 0")
    return Graph(x, edges, y, None, np.array(weights, dtype=np.float32) if weights else None, notes)


# PyTorch Geometric --------------------------------------------------------------


def torch_modules():
    try:
        with warnings.catch_warnings():  # of theirs, which say nothing of the graph
            warnings.simplefilter("ignore")
            import torch
            import torch_geometric
    except ImportError as error:
        raise Refused(f"this needs PyTorch and PyTorch Geometric: {error}") from None
    return torch, torch_geometric


def load_saved(path, trusted):
    """What torch.load makes of a file; without trust, of tensors and Data alone."""
    torch, _ = torch_modules()
    from torch_geometric.data import Data
    from torch_geometric.data.data import DataEdgeAttr, DataTensorAttr
    from torch_geometric.data.storage import GlobalStorage

    if trusted:
        return torch.load(path, map_location="cpu", weights_only=False)
    known = [Data, DataEdgeAttr, DataTensorAttr, GlobalStorage, slice]
    try:
        with torch.serialization.safe_globals(known):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise Refused(
            f"{path} has more than tensors and one Data: --trust reads it all the same, "
            "and runs what it says"
        ) from None


def read_saved(path, options):
    content = load_saved(path, options.trust)
    # A dataset's processed file: (data, slices) or (dictionary, slices, class).
    if isinstance(content, tuple):
        content, slices = content[0], content[1] if len(content) > 1 else None
        graphs = len(slices["x"]) - 1 if slices and "x" in slices else 1
        if graphs != 1:
            raise Refused(f"{path} has {graphs} graphs: one is wanted")
    return from_data(content, path, options)


def numbers(tensor):
    return tensor.detach().cpu().numpy()


def features_from(x, what):
    torch, _ = torch_modules()
    if x.layout == torch.strided:
        if x.dim() != 2:
            raise Refused(f"{what}: x has {x.dim()} dimensions, [nodes, features] is wanted")
        return numbers(x.float() if x.dtype in (torch.bfloat16, torch.float16) else x)
    x = x.to_sparse_csr()
    parts = (x.crow_indices(), x.col_indices(), x.values())
    return (*map(numbers, parts), x.shape[1])


def masks_from(get, nodes, options, notes):
    """The splits among several columns that --split chooses."""
    splits = {}
    for name in ("train", "val", "test"):
        mask = get(f"{name}_mask")
        if mask is None:
            if name != "val":
                return None
            notes.append("no val_mask: no node is in it")
            splits[name] = np.zeros(nodes, dtype=bool)
            continue
        mask = numbers(mask).astype(bool)
        if mask.ndim == 2 and mask.shape[1] > 1:
            if not 0 <= options.split < mask.shape[1]:
                raise Refused(f"--split {options.split}: there are {mask.shape[1]} splits, from 0")
            notes.append(f"{name}_mask has {mask.shape[1]} splits: --split {options.split}")
            mask = mask[:, options.split]
        splits[name] = mask.reshape(-1)
    return splits


def from_data(data, what, options):
    torch, _ = torch_modules()

    def get(name):
        value = data.get(name) if isinstance(data, dict) else getattr(data, name, None)
        return value if isinstance(value, torch.Tensor) else None

    if not isinstance(data, dict) and not hasattr(data, "edge_index"):
        raise Refused(f"{what} has a {type(data).__name__}: a Data with one graph is wanted")
    x, edges, y, weight = get("x"), get("edge_index"), get("y"), get("edge_weight")
    notes = []
    if edges is None and get("adj_t") is not None:
        rows = get("adj_t").to_sparse_coo().coalesce()
        edges, weight = rows.indices().flip(0), rows.values()
        weight = None if (weight == 1).all() else weight
    for part, name in ((x, "x"), (edges, "edge_index"), (y, "y")):
        if part is None:
            raise Refused(f"{what} has no tensor '{name}'")
    attribute = get("edge_attr")
    if weight is None and attribute is not None:
        if attribute.numel() == edges.shape[1]:
            weight = attribute
        else:
            notes.append(f"edge_attr {list(attribute.shape)} is left out: edges have one weight")
    x, y = features_from(x, what), classes_of(numbers(y), f"{what}: y")
    splits = masks_from(get, len(y), options, notes)
    weight = None if weight is None else numbers(weight).reshape(-1)
    return Graph(x, numbers(edges), y, splits, weight, notes)


def read_dataset(root, options):
    """A dataset by its class, as Planetoid:Cora, or ogb:ogbn-arxiv."""
    _, torch_geometric = torch_modules()
    kind, _, name = options.dataset.partition(":")
    if kind == "ogb":
        try:
            from ogb.nodeproppred import PygNodePropPredDataset
        except ImportError as error:
            raise Refused(f"this needs OGB: {error}") from None
        dataset = PygNodePropPredDataset(name, root=str(root))
        graph = from_data(dataset[0], options.dataset, options)
        parts = dataset.get_idx_split()
        names = (("train", "train"), ("val", "valid"), ("test", "test"))
        graph.splits = {name: flags_of(graph.nodes, numbers(parts[key])) for name, key in names}
        return graph
    import torch_geometric.datasets

    found = getattr(torch_geometric.datasets, kind, None)
    if found is None:
        raise Refused(f"PyTorch Geometric has no dataset {kind}")
    try:
        wanted = inspect.signature(found).parameters
        values = {"root": str(root)} if "root" in wanted else {}
        dataset = found(**values, **({"name": name} if name else {}))
    except Exception as error:  # whatever a download or a class may raise
        raise Refused(f"{options.dataset}: {' '.join(str(error).split())}") from None
    if len(dataset) != 1:
        raise Refused(f"{options.dataset} has {len(dataset)} graphs: one is wanted")
    return from_data(dataset[0], options.dataset, options)


def read(path, options):
    """The graph at a path, by what lies there."""
    path = pathlib.Path(path)
    if options.dataset:
        return read_dataset(path, options)
    if not path.exists():
        raise Refused(f"{path} is not there")
    try:
        if path.is_file():
            reader = read_saved if path.suffix in (".pt", ".pth") else read_edge_list
            return reader(path, options)
        if (path / "adj_full.npz").exists():
            return read_graphsaint(path, options)
        if list(path.glob("ind.*.graph")):
            return read_planetoid(path, options)
        if list(path.glob("raw/edge.csv*")) or list(path.glob("edge.csv*")):
            return read_ogb(path, options)
    except FileNotFoundError as error:
        raise Refused(f"{error.filename} is missing") from None
    except (OSError, EOFError, KeyError, IndexError, UnicodeDecodeError, ValueError) as error:
        raise Refused(f"{path}: {type(error).__name__}: {error}") from None
    except pickle.UnpicklingError as error:
        raise Refused(f"{path}: damaged: {error}") from None
    raise Refused(
        f"{path} has neither adj_full.npz (GraphSAINT), ind.*.graph (Planetoid) nor "
        "edge.csv (OGB)"
    )
