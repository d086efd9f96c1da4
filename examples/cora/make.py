#!/usr/bin/env python3
# ===- make.py - Make the sparse Cora ---------------------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# The citation graph Cora with the split of Yang, Cohen and Salakhutdinov
# ("Revisiting semi-supervised learning with graph embeddings", ICML 2016), as
# they publish it: https://github.com/kimiyoung/planetoid, data/ind.cora.*,
# under the licence beside this script. It is what PyTorch Geometric's
# Planetoid(root, "Cora") reads: 2708 papers, 1433 words each there or not, both
# directions of 5278 citations, 7 fields.
#
#   python3 examples/cora/make.py FOLDER
#
# reads FOLDER/cora.safetensors, these tensors as PyTorch Geometric has them, x
# dense, and FOLDER/LICENSE. It writes both beside itself, x as the columns of
# its ones (x.indptr, x.indices) and all numbers in 16 or 8 bits.
#
# ===----------------------------------------------------------------------===#

import array
import hashlib
import json
import math
import pathlib
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
# Of the dense file: another one is not this version of Cora.
SHA256 = "96b49e4819d68a61301276a003304ab83c7af11573676225b49719ae8e437ac2"
CODES = {"F32": "f", "I64": "q", "BOOL": "b", "U16": "H", "U8": "B"}


def read(path):
    """{name: (dtype, shape, array.array)}"""
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        sys.exit(f"make.py: {path} is another version of Cora")
    (length,) = struct.unpack_from("<Q", data)
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        begin, end = entry["data_offsets"]
        values = array.array(CODES[entry["dtype"]])
        values.frombytes(data[8 + length + begin : 8 + length + end])
        assert math.prod(entry["shape"]) == len(values)
        tensors[name] = (entry["dtype"], entry["shape"], values)
    return tensors


def write(path, tensors):
    header, data = {}, b""
    for name, (dtype, shape, values) in tensors.items():
        begin = len(data)
        data += array.array(CODES[dtype], values).tobytes()
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, len(data)]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def sparse(x, nodes, features):
    """The columns of each row's ones, and where each row begins."""
    assert set(x) == {0.0, 1.0}
    indptr, indices = [0], []
    for node in range(nodes):
        row = x[node * features : (node + 1) * features]
        indices += [column for column, value in enumerate(row) if value]
        indptr.append(len(indices))
    assert max(indices) == features - 1, "the last column must be used"
    return indptr, indices


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: make.py FOLDER, which has cora.safetensors and LICENSE")
    folder = pathlib.Path(sys.argv[1])
    tensors = read(folder / "cora.safetensors")
    _, (nodes, features), x = tensors.pop("x")
    indptr, indices = sparse(x, nodes, features)
    result = {
        "x.indptr": ("U16", [nodes + 1], indptr),
        "x.indices": ("U16", [len(indices)], indices),
    }
    for name, (dtype, shape, values) in tensors.items():
        narrow = {"edge_index": "U16", "y": "U8"}.get(name, dtype)
        result[name] = (narrow, shape, values)
    write(HERE / "cora.safetensors", result)
    (HERE / "LICENSE").write_bytes((folder / "LICENSE").read_bytes())


if __name__ == "__main__":
    main()
