#!/usr/bin/env python3
# ===- step.py - A whole training step, against PyTorch --------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# bench/README.md says what is measured and how.
#
# ===----------------------------------------------------------------------===#

import argparse
import json
import os
import pathlib
import random
import statistics
import struct
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import torch_environment

import results
from lines import Lines

OUT = ROOT / "build" / "bench"
# The share of the multiply-add peak that large GEMMs reach at best.
GEMM_SHARE = 0.92


def transformer(example, shape, parameters, table, fields):
    """A benchmark; its arithmetic is 6 N tokens + 12 L T C tokens.

    Of the `parameters`, the `table` of embeddings is not multiplied by where it
    is not the output projection, too; N is without it then.
    """
    vocabulary, layers, width, length, batch = shape
    tokens = batch * length
    values = {f"transformer.{name}": value for name, value in fields.items()}
    values["transformer.sequence_length"] = length
    values["training.global_batch"] = batch
    multiplied = parameters - table
    return {
        "specification": ROOT / "examples" / example,
        "set": values,
        "peers": ["eager", "compile"],
        "vocabulary": vocabulary,
        "units": tokens,
        "unit": "tokens/s",
        "parameters": parameters,
        "flops": 6 * multiplied * tokens + 12 * layers * length * width * tokens,
    }


def gpt(example, shape, positions, fields):
    """As GPT-2 or BLOOM: 4 times as wide within, biases, a tied head."""
    vocabulary, layers, width = shape[:3]
    block = 12 * width * width + 13 * width
    parameters = vocabulary * width + positions * width + layers * block + 2 * width
    return transformer(example, shape, parameters, 0, fields)


def llama(example, shape, columns, wide):
    """As LLaMA: `columns` of queries, keys and values, `wide` within, a head of its own."""
    vocabulary, layers, width = shape[:3]
    block = width * columns + width * width + 3 * width * wide + 2 * width
    parameters = 2 * vocabulary * width + layers * block + width
    return transformer(example, shape, parameters, vocabulary * width, {})


BENCHMARKS = {
    "bloom-4x256": gpt(
        "bloom-tiny.textproto",
        (4096, 4, 256, 256, 8),
        0,
        {"vocabulary": 4096, "layers": 4, "hidden": 256, "heads": 8},
    ),
    "gpt2-124m": gpt("gpt2-124m.textproto", (50257, 12, 768, 256, 4), 1024, {}),
    "llama-125m": llama("llama-125m.textproto", (32000, 12, 768, 256, 4), 20 * 64, 2048),
    "gcn-cora": {
        "specification": ROOT / "examples" / "gcn-cora.textproto",
        "set": {},
        "peers": ["eager", "csr", "compile", "compile-csr"],
        "units": 1,
        "unit": "epochs/s",
    },
}


def peer_environment(base, threads):
    """PyTorch as fast as it gets: its threads, and memory kept once it is had."""
    return dict(
        base,
        OMP_NUM_THREADS=str(threads),
        MALLOC_MMAP_MAX_="0",
        MALLOC_TRIM_THRESHOLD_=str(1 << 40),
        MALLOC_TOP_PAD_=str(64 << 20),
        GLIBC_TUNABLES="glibc.malloc.hugetlb=1",
    )


class Peer(Lines):
    """bench/peer.py."""

    def __init__(self, name, mode, threads, extra):
        python, base = torch_environment.make()
        command = [python, "-W", "ignore", ROOT / "bench" / "peer.py", name, mode, threads, *extra]
        super().__init__(f"PyTorch {mode}", command, peer_environment(base, threads))
        self.answer()

    def steps(self, count):
        return json.loads(self.ask(count))

    def peak_memory(self):
        peak = int(self.ask(""))
        self.close()
        return peak


class Tessera:
    """An emitted executable, started anew for each round; its log has the times."""

    name = "Tessera"
    WARM = 2

    def __init__(self, name, benchmark, threads, data, build=ROOT / "build"):
        self.executable, self.data, self.peak = OUT / name, data, 0
        self.log = OUT / f"{name}.log"
        values = dict(benchmark["set"])
        values.update({"parallel.world": 1, "parallel.zero_stage": 0})
        values["target.cpu.threads"] = threads
        self.command = [build / "bin" / "tessera", "compile"]
        self.command += [benchmark["specification"], "-o", self.executable]
        for field, value in values.items():
            self.command += ["--set", f"{field}={value}"]
        self.compile_seconds = self.compile()

    def compile(self):
        begin = time.perf_counter()
        subprocess.run(self.command, check=True)
        return time.perf_counter() - begin

    def steps(self, count):
        command = [self.executable, "train", "--data", self.data, "--log", self.log]
        command += ["--steps", str(count + self.WARM), "--order", "sequential"]
        self.log.unlink(missing_ok=True)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        if os.waitstatus_to_exitcode(status) != 0:
            raise SystemExit("step.py: the executable failed")
        self.peak = max(self.peak, usage.ru_maxrss * 1024)
        lines = [json.loads(line) for line in open(self.log)]
        return [line["ms"] for line in lines[self.WARM :]]

    def peak_memory(self):
        return self.peak


def build_peak():
    subprocess.run(["cmake", "--build", ROOT / "build", "--target", "bench-peak"], check=True)


def measure_peak(threads):
    command = [ROOT / "build" / "bin" / "bench-peak", str(threads)]
    done = subprocess.run(command, check=True, capture_output=True)
    return json.loads(done.stdout)


def medians(peaks):
    """Of what some calls of measure_peak gave."""
    return {key: statistics.median(peak[key] for peak in peaks) for key in peaks[0]}


def floor_of(benchmark, peak):
    """The milliseconds that GEMMs in fp32, and AdamW, take at least."""
    gemms = benchmark["flops"] / (1e6 * GEMM_SHARE * peak["gflops"])
    return gemms, 28 * benchmark["parameters"] / (1e6 * peak["adamw_gbytes"])


def write_tokens(stem, vocabulary, count):
    """An MMIDIDX pair of random tokens."""
    random.seed(1)
    tokens = [random.randrange(vocabulary) for _ in range(count)]
    stem.with_suffix(".bin").write_bytes(struct.pack(f"<{count}H", *tokens))
    index = b"MMIDIDX\0\0" + struct.pack("<QBQQ", 1, 8, 1, 2)
    index += struct.pack("<iqqq", count, 0, 0, 1)
    stem.with_suffix(".idx").write_bytes(index)
    return stem.with_suffix(".bin")


def data_of(name, benchmark):
    """What a benchmark is trained on."""
    if "vocabulary" in benchmark:
        return write_tokens(OUT / name, benchmark["vocabulary"], 64 * benchmark["units"] + 1)
    return ROOT / "examples" / "cora" / "cora.safetensors"


def measure(name, options):
    benchmark = BENCHMARKS[name]
    mixed = options.precision == "bf16"
    extra = ["bf16"] if mixed else []
    if mixed:
        values = {"training.precision.compute": "BF16"}
        benchmark = dict(benchmark, set={**benchmark["set"], **values})
        # The floor is that of fp32 GEMMs.
        benchmark.pop("flops", None)
    data = data_of(name, benchmark)
    if "vocabulary" not in benchmark:
        extra = [data]
    contenders = []
    if not options.peers_only:
        contenders.append(Tessera(name, benchmark, options.threads, data))
    if not options.tessera_only:
        modes = benchmark["peers"]
        contenders += [Peer(name, mode, options.threads, extra) for mode in modes]
    for contender in contenders:
        if isinstance(contender, Peer):
            contender.steps(5)  # compiles, and fills its caches
    times = {contender.name: [] for contender in contenders}
    peaks = []
    for _ in range(options.rounds):
        peaks.append(measure_peak(options.threads))
        for contender in contenders:
            times[contender.name].append(statistics.median(contender.steps(options.steps)))
    result = {
        "benchmark": name,
        "precision": options.precision,
        "threads": options.threads,
        "rounds": options.rounds,
        "peak": medians(peaks),
        "contenders": {},
    }
    for contender in contenders:
        own = times[contender.name]
        milliseconds = statistics.median(own)
        result["contenders"][contender.name] = {
            "milliseconds": milliseconds,
            "rounds": own,
            benchmark["unit"]: 1e3 * benchmark["units"] / milliseconds,
            "peak_memory": contender.peak_memory(),
        }
        if isinstance(contender, Tessera):
            result["compile_seconds"] = contender.compile_seconds
    if "flops" in benchmark:
        result["floor_milliseconds"] = sum(floor_of(benchmark, result["peak"]))
    return result


def report(result, unit):
    peak = result["peak"]
    print(
        f"\n{result['benchmark']}, {result['precision']}, {result['threads']} threads, "
        f"medians of {result['rounds']}"
    )
    print(f"  peak {peak['gflops']:.0f} GFLOP/s, AdamW {peak['adamw_gbytes']:.1f} GB/s")
    if "compile_seconds" in result:
        print(f"  compiled in {result['compile_seconds']:.1f} s")
    floor = result.get("floor_milliseconds")
    if floor:
        print(f"  floor {floor:.1f} ms")
    own = result["contenders"].get("Tessera")
    for name, row in result["contenders"].items():
        line = f"  {name:20s} {row['milliseconds']:9.2f} ms"
        line += f" ({min(row['rounds']):.2f} to {max(row['rounds']):.2f})"
        line += f" {row[unit]:10.1f} {unit} {row['peak_memory'] / 1e6:8.0f} MB"
        if floor:
            line += f"  {row['milliseconds'] / floor:5.2f} x floor"
        if own and row is not own:
            line += f"  {row['milliseconds'] / own['milliseconds']:5.2f} x Tessera"
        print(line)


def record(result, found):
    case = f"{result['benchmark']}, {result['precision']}, {result['threads']} threads"
    for name, row in result["contenders"].items():
        found.add(case, name, "step", "ms", row["rounds"])
        found.add(case, name, "peak memory", "bytes", row["peak_memory"])
    if "floor_milliseconds" in result:
        found.add(case, "floor", "step", "ms", result["floor_milliseconds"])
    if "compile_seconds" in result:
        found.add(case, "Tessera", "compilation", "s", result["compile_seconds"])


def main():
    parser = argparse.ArgumentParser(description="A training step against PyTorch's.")
    parser.add_argument("benchmarks", nargs="*", help=f"of {', '.join(BENCHMARKS)}; all by default")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=5, help="measured in each round")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument(
        "--precision",
        choices=["fp32", "bf16"],
        default="fp32",
        help="bf16: mixed precision here, autocast there; transformers only",
    )
    parser.add_argument("--tessera-only", action="store_true")
    parser.add_argument("--peers-only", action="store_true")
    results.add_option(parser, "step")
    options = parser.parse_args()
    unknown = set(options.benchmarks) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}")
    if options.precision != "fp32" and not options.benchmarks:
        options.benchmarks = [name for name in BENCHMARKS if name != "gcn-cora"]
    OUT.mkdir(parents=True, exist_ok=True)
    build_peak()
    found = results.Results("step")
    for name in options.benchmarks or BENCHMARKS:
        result = measure(name, options)
        report(result, BENCHMARKS[name]["unit"])
        record(result, found)
    found.write(options.json)


if __name__ == "__main__":
    main()
