#!/usr/bin/env python3
# ===- planning.py - Does planning time grow with the layers? ---------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Times `tessera plan` for a few and for four times as many layers, in turns,
# by CPU time. bench/README.md says how.
#
# ===----------------------------------------------------------------------===#

import argparse
import pathlib
import resource
import subprocess
import sys

import results

ROOT = pathlib.Path(__file__).resolve().parent.parent
TESSERA = ROOT / "build" / "bin" / "tessera"
MOST = 4.3


def cpu_seconds(specification, layers, options):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [TESSERA, "plan", specification, "--set", f"transformer.layers={layers}"]
    subprocess.run(command + options, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description="time of plans against their layers")
    parser.add_argument("--layers", type=int, default=250)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("options", nargs="*", help="further options of tessera plan, after --")
    results.add_option(parser, "planning")
    arguments = parser.parse_args()
    specification = ROOT / "examples" / "bloom-tiny.textproto"
    few, many = arguments.layers, 4 * arguments.layers
    times = {few: [], many: []}
    for _ in range(arguments.rounds):
        for layers in times:
            times[layers].append(cpu_seconds(specification, layers, arguments.options))
    found = results.Results("planning")
    ratio = min(times[many]) / min(times[few])
    for layers, seconds in times.items():
        print(f"{layers:5} layers: {min(seconds):7.2f} s")
        found.add(f"{layers} layers", "Tessera", "plan", "s", seconds)
    found.write(arguments.json)
    print(f"ratio {ratio:.2f}, at most {MOST}")
    return int(ratio > MOST)


if __name__ == "__main__":
    sys.exit(main())
