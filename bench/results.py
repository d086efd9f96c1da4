# ===- results.py - What a benchmark has measured, as a file ---------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# One form for all scripts of bench/, which bench/compare.py reads:
#
#   {"benchmark": "stages", "date": "2026-11-30T12:00:00+00:00",
#    "commit": "0123456789ab", "arguments": ["--ranks", "4"],
#    "machine": {"cpu": "AMD EPYC ...", "cores": 2, "memory_bytes": 25200000000},
#    "measurements": [
#      {"case": "gpt2-124m, stage 3", "contender": "Tessera", "quantity": "step",
#       "unit": "ms", "better": "less", "values": [4.1, 4.0, 4.3],
#       "median": 4.1, "first_quartile": 4.05, "third_quartile": 4.2}]}
#
# `values` has one number for each round, `better` says whether "less" or "more"
# is. What an executable of another commit measured names that one's.
#
# ===----------------------------------------------------------------------===#

import datetime
import json
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = pathlib.Path(os.environ.get("TESSERA_BUILD", ROOT / "build")) / "bench"


def machine():
    """What figures depend on most."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    names = [line for line in lines if line.startswith("model name")]
    return {
        "cpu": names[0].partition(":")[2].strip() if names else "unknown",
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
    }


def commit():
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"], cwd=ROOT, capture_output=True, text=True
    )
    return done.stdout.strip() or "unknown"


def summary(values):
    """The median of some numbers and their quartiles; of fewer than four the least and the
    most in place of these."""
    values = sorted(values)
    if len(values) < 4:
        first, third = values[0], values[-1]
    else:
        first, _, third = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": statistics.median(values), "first_quartile": first, "third_quartile": third}


def add_option(parser, benchmark):
    """The option that says where the file goes: build/bench/BENCHMARK.json by default."""
    parser.add_argument("--json", type=pathlib.Path, default=OUT / f"{benchmark}.json", help="file for the results")


class Results:
    """Grows while a script measures; `write` makes the file."""

    def __init__(self, benchmark):
        self.result = {
            "benchmark": benchmark,
            "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "commit": commit(),
            "arguments": sys.argv[1:],
            "machine": machine(),
            "measurements": [],
        }

    def add(self, case, contender, quantity, unit, values, better="less"):
        """What `contender` took in `case`: a number, or one for each round."""
        values = [float(value) for value in (values if isinstance(values, (list, tuple)) else [values])]
        row = {"case": case, "contender": contender, "quantity": quantity, "unit": unit, "better": better}
        self.result["measurements"].append({**row, "values": values, **summary(values)})

    def write(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.result, indent=1) + "\n")
        print(f"\nalso in {path}")
