#!/usr/bin/env python3
# ===- predict.py - Predicted against measured steps -----------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Calibrates this machine, predicts the step of the whole-step benchmarks
# (bench/step.py) for one rank and for two ranks at stages 0 and 3, and
# measures it. bench/README.md says how.
#
# ===----------------------------------------------------------------------===#

import argparse
import json
import os
import statistics
import subprocess
import sys

import results
import stages
import step

TESSERA = step.ROOT / "build" / "bin" / "tessera"
CASES = [(1, 0), (2, 0), (2, 3)]
WARM = 2
# A step whose wall time is no more than this times its CPU time per core
# had the machine for itself.
QUIET = 1.15


def calibrate(path, rounds):
    """The machine's figures; of some rounds the median of each."""
    texts = []
    for _ in range(rounds):
        done = subprocess.run([TESSERA, "calibrate"], check=True, capture_output=True, text=True)
        texts.append(done.stdout.splitlines())
    lines = []
    for same in zip(*texts, strict=True):
        name, _, value = same[0].partition(": ")
        try:
            numbers = [float(line.partition(": ")[2]) for line in same]
            value = f"{statistics.median(numbers):.6g}"
            lines.append(f"{name}: {value}")
        except ValueError:
            lines.append(same[0])
    path.write_text("\n".join(lines) + "\n")


def settings(benchmark, world, stage):
    values = dict(benchmark["set"])
    values.update({"parallel.world": world, "parallel.zero_stage": stage})
    values.update(benchmark["more"])
    return [part for field, value in values.items() for part in ("--set", f"{field}={value}")]


def predict(benchmark, world, stage, machine):
    command = [TESSERA, "plan", benchmark["specification"], "--format", "json"]
    command += ["--machine", machine] + settings(benchmark, world, stage)
    done = subprocess.run(command, check=True, capture_output=True)
    return json.loads(done.stdout)["predicted"]


class Run:
    """An executable and how long its steps took."""

    def __init__(self, name, benchmark, world, stage, data):
        self.world, self.data = world, data
        self.executable = step.OUT / f"{name}-{world}-{stage}"
        self.wall = []
        self.cpu = []
        command = [TESSERA, "compile", benchmark["specification"], "-o", self.executable]
        subprocess.run(command + settings(benchmark, world, stage), check=True)

    def measure(self, steps, cores):
        """One round."""
        lines, cpu = stages.measure(self.executable, self.data, self.world, steps, WARM)
        self.wall += [line["ms"] for line in lines]
        self.cpu.append(cpu / cores)


def main():
    parser = argparse.ArgumentParser(description="Predicted against measured steps.")
    names = [name for name in step.BENCHMARKS if "vocabulary" in step.BENCHMARKS[name]]
    parser.add_argument("benchmarks", nargs="*", help=f"of {', '.join(names)}; all by default")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=5, help="measured in each round")
    parser.add_argument("--set", action="append", default=[], help="a field of the specification")
    parser.add_argument("--within", type=float, default=15, help="percent")
    results.add_option(parser, "predict")
    options = parser.parse_args()
    if unknown := set(options.benchmarks) - set(names):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}")
    step.OUT.mkdir(parents=True, exist_ok=True)
    cores = os.cpu_count()
    machine = step.OUT / "machine.textproto"
    calibrate(machine, options.rounds)
    print(machine.read_text())

    rows, found = [], results.Results("predict")
    for name in options.benchmarks or names:
        more = dict(pair.split("=", 1) for pair in options.set)
        benchmark = {**step.BENCHMARKS[name], "more": more}
        count = (WARM + options.steps) * (benchmark["units"] + 16)
        data = step.write_tokens(step.OUT / f"{name}-predict", benchmark["vocabulary"], count)
        runs = [(Run(name, benchmark, *case, data), case) for case in CASES]
        for _ in range(options.rounds):
            for run, _ in runs:
                run.measure(options.steps, cores)
        for run, (world, stage) in runs:
            predicted = predict(benchmark, world, stage, machine)
            case = f"{name}, {world} ranks, stage {stage}"
            found.add(case, "Tessera", "step", "ms", run.wall)
            found.add(case, "Tessera", "CPU time", "ms", run.cpu)
            found.add(case, "prediction", "step", "ms", predicted["step_ms"])
            rows.append(
                {
                    "benchmark": name,
                    "world": world,
                    "stage": stage,
                    "predicted_ms": predicted["step_ms"],
                    "exposed_communication_ms": predicted["exposed_communication_ms"],
                    "median_ms": statistics.median(run.wall),
                    "cpu_ms": statistics.median(run.cpu),
                }
            )
    print(f"{'':12} ranks stage predicted  exposed        cpu   median  measured     off")
    worst = 0
    for row in rows:
        # On a machine that others use, a step waits for its turns.
        quiet = row["median_ms"] <= QUIET * row["cpu_ms"]
        measured = row["median_ms" if quiet else "cpu_ms"]
        off = 100 * (row["predicted_ms"] / measured - 1)
        worst = max(worst, abs(off))
        print(
            f"{row['benchmark']:12} {row['world']:5} {row['stage']:5}"
            f" {row['predicted_ms']:9.1f} {row['exposed_communication_ms']:8.1f}"
            f" {row['cpu_ms']:10.1f} {row['median_ms']:8.1f}"
            f" {'median' if quiet else 'cpu':>9} {off:+6.1f}%"
        )
    found.write(options.json)
    if worst > options.within:
        sys.exit(f"predict.py: a prediction is {worst:.1f} % off")


if __name__ == "__main__":
    main()
