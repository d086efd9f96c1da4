#!/usr/bin/env python3
# ===- score.py - How likely texts are, beside transformers -----------------===#
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
import re
import statistics
import time

import results
from generate import (
    FORMATS,
    MODELS,
    ROOT,
    Tessera,
    Traffic,
    llama_environment,
    make_model,
    prompts,
    support,
    torch_environment,
)
from lines import Lines
from step import GEMM_SHARE, build_peak, measure_peak, peer_environment

KINDS = ["F32", "BF16"]
# How far two may be apart in a token's mean log-probability.
AGREED = {"F32": 1e-4, "BF16": 2e-2}


class Scorer(Tessera):
    """The emitted executable's command `score`, which says its time."""

    def __init__(self, folder, kind, threads):
        super().__init__(folder, kind, threads)
        self.kind, self.threads = kind, threads

    def command(self, texts):
        file = self.folder / "scored.jsonl"
        file.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        command = [self.executable, "score", "--init", self.published, "--texts", file]
        return [*command, "--out", self.folder / "scores.jsonl"]

    def run(self, texts):
        said = support.run(self.command(texts)).stderr
        tokens, rate = re.search(r"(\d+) tokens in .*\((\S+) tokens/s\)", said).groups()
        lines = (self.folder / "scores.jsonl").read_text().splitlines()
        return {
            "ms": 1e3 * int(tokens) / float(rate),
            "logprob": sum(json.loads(line)["logprob"] for line in lines),
        }

    def memory(self, texts):
        """The most that it has beside pages of files, and its plan."""
        said = support.run([self.executable, "info", "--json"]).stdout
        plan = json.loads(said)[1]["programs"]["score"]["arena_bytes"]
        return support.most_memory(self.command(texts)), plan

    def compile_seconds(self):
        """How long making the executable takes."""
        (self.folder / f"{self.executable.name}.made").unlink()
        begin = time.perf_counter()
        Tessera.__init__(self, self.folder, self.kind, self.threads)
        return time.perf_counter() - begin


class Peer(Lines):
    """bench/peer_score.py."""

    def run(self, texts):
        ids = [ord(character) for text in texts for character in text]
        return json.loads(self.ask(" ".join(map(str, [len(texts[0]), *ids]))))


def measure(name, kind, options, gguf_python, found):
    folder = make_model(name, kind, gguf_python)
    own = Scorer(folder, kind, options.threads)
    python, base = torch_environment.make()
    command = [python, "-W", "ignore", ROOT / "bench" / "peer_score.py", folder / "published"]
    command += [options.threads, FORMATS[kind]["transformers"]]
    peer = Peer("transformers", command, peer_environment(base, options.threads))
    peer.answer()
    traffic = Traffic(folder / "published", kind)
    texts = prompts(options.texts, options.length)
    scored = options.texts * options.length
    flops = options.texts * traffic.scored_flops(options.length)
    peak_name = "bf16_gflops" if kind == "BF16" else "gflops"
    rates, shares, memory = {"Tessera": [], "transformers": []}, [], 0
    for _ in range(options.rounds):
        peak = measure_peak(options.threads)[peak_name]
        ours, theirs = own.run(texts), peer.run(texts)
        apart = abs(ours["logprob"] - theirs["logprob"]) / scored
        if not apart <= AGREED[kind]:
            raise SystemExit(f"score.py: {name}, {kind}: {apart:.2e} a token from transformers'")
        rates["Tessera"].append(1e3 * scored / ours["ms"])
        rates["transformers"].append(1e3 * scored / theirs["ms"])
        shares.append(ours["ms"] / (flops / (1e6 * GEMM_SHARE * peak)))
        memory = max(memory, theirs["memory"])
    peer.close()
    most, plan = own.memory(texts)
    compiled = own.compile_seconds()
    case = f"{name}, {kind}"
    for contender, values in rates.items():
        found.add(case, contender, "rate", "tokens/s", values, better="more")
    found.add(case, "Tessera", "times the bound", "", shares)
    for contender, size in (("Tessera", most), ("plan", plan), ("transformers", memory)):
        found.add(case, contender, "memory", "bytes", [size])
    found.add(case, "Tessera", "compile", "s", [compiled])
    rate, theirs = statistics.median(rates["Tessera"]), statistics.median(rates["transformers"])
    print(
        f"{case}: {rate:.0f} tokens/s, transformers {theirs:.0f} ({rate / theirs:.2f}), "
        f"{statistics.median(shares):.2f} times the bound, {apart:.1e} apart\n"
        f"  memory {most / 1e6:.0f} MB, plan {plan / 1e6:.0f} ({most / plan:.3f}), "
        f"transformers {memory / 1e6:.0f}; compiled in {compiled:.1f} s",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description="Scores of texts beside transformers.")
    parser.add_argument("models", nargs="*", help=f"of {', '.join(MODELS)}; all by default")
    parser.add_argument("--formats", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--texts", type=int, default=4)
    parser.add_argument("--length", type=int, default=512, help="tokens of a text")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    results.add_option(parser, "score")
    options = parser.parse_args()
    unknown = set(options.models) - set(MODELS)
    if unknown:
        parser.error(f"no model {', '.join(sorted(unknown))}")
    build_peak()
    gguf_python, _ = llama_environment.make_gguf()
    found = results.Results("score")
    for name in options.models or MODELS:
        for kind in options.formats:
            measure(name, kind, options, gguf_python, found)
    found.write(options.json)


if __name__ == "__main__":
    main()
