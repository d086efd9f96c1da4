#!/usr/bin/env python3
# ===- fsdp.py - ZeRO stage 3 beside PyTorch's FSDP2 -----------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Steps and memory of two ranks: bench/README.md.
#
# ===----------------------------------------------------------------------===#

import argparse
import json
import os
import socket
import statistics

import results
from lines import Lines
from stages import compile_stage, measure, stage_command
from step import BENCHMARKS, OUT, ROOT
from step import build_peak, floor_of, measure_peak, medians, peer_environment, write_tokens

import support  # whose folder stages.py has added
import torch_environment

MODES = ["fsdp", "fsdp-kept", "fsdp-compile"]


class Fsdp:
    """bench/peer.py on all ranks, from one turn's begin to its end."""

    def __init__(self, mode, options):
        python, base = torch_environment.make()
        threads = max(1, os.cpu_count() // options.ranks)
        command = [python, "-W", "ignore", ROOT / "bench" / "peer.py", options.benchmark, mode]
        command += [threads, options.precision]
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
        self.ranks = []
        for rank in range(options.ranks):
            place = {"RANK": rank, "WORLD_SIZE": options.ranks, "MASTER_PORT": port}
            environment = dict(peer_environment(base, threads), MASTER_ADDR="127.0.0.1")
            environment.update({name: str(value) for name, value in place.items()})
            self.ranks.append(Lines(f"rank {rank} of {mode}", command, environment))
        for rank in self.ranks:
            rank.answer()

    def ask(self, question):
        for rank in self.ranks:
            rank.send(question)
        return [json.loads(rank.answer()) for rank in self.ranks]

    def step(self, count):
        """The median of some steps in ms, each as long as its slowest rank's."""
        return statistics.median(max(times) for times in zip(*self.ask(count)))

    def peak_memory(self):
        """Of the rank that has most, in bytes; ends them all."""
        peak = max(self.ask(""))
        for rank in self.ranks:
            rank.close()
        return peak


def plan(options):
    """What `tessera plan` says of a rank's step in stage 3."""
    done = support.run(stage_command("plan", 3, options) + ["--format=json"])
    return json.loads(done.stdout)


def floors(benchmark, peak, planned, options):
    """Milliseconds by name, of all ranks together on all cores: none beneath 16-bit
    GEMMs."""
    if options.precision != "fp32":
        return {}
    gemms, update = floor_of(benchmark, peak)
    received = options.ranks * planned["volume_bytes"]
    return {
        "GEMMs": gemms,
        "AdamW": update,
        "reading what ranks receive": received / (1e6 * peak["read_gbytes"]),
    }


def main():
    parser = argparse.ArgumentParser(description="ZeRO stage 3 beside FSDP2.")
    parser.add_argument(
        "benchmark", nargs="?", default="gpt2-124m", choices=["gpt2-124m", "llama-125m"]
    )
    parser.add_argument("--modes", nargs="+", default=MODES[:2], choices=MODES)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=3, help="measured in each round")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--set", action="append", default=[], help="a field of the specification")
    results.add_option(parser, "fsdp")
    options = parser.parse_args()
    if options.precision == "bf16":
        options.set.append("training.precision.compute=BF16")
    OUT.mkdir(parents=True, exist_ok=True)
    benchmark = BENCHMARKS[options.benchmark]
    tokens = 64 * benchmark["units"] + 1
    data = write_tokens(OUT / options.benchmark, benchmark["vocabulary"], tokens)
    executable, planned = compile_stage(3, options), plan(options)
    build_peak()
    own, exposed, peaks = [], [], []
    times = {mode: [] for mode in options.modes}
    most = {mode: [] for mode in options.modes}
    for _ in range(options.rounds):
        peaks.append(measure_peak(os.cpu_count()))
        lines, _ = measure(executable, data, options.ranks, options.steps)
        for column, name in ((own, "ms"), (exposed, "communication_ms")):
            column.append(statistics.median(line[name] for line in lines))
        for mode in options.modes:
            peer = Fsdp(mode, options)
            peer.step(2)  # fills its caches
            times[mode].append(peer.step(options.steps))
            most[mode].append(peer.peak_memory())
    memory = support.physical_bytes(executable, data, options.ranks) / options.ranks
    fastest = statistics.median(own)
    print(
        f"{options.benchmark}, {options.precision}, {options.ranks} ranks, "
        f"medians of {options.rounds} rounds"
    )
    peak = medians(peaks)
    print(
        f"  peak {peak['gflops']:.0f} GFLOP/s, AdamW {peak['adamw_gbytes']:.1f} GB/s, "
        f"reading {peak['read_gbytes']:.1f} GB/s"
    )
    if floor := floors(benchmark, peak, planned, options):
        parts = ", ".join(f"{name} {part:.1f}" for name, part in floor.items())
        print(f"  floor {sum(floor.values()):.1f} ms: {parts}")
        print(f"  Tessera is {fastest / sum(floor.values()):.3f} times the floor")
    print(
        f"  Tessera, stage 3   {fastest:9.1f} ms {memory / 1e6:8.0f} MB per rank, of which "
        f"rank 0 communicates and waits for {statistics.median(exposed):.1f} ms"
    )
    for mode in options.modes:
        elapsed, size = statistics.median(times[mode]), max(most[mode])
        print(
            f"  {mode:18s} {elapsed:9.1f} ms {size / 1e6:8.0f} MB per rank: "
            f"{elapsed / fastest:.2f} times as long, {size / memory:.2f} times as much"
        )
    found = results.Results("fsdp")
    case = f"{options.benchmark}, {options.precision}, {options.ranks} ranks"
    found.add(case, "Tessera", "step", "ms", own)
    found.add(case, "Tessera", "memory per rank", "bytes", memory)
    for mode in options.modes:
        found.add(case, mode, "step", "ms", times[mode])
        found.add(case, mode, "memory per rank", "bytes", most[mode])
    if floor:
        found.add(case, "floor", "step", "ms", sum(floor.values()))
    found.write(options.json)


if __name__ == "__main__":
    main()
