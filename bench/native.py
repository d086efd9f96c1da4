#!/usr/bin/env python3
# ===- native.py - Benchmarks that are executables -------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
#   native.py kernels [threads [gemm | memory | part of a model's name]]
#   native.py collectives [--ranks 2] [rounds [f32 | bf16 [MB]]]
#
# Builds bench-kernels or bench-collectives, runs it with these arguments and writes
# what it measured in the form of bench/results.py (bench/README.md).
#
# ===----------------------------------------------------------------------===#

import argparse
import json
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "test" / "end-to-end"))
import results
import support


def command(name, ranks):
    executable = support.BUILD / "bin" / f"bench-{name}"
    if name == "collectives":
        return ["mpirun", "-np", ranks, "--bind-to", "none", "--oversubscribe", executable]
    return [executable]


def read(path, found):
    """Adds the measurements of bench/Measurements.h."""
    for line in path.read_text().splitlines():
        found.add(*json.loads(line))


def main():
    parser = argparse.ArgumentParser(description="Benchmarks that are executables.")
    parser.add_argument("name", choices=["kernels", "collectives"])
    parser.add_argument("arguments", nargs="*", help="the executable's")
    parser.add_argument("--ranks", type=int, default=2, help="of collectives")
    parser.add_argument("--json", type=pathlib.Path, help="file for the results; default build/bench/NAME.json")
    options = parser.parse_intermixed_args()
    support.run(["ninja", "-C", support.BUILD, f"bench-{options.name}"])
    found = results.Results(options.name)
    with tempfile.TemporaryDirectory() as folder:
        measured = pathlib.Path(folder) / "measurements"
        run = [*command(options.name, options.ranks), "--measurements", measured, *options.arguments]
        print(support.run(run, timeout=None).stdout, end="")
        read(measured, found)
    found.write(options.json or results.OUT / f"{options.name}.json")


if __name__ == "__main__":
    main()
