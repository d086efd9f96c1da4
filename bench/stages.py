#!/usr/bin/env python3
# ===- stages.py - What a ZeRO stage costs per step ------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Steps of GPT-2 124M on several ranks in each stage: bench/README.md.
#
# ===----------------------------------------------------------------------===#

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time

import results
from step import BENCHMARKS, OUT, ROOT, write_tokens

sys.path.insert(0, str(ROOT / "test" / "end-to-end"))
import support


def stage_command(command, stage, options):
    """Of the compiler, with the benchmark in a stage as its specification."""
    benchmark = BENCHMARKS[options.benchmark]
    values = dict(benchmark["set"])
    values.update({"parallel.world": options.ranks, "parallel.zero_stage": stage})
    values.update(pair.split("=", 1) for pair in options.set)
    result = [ROOT / "build" / "bin" / "tessera", command, benchmark["specification"]]
    for field, value in values.items():
        result += ["--set", f"{field}={value}"]
    return result


def compile_stage(stage, options):
    executable = OUT / f"{options.benchmark}-stage{stage}"
    subprocess.run(stage_command("compile", stage, options) + ["-o", executable], check=True)
    return executable


def cpu_seconds(executable):
    """User and system time so far of all processes that run an executable."""
    ticks = 0
    for process in support.processes(executable):
        try:
            stat = pathlib.Path(f"/proc/{process}/stat").read_text()
        except OSError:
            continue  # it has ended
        fields = stat.rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(executable, data, ranks, steps, warm=1):
    """Runs it; of the steps that follow `warm` ones the lines of its log, and the
    CPU time of all ranks, milliseconds per step."""
    log = executable.with_suffix(".log")
    log.write_text("")
    command = support.launcher(ranks) + [executable, "train", "--data", data]
    command += ["--order", "sequential", "--log", log, "--steps", warm + steps]
    command = [str(part) for part in command]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=support.ENVIRONMENT)
    spent = {}  # seconds after each number of steps
    while process.poll() is None:
        lines = log.read_text().count("\n")
        if lines not in spent:
            spent[lines] = cpu_seconds(executable)
        time.sleep(0.01)
    if process.returncode != 0:
        raise SystemExit(f"this fails: {' '.join(command)}")
    # After the last step the ranks may have exited already.
    counted = [count for count in spent if warm <= count < warm + steps]
    first, last = min(counted), max(counted)
    cpu = 1e3 * (spent[last] - spent[first]) / (last - first)
    return support.read_log(log)[warm:], cpu


def main():
    parser = argparse.ArgumentParser(description="What a ZeRO stage costs per step.")
    parser.add_argument("stages", nargs="*", type=int, default=[0, 1, 2, 3])
    parser.add_argument("--benchmark", default="gpt2-124m", choices=["gpt2-124m", "bloom-4x256"])
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=3, help="measured in each round")
    parser.add_argument("--set", action="append", default=[], help="a field of the specification")
    results.add_option(parser, "stages")
    options = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    benchmark = BENCHMARKS[options.benchmark]
    data = write_tokens(OUT / options.benchmark, benchmark["vocabulary"], 64 * benchmark["units"] + 1)
    executables = {stage: compile_stage(stage, options) for stage in options.stages}
    times = {stage: [] for stage in options.stages}
    for _ in range(options.rounds):
        for stage, executable in executables.items():
            lines, cpu = measure(executable, data, options.ranks, options.steps)
            elapsed, exposed = (
                statistics.median(line[name] for line in lines)
                for name in ("ms", "communication_ms")
            )
            times[stage].append((elapsed, cpu, exposed))
    rows = {
        stage: [statistics.median(column) for column in zip(*rounds)]
        for stage, rounds in times.items()
    }
    base = rows[options.stages[0]]
    print(f"{options.benchmark}, {options.ranks} ranks, medians of {options.rounds} rounds")
    print(f"{'stage':>5} {'ms':>10} {'ratio':>6} {'cpu ms':>10} {'ratio':>6} {'exposed ms':>11}")
    for stage, (elapsed, cpu, communication) in rows.items():
        print(
            f"{stage:5d} {elapsed:10.1f} {elapsed / base[0]:6.3f} {cpu:10.1f} "
            f"{cpu / base[1]:6.3f} {communication:11.1f}"
        )
    found = results.Results("stages")
    for stage, rounds in times.items():
        case = f"{options.benchmark}, {options.ranks} ranks, stage {stage}"
        for quantity, values in zip(("step", "CPU time", "exposed communication"), zip(*rounds)):
            found.add(case, "Tessera", quantity, "ms", values)
    found.write(options.json)


if __name__ == "__main__":
    main()
