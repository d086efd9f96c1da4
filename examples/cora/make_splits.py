#!/usr/bin/env python3
# ===- make_splits.py - Splits of Cora for audits ---------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
#   python3 examples/cora/make_splits.py
#
# writes audit-splits.json beside itself: for each of 20 seeds four disjoint sets
# of Cora's nodes as Olatunji, Nejdl and Khosla ("Membership inference attack on
# graph neural networks", 2021) sample them. The training nodes of the target and
# of the shadow model are 90 of each class; their test nodes are as many, drawn
# from all that are left. Cora's smallest class has 180 nodes, so that none of it
# is ever left for a test.
#
# ===----------------------------------------------------------------------===#

import json
import pathlib
import random
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "test" / "end-to-end"))
import support

SEEDS = range(1, 21)
TRAIN_PER_CLASS = 90


def split(labels, seed):
    draw = random.Random(seed)
    sets = {"target_train": [], "shadow_train": []}
    rest = []
    for label in sorted(set(labels)):
        nodes = [node for node, own in enumerate(labels) if own == label]
        draw.shuffle(nodes)
        for train in sets.values():
            train += nodes[:TRAIN_PER_CLASS]
            del nodes[:TRAIN_PER_CLASS]
        rest += nodes
    draw.shuffle(rest)
    size = len(sets["target_train"])
    sets["target_test"], sets["shadow_test"] = rest[:size], rest[size : 2 * size]
    names = ("target_train", "target_test", "shadow_train", "shadow_test")
    return {"seed": seed, **{name: sorted(sets[name]) for name in names}}


def main():
    _, labels = support.read_safetensors(HERE / "cora.safetensors")["y"]
    splits = [json.dumps(split(labels, seed), separators=(",", ":")) for seed in SEEDS]
    text = '{"graph":"cora.safetensors","splits":[\n' + ",\n".join(splits) + "\n]}\n"
    (HERE / "audit-splits.json").write_text(text)


if __name__ == "__main__":
    main()
