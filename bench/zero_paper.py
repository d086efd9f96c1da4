#!/usr/bin/env python3
# ===- zero_paper.py - The ZeRO paper's tables from compiled plans ---------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Table I and the theory columns of table II of Rajbhandari et al., "ZeRO:
# Memory Optimizations Toward Training Trillion Parameter Models" (SC20, arXiv
# 1910.02054), from what `tessera plan` says of GPT-2-like models. No formula
# stands beside the compiler: a cell is the plan's bytes of model states, less
# what the plan itself says of padding and of parameters that every rank keeps
# whole, for the paper's round number of parameters in place of the model's.
#
# ===----------------------------------------------------------------------===#

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

import results

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("TESSERA_BUILD", ROOT / "build"))

SPECIFICATION = """
name: "gpt-like"
transformer {
  names: GPT2 vocabulary: 50257 layers: 1 hidden: 128 heads: 1
  sequence_length: 1024 positions: LEARNED
}
training { global_batch: 1 micro_batch: 1 steps: 1 optimizer { lr: 1e-4 } }
parallel { world: 1 }
"""
PRECISIONS = {
    "fp32": {},
    "bf16": {"training.precision.compute": "BF16", "training.precision.gradients": "BF16"},
}

# (N, then stages 1, 2, 3 of 7.5B, of 128B, of 1T), GB of 1e9 bytes. The paper
# rounds the first model's cells and truncates the others'.
TABLE_I = {
    1: (("120", "120", "120"), ("2048", "2048", "2048"), ("16000", "16000", "16000")),
    4: (("52.5", "41.3", "30"), ("896", "704", "512"), ("7000", "5500", "4000")),
    16: (("35.6", "21.6", "7.5"), ("608", "368", "128"), ("4750", "2875", "1000")),
    64: (("31.4", "16.6", "1.88"), ("536", "284", "32"), ("4187", "2218", "250")),
    256: (("30.4", "15.4", "0.47"), ("518", "263", "8"), ("4046", "2054", "62.5")),
    1024: (("30.1", "15.1", "0.12"), ("513", "257", "2"), ("4011", "2013", "15.6")),
}
# Parameters, and the layers and hidden size of a model about as large.
MODELS = {
    "7.5B": (7.5e9, 36, 4096),
    "128B": (128e9, 73, 12032),
    "1T": (1e12, 127, 25600),
}
# Stage: the largest model on 64 GPUs of 32 GB without model parallelism, the
# last digit that the paper's theory gives it to, and a hidden size whose layers
# are small beside it.
TABLE_II = {
    0: ("2B", 0.1e9, 1600),
    1: ("7.6B", 0.1e9, 2048),
    2: ("14.4B", 0.1e9, 2560),
    3: ("128B", 1e9, 6144),
}
SUFFIXES = {"B": 1e9, "T": 1e12}


def number(text):
    return float(text[:-1]) * SUFFIXES[text[-1]]


def sweep(specification, axes, values):
    """The rows of `tessera plan --sweep`."""
    command = [BUILD / "bin" / "tessera", "plan", specification, "--format", "json"]
    for axis, items in axes.items():
        command += ["--sweep", f"{axis}={','.join(map(str, items))}"]
    for path, value in values.items():
        command += ["--set", f"{path}={value}"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    rows = json.loads(done.stdout)
    for row in rows:
        if "error" in row:
            raise SystemExit(f"zero_paper.py: {row['values']}: {row['error']}")
    return rows


class States:
    """What a plan says of its model states, in bytes of one rank."""

    def __init__(self, plan):
        self.bytes = sum(state["bytes"] for state in plan["states"])
        self.parameters = plan["parameters"]
        world, padded = plan["world"], plan["padded_elements"]
        self.padding = self.whole = 0
        # A state is kept whole by every rank in the stages that do not divide
        # it; in the others, what is whole is what stays so for being small.
        divided = {"moment1": 1, "moment2": 1, "master": 1, "gradient": 2, "parameter": 3}
        for state in plan["states"]:
            size, whole = state["bytes"], state["whole_bytes"]
            # Padding is all that no parameter of the model lies in.
            self.padding += size * (padded - self.parameters) / padded
            if plan["stage"] >= divided[state["state"]] and world > 1:
                self.whole += whole * (1 - 1 / world)

    def per_parameter(self):
        return (self.bytes - self.padding - self.whole) / self.parameters


def printed(gigabytes, cell, rounds):
    """The figure as the paper prints it: with as many decimals as the cell."""
    decimals = len(cell.partition(".")[2])
    # A hair above what binary fractions make of a decimal one: halves go up.
    scaled = gigabytes * 10**decimals * (1 + 1e-9)
    return f"{int(scaled + (0.5 if rounds else 0)) / 10**decimals:.{decimals}f}"


def table_i(specification, precision):
    print("Table I: model states of one rank, GB of 1e9 bytes")
    print(
        f"{'':5} {'N':>5} {'stage':>5} {'plan':>11} {'parameters':>11} {'padding':>10}"
        f" {'kept whole':>10} {'left':>10} {'paper':>7}"
    )
    wrong = cells_compared = 0
    for column, (name, (wanted, layers, hidden)) in enumerate(MODELS.items()):
        begin = time.monotonic()
        values = {"transformer.layers": layers, "transformer.hidden": hidden}
        values |= {"transformer.heads": hidden // 128} | PRECISIONS[precision]
        # The world first: each of its rows has the three stages.
        axes = {"parallel.world,training.global_batch": list(TABLE_I), "parallel.zero_stage": (1, 2, 3)}
        rows = iter(sweep(specification, axes, values))
        for world, cells in TABLE_I.items():
            for stage, cell in zip((1, 2, 3), cells[column]):
                states = States(next(rows))
                own = states.per_parameter() * wanted
                count = states.per_parameter() * (states.parameters - wanted)
                text = printed(1e-9 * own, cell, rounds=name == "7.5B")
                same = text == cell
                # fp32's 4 + 4 + 8 bytes per parameter are the paper's 2 + 2 + 12
                # where all of them are divided, or none.
                if precision == "fp32" and world > 1 and stage < 3:
                    continue
                wrong += not same
                cells_compared += 1
                print(
                    f"{name:5} {world:5} {stage:5} {1e-9 * states.bytes:11.4f}"
                    f" {1e-9 * count:+11.4f} {1e-9 * states.padding:+10.6f}"
                    f" {1e-9 * states.whole:+10.6f} {text:>10} {cell:>7}"
                    f"{'' if same else '  differs'}"
                )
        spent = time.monotonic() - begin
        print(
            f"{name}: {layers} layers, {hidden} wide, {states.parameters:,} parameters"
            f" ({100 * (states.parameters / wanted - 1):+.2f} %), 18 plans in {spent:.1f} s\n"
        )
    return wrong, cells_compared


def largest(specification, stage, hidden, precision, limit, world, guess):
    """The most layers whose model states fit, and one more: their plans' states.
    The search begins around `guess` layers."""
    values = {"transformer.hidden": hidden, "transformer.heads": hidden // 64}
    values |= {"parallel.world": world, "training.global_batch": world}
    values |= {"parallel.zero_stage": stage} | PRECISIONS[precision]
    known = {}

    def states(layers):
        if layers not in known:
            known[layers] = States(
                sweep(specification, {"transformer.layers": [layers]}, values)[0]
            )
        return known[layers]

    low, high = max(1, guess * 9 // 10), min(1000, guess * 11 // 10 + 2)
    if states(low).bytes > limit:
        low = 1
    if states(high).bytes <= limit:
        high = 1000
    while high - low > 1:
        middle = (low + high) // 2
        if states(middle).bytes <= limit:
            low = middle
        else:
            high = middle
    return states(low), states(high)


def table_ii(specification, precision):
    print("Table II, theory: the largest model whose states fit 32 GB, on 64 ranks")
    print(f"{'stage':>5} {'fits':>16} {'no longer fits':>16} {'paper':>7}")
    wrong = cells_compared = 0
    for stage, (cell, unit, hidden) in TABLE_II.items():
        if precision == "fp32" and stage in (1, 2):
            continue
        guess = round(number(cell) / (12 * hidden**2))
        fits, next_one = largest(specification, stage, hidden, precision, 32e9, 64, guess)
        # The paper truncates: the limit is from the cell up to one digit more,
        # and lies between what fits and what does not.
        same = fits.parameters < number(cell) + unit and next_one.parameters > number(cell)
        wrong += not same
        cells_compared += 1
        print(
            f"{stage:5} {fits.parameters:16,} {next_one.parameters:16,} {cell:>7}"
            f"{'' if same else '  differs'}"
        )
    print(
        "The paper's other rows are these for 2, 4, 8 and 16 times as many GPUs, of\n"
        "which each holds 1/2 to 1/16 of a model that many times as large.\n"
    )
    return wrong, cells_compared


def main():
    parser = argparse.ArgumentParser(description="The ZeRO paper's tables from plans.")
    parser.add_argument("--precision", choices=PRECISIONS, default="bf16")
    results.add_option(parser, "zero_paper")
    options = parser.parse_args()
    specification = BUILD / "zero-paper.textproto"
    specification.write_text(SPECIFICATION)
    wrong = compared = 0
    found = results.Results("zero_paper")
    for table in (table_i, table_ii):
        begin = time.monotonic()
        differing, cells = table(specification, options.precision)
        case = f"{table.__name__}, {options.precision}"
        found.add(case, "Tessera", "cells that differ", "cells", differing)
        found.add(case, "Tessera", "planning", "s", time.monotonic() - begin)
        wrong += differing
        compared += cells
    found.write(options.json)
    print(f"{compared - wrong} of {compared} cells agree with the paper")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
