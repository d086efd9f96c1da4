#!/usr/bin/env python3
# ===- builds.py - Steps and compilations of two builds ---------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Whether a change makes steps or compilations slower: this checkout's build
# against another one's, in turns. bench/README.md says how.
#
# ===----------------------------------------------------------------------===#

import argparse
import os
import pathlib
import statistics
import sys

import results
from step import BENCHMARKS, OUT, ROOT, Tessera, data_of

MOST = 1.02


def median_ratio(ours, theirs):
    return statistics.median(a / b for a, b in zip(ours, theirs))


def compare(name, options, found):
    benchmark = BENCHMARKS[name]
    if options.precision == "bf16":
        values = {"training.precision.compute": "BF16"}
        benchmark = dict(benchmark, set={**benchmark["set"], **values})
    data = data_of(name, benchmark)
    builds = [
        Tessera(f"{name}-{which}", benchmark, options.threads, data, build)
        for which, build in (("new", ROOT / "build"), ("old", options.old))
    ]
    steps, compilations = ([], []), ([], [])
    for turn in range(options.rounds):
        # Who comes first changes from round to round.
        for i in (0, 1) if turn % 2 else (1, 0):
            compilations[i].append(builds[i].compile())
            steps[i].append(statistics.median(builds[i].steps(options.steps)))
    worst = 0
    for what, unit, times in (("step", "ms", steps), ("compile", "s", compilations)):
        ratio = median_ratio(*times)
        worst = max(worst, ratio)
        for which, values in (("Tessera", times[0]), ("old build", times[1])):
            found.add(f"{name}, {options.precision}", which, what, unit, values)
        print(
            f"{name:12} {options.precision} {what:8} {statistics.median(times[0]):9.2f} {unit:2} "
            f"against {statistics.median(times[1]):9.2f} {unit:2}  ratio {ratio:.3f}",
            flush=True,
        )
    return worst


def main():
    parser = argparse.ArgumentParser(description="steps and compilations of two builds")
    parser.add_argument("old", type=pathlib.Path, help="the other checkout's folder `build`")
    parser.add_argument("benchmarks", nargs="*", help=f"of {', '.join(BENCHMARKS)}; all by default")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=5, help="measured in each round")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    results.add_option(parser, "builds")
    options = parser.parse_args()
    unknown = set(options.benchmarks) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}")
    OUT.mkdir(parents=True, exist_ok=True)
    found = results.Results("builds")
    worst = max(compare(name, options, found) for name in options.benchmarks or BENCHMARKS)
    found.write(options.json)
    print(f"worst ratio {worst:.3f}, at most {MOST}")
    return int(worst > MOST)


if __name__ == "__main__":
    sys.exit(main())
