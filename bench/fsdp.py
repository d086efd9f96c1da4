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
import subprocess

from stages import compile_stage, measure
from step import BENCHMARKS, OUT, ROOT, peer_environment, write_tokens

import support  # whose folder stages.py has added
import torch_environment

MODES = ["fsdp", "fsdp-kept", "fsdp-compile"]


class Fsdp:
    """bench/peer.py on all ranks, kept running so that each round measures it warm."""

    def __init__(self, mode, options):
        python, base = torch_environment.make()
        threads = max(1, os.cpu_count() // options.ranks)
        command = [python, "-W", "ignore", ROOT / "bench" / "peer.py", options.benchmark, mode]
        command += [str(threads), options.precision]
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
        self.ranks = []
        for rank in range(options.ranks):
            place = {"RANK": rank, "WORLD_SIZE": options.ranks, "MASTER_PORT": port}
            environment = dict(peer_environment(base, threads), MASTER_ADDR="127.0.0.1")
            environment.update({name: str(value) for name, value in place.items()})
            self.ranks.append(
                subprocess.Popen(
                    command,
                    env=environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
        self.answers()

    def answers(self):
        lines = [rank.stdout.readline() for rank in self.ranks]
        if not all(lines):
            raise SystemExit("fsdp.py: a rank of PyTorch ended without an answer")
        return lines

    def ask(self, question):
        for rank in self.ranks:
            rank.stdin.write(question + "\n")
            rank.stdin.flush()
        return [json.loads(line) for line in self.answers()]

    def step(self, count):
        """The median of some steps in ms, each as long as its slowest rank's."""
        return statistics.median(max(times) for times in zip(*self.ask(str(count))))

    def peak_memory(self):
        """Of the rank that has most, in bytes; ends them all."""
        peak = max(self.ask(""))
        for rank in self.ranks:
            rank.wait()
        return peak


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
    options = parser.parse_args()
    if options.precision == "bf16":
        options.set.append("training.precision.compute=BF16")
    OUT.mkdir(parents=True, exist_ok=True)
    benchmark = BENCHMARKS[options.benchmark]
    tokens = 64 * benchmark["units"] + 1
    data = write_tokens(OUT / options.benchmark, benchmark["vocabulary"], tokens)
    executable = compile_stage(3, options)
    own = []
    times = {mode: [] for mode in options.modes}
    peers = {mode: Fsdp(mode, options) for mode in options.modes}
    for peer in peers.values():
        peer.step(2)  # fills its caches
    for _ in range(options.rounds):
        lines, _ = measure(executable, data, options.ranks, options.steps)
        own.append(statistics.median(line["ms"] for line in lines))
        for mode, peer in peers.items():
            times[mode].append(peer.step(options.steps))
    memory = support.physical_bytes(executable, data, options.ranks) / options.ranks
    fastest = statistics.median(own)
    print(
        f"{options.benchmark}, {options.precision}, {options.ranks} ranks, "
        f"medians of {options.rounds} rounds"
    )
    print(f"  Tessera, stage 3   {fastest:9.1f} ms {memory / 1e6:8.0f} MB per rank")
    for mode, peer in peers.items():
        elapsed, peak = statistics.median(times[mode]), peer.peak_memory()
        print(
            f"  {mode:18s} {elapsed:9.1f} ms {peak / 1e6:8.0f} MB per rank: "
            f"{elapsed / fastest:.2f} times as long, {peak / memory:.2f} times as much"
        )


if __name__ == "__main__":
    main()
