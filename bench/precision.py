#!/usr/bin/env python3
# ===- precision.py - Does 16-bit training follow fp32? ----------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Losses of 300 steps on English text: bench/README.md.
#
# ===----------------------------------------------------------------------===#

import argparse
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "test" / "end-to-end"))
import results
import support

OUT = support.BUILD / "bench"
MODEL = {
    "transformer__layers": 4,
    "transformer__hidden": 256,
    "transformer__heads": 8,
    "training__optimizer__lr": 2e-3,
    "parallel__world": 1,
    "parallel__zero_stage": 0,
}
FORMS = {
    "fp32": {},
    "bf16": {"training__precision__compute": "BF16"},
    "bf16, bf16 gradients": {
        "training__precision__compute": "BF16",
        "training__precision__gradients": "BF16",
    },
    "fp16": {"training__precision__compute": "FP16"},
}


def train(name, data, options, seed, **values):
    """The losses of a run."""
    executable = OUT / "precision"
    support.compile(support.EXAMPLES / "bloom-tiny.textproto", executable, **MODEL, **values)
    command = [executable, "train", "--data", data, "--steps", options.steps, "--seed", seed]
    log = executable.with_suffix(".log")
    log.unlink(missing_ok=True)
    support.run(command + ["--log", log], timeout=3600)
    print(f"  {name}, seed {seed}: done", file=sys.stderr)
    return support.losses(support.read_log(log))


def main():
    parser = argparse.ArgumentParser(description="Does 16-bit training follow fp32?")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=4, help="of the fp32 runs that give the band")
    results.add_option(parser, "precision")
    options = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    data = support.repeated_text(OUT / "precision.txt", 1 << 22)
    end = options.steps // 6
    seeds = [train("fp32", data, options, seed + 1) for seed in range(options.seeds)]
    ends = [statistics.mean(run[-end:]) for run in seeds]
    band = max(ends) - min(ends)
    print(f"{options.steps} steps; fp32 from {len(seeds)} seeds ends, over {end} steps, "
          f"at {min(ends):.4f} to {max(ends):.4f}: a band of {band:.4f}")
    print(f"{'':22} {'loss':>8} {'- fp32':>8} {'mean |off|':>10} {'most off':>9}  (relative, per step)")
    found = results.Results("precision")
    found.add("fp32, all seeds", "Tessera", "loss", "nats", ends)
    failed = False
    for name, values in FORMS.items():
        run = seeds[0] if name == "fp32" else train(name, data, options, 1, **values)
        off = [abs(a / b - 1) for a, b in zip(run, seeds[0])]
        difference = statistics.mean(run[-end:]) - ends[0]
        found.add(name, "Tessera", "loss", "nats", ends[0] + difference)
        found.add(name, "Tessera", "mean distance from fp32", "%", 100 * statistics.mean(off))
        failed |= not abs(difference) <= band
        print(f"{name:22} {ends[0] + difference:8.4f} {difference:+8.4f} "
              f"{statistics.mean(off):10.2%} {max(off):9.2%}")
    found.write(options.json)
    if failed:
        sys.exit("precision.py: a run ends outside of the band of fp32's seeds")


if __name__ == "__main__":
    main()
