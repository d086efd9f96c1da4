#!/usr/bin/env python3
# ===- memory.py - Does a run use what its plan says? -----------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Stages x precision x recomputation x ranks: bench/README.md.
#
# ===----------------------------------------------------------------------===#

import argparse
import itertools
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "test" / "end-to-end"))
import results
import support

OUT = support.BUILD / "bench"
BLOOM = support.EXAMPLES / "bloom-tiny.textproto"
LARGE = {  # 32 million parameters
    "transformer__layers": 8,
    "transformer__hidden": 576,
    "transformer__heads": 9,
    "training__global_batch": 8,
}
SMALL = {
    "transformer__layers": 1,
    "transformer__hidden": 16,
    "transformer__heads": 1,
    "transformer__sequence_length": 16,
    "training__global_batch": 8,
}


def numbers(text):
    return [int(part) for part in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description="Does a run use what its plan says?")
    parser.add_argument("--worlds", type=numbers, default=[1, 2, 4, 8])
    parser.add_argument("--stages", type=numbers, default=[0, 1, 2, 3])
    results.add_option(parser, "memory")
    options = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    data = support.repeated_text(OUT / "text.txt", 1 << 20)
    executable = OUT / "memory"
    found = results.Results("memory")
    bases, worst, rising = {}, 0.0, []
    head = f"{'ranks':>5} {'precision':>9} {'again':>6} {'stage':>5}"
    print(f"{head} {'plan MB':>9} {'used MB':>9} {'off':>7}  (per rank)", flush=True)
    for world, precision, recompute in itertools.product(
        options.worlds, ("FP32", "BF16"), ("NONE", "LAYER")
    ):
        planned, used = [], []
        for stage in options.stages:
            common = {
                "parallel__world": world,
                "parallel__zero_stage": stage,
                "training__precision__compute": precision,
                "training__recompute": recompute,
            }
            base = (world, precision)
            if base not in bases:
                support.compile(BLOOM, executable, **common, **SMALL)
                bases[base] = support.physical_bytes(executable, data, world) / world
                bases[base] -= support.plan(BLOOM, **common, **SMALL)["peak_bytes"]
            support.compile(BLOOM, executable, **common, **LARGE)
            planned.append(support.plan(BLOOM, **common, **LARGE)["peak_bytes"])
            used.append(support.physical_bytes(executable, data, world) / world - bases[base])
            off = used[-1] / planned[-1] - 1
            worst = max(worst, abs(off))
            case = f"{world} ranks, {precision}, recompute {recompute}, stage {stage}"
            found.add(case, "Tessera", "plan of a rank", "bytes", planned[-1])
            found.add(case, "Tessera", "memory of a rank", "bytes", used[-1])
            print(
                f"{world:5d} {precision:>9} {recompute:>6} {stage:5d} {planned[-1] / 1e6:9.1f} "
                f"{used[-1] / 1e6:9.1f} {off:+7.1%}",
                flush=True,
            )
        # What is measured differs by some pages from run to run.
        for figures, noise in ((planned, 0), (used, 1e6)):
            if any(more > less + noise for less, more in zip(figures, figures[1:])):
                rising.append((world, precision, recompute))
    found.write(options.json)
    print(f"most off: {worst:.1%}; where a higher stage uses more: {rising or 'nowhere'}")
    if worst > 0.03 or rising:
        sys.exit(1)


if __name__ == "__main__":
    main()
