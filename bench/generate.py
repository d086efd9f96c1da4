#!/usr/bin/env python3
# ===- generate.py - Generation, beside llama.cpp and transformers ----------===#
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
import math
import os
import pathlib
import random
import re
import statistics
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "test" / "end-to-end")]
import llama_environment
import support
import torch_environment

import results
from lines import Lines
from step import GEMM_SHARE, build_peak, measure_peak, medians, peer_environment

OUT = ROOT / "build" / "bench" / "generate"
MODELS = ["gpt2-124m", "bloom-560m", "llama-350m"]
# What each format is to the contenders, and its bytes per weight of a matrix.
FORMATS = {
    "F32": {
        "set": {"training.precision.compute": "FP32"},
        "transformers": "float32",
        "cache": "F32",
        "bytes": 4,
    },
    "BF16": {
        "set": {"training.precision.compute": "BF16"},
        "transformers": "bfloat16",
        "cache": "F16",
        "bytes": 2,
    },
    "F16": {
        "set": {"training.precision.compute": "FP16"},
        "transformers": "float16",
        "cache": "F16",
        "bytes": 2,
    },
    # 32 weights of a byte and a scale of two.
    "Q8_0": {
        "set": {
            "training.precision.compute": "BF16",
            "generation.weights": "INT8",
            "generation.embedding": "INT8",
        },
        "transformers": None,
        "cache": "F16",
        "bytes": 34 / 32,
    },
}
# One executable with so many slots, for one text as for as many as these.
SLOTS = 8
# As many tokens as GPT-2 has positions.
CONTEXT = 1024
# So many tokens must be the same with weights of fp32.
AGREED = 16


class Contender:
    """What writes texts; answers are those of bench/peer_generate.py."""

    def run(self, count, prompts):
        raise NotImplementedError

    def close(self):
        pass


class Peer(Lines, Contender):
    """bench/peer_generate.py, or llama.cpp's program of the same form."""

    def __init__(self, name, command, environment):
        super().__init__(name, command, environment)
        self.answer()

    def run(self, count, prompts):
        ids = [ord(character) for prompt in prompts for character in prompt]
        return json.loads(self.ask(" ".join(map(str, [count, len(prompts), *ids]))))


class Tessera(Contender):
    """The emitted executable's command `generate`, which says its times."""

    name = "Tessera"

    def __init__(self, folder, kind, threads):
        self.folder = folder
        self.published = folder / "published"
        self.executable = folder / f"tessera-{kind}"
        specification = folder / "model.textproto"
        tessera = [support.TESSERA]
        support.run([*tessera, "import", self.published, "-o", specification])
        values = {
            "transformer.sequence_length": CONTEXT,
            "target.cpu.threads": threads,
            "generation.batch": SLOTS,
            "generation.context": CONTEXT,
            **FORMATS[kind]["set"],
        }
        command = [*tessera, "compile", specification, "-o", self.executable]
        command += support.settings(values)
        # What the executable was made of: compiler, model and settings.
        made = folder / f"tessera-{kind}.made"
        compiler = os.stat(support.TESSERA)
        recipe = f"{command} {compiler.st_size} {compiler.st_mtime}\n{specification.read_text()}"
        if made.exists() and made.read_text() == recipe:
            return
        made.unlink(missing_ok=True)
        support.run(command)
        made.write_text(recipe)

    def command(self, count, prompts, *options):
        file = self.folder / "prompts.jsonl"
        file.write_text("".join(json.dumps({"prompt": p}) + "\n" for p in prompts))
        command = [self.executable, "generate", "--init", self.published, "--no-end"]
        command += ["--prompts", file, "--out", self.folder / "texts.jsonl"]
        return [*command, "--max-tokens", count, *options]

    def run(self, count, prompts):
        said = support.run(self.command(count, prompts)).stderr
        rates = r"(\d+) tokens in .*?(?:the others at (\S+) tokens/s )?"
        rates += r"\(prompts: (\d+) tokens at (\S+) tokens/s\)"
        written, rate, prompted, prompt_rate = re.search(rates, said).groups()
        later = int(written) - len(prompts)
        return {
            "prompt_ms": 1e3 * int(prompted) / float(prompt_rate),
            "decode_ms": 1e3 * later / float(rate) if rate else 0,
        }

    def tokens(self, count, prompts):
        support.run(self.command(count, prompts, "--logprobs", 1))
        lines = (self.folder / "texts.jsonl").read_text().splitlines()
        return [[t["id"] for t in json.loads(line)["logprobs"]] for line in lines]

    def memory(self, count, prompts):
        """The most that it has beside pages of files, and its plan."""
        said = support.run([self.executable, "info", "--json"]).stdout
        programs = json.loads(said)[1]["programs"]
        plan = max(programs[name]["arena_bytes"] for name in ("prefill", "decode"))
        return support.most_memory(self.command(count, prompts)), plan


def prompts(count, length):
    draw = random.Random(f"{count} {length}")
    return ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=length)) for _ in range(count)]


class Traffic:
    """What a model's published folder says of a step's bytes and operations."""

    def __init__(self, published, kind):
        config = json.loads((published / "config.json").read_text())
        with open(published / "model.safetensors", "rb") as file:
            (size,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(size))
        header.pop("__metadata__", None)
        shapes = {name: entry["shape"] for name, entry in header.items()}
        # Tables of which rows are read; that of words, too, where the head is its own.
        tables = {n for n in shapes if "wpe" in n}
        if "lm_head.weight" in shapes:
            tables |= {n for n in shapes if "embed" in n}
        shapes = {name: shape for name, shape in shapes.items() if name not in tables}
        matrices = sum(math.prod(s) for s in shapes.values() if len(s) == 2)
        vectors = sum(math.prod(s) for s in shapes.values() if len(s) == 1)
        heads = config.get("num_attention_heads") or config["n_head"]
        self.width = config.get("hidden_size") or config["n_embd"]
        self.layers = config.get("num_hidden_layers") or config["n_layer"]
        kv_width = self.width // heads * config.get("num_key_value_heads", heads)
        self.head = config["vocab_size"] * self.width
        self.inner = matrices - self.head
        self.weights = matrices * FORMATS[kind]["bytes"] + 4 * vectors
        # Keys and values of a token, in the type that is computed with.
        self.cached = 2 * self.layers * kv_width * (4 if kind == "F32" else 2)

    def step_bytes(self, texts, length):
        """What a token for each of some texts reads at least, at a mean length."""
        return self.weights + texts * length * self.cached

    def prompt_flops(self, length):
        """Of a prompt's GEMMs, the head for its last token alone."""
        return 2 * self.inner * length + 2 * self.head

    def scored_flops(self, length):
        """Of the GEMMs of a text all tokens of which are scored."""
        return 2 * (self.inner + self.head) * length


def make_model(name, kind, gguf_python):
    """The folder of a model's random weights, where they are in all forms."""
    folder = OUT / name
    made = [folder / "published" / "tokenizer.json", folder / f"{kind}.gguf"]
    if not all(file.exists() for file in made):
        command = [gguf_python, "-W", "ignore", ROOT / "bench" / "generate_models.py"]
        support.run([*command, name, folder, kind], timeout=None)
    return folder


def contenders(name, kind, options, gguf_python):
    folder = make_model(name, kind, gguf_python)
    result = [Tessera(folder, kind, options.threads)]
    threads = str(options.threads)
    python, base = torch_environment.make()
    environment = peer_environment(base, options.threads)
    if "llama.cpp" not in options.without:
        command = [llama_environment.make_peer(), folder / f"{kind}.gguf", threads]
        command += [SLOTS, CONTEXT, FORMATS[kind]["cache"]]
        result.append(Peer("llama.cpp", command, environment))
    if FORMATS[kind]["transformers"] and "transformers" not in options.without:
        command = [python, "-W", "ignore", ROOT / "bench" / "peer_generate.py"]
        command += [folder / "published", threads, FORMATS[kind]["transformers"]]
        result.append(Peer("transformers", command, environment))
    return result


def check(found, kind, options):
    """Has each write the same. With weights of fp32 each text must be that of one
    peer at least: random weights have ties nearly, which peers decide differently,
    too."""
    own, *peers = found
    for texts in options.batches:
        asked = prompts(texts, options.prompt)
        expected = own.tokens(AGREED, asked)
        alike = [not peers] * texts
        for peer in peers:
            tokens = peer.run(AGREED, asked)["tokens"]
            same = sum(a == b for a, b in zip(sum(expected, []), sum(tokens, [])))
            print(f"  {texts} texts: {same} of {texts * AGREED} tokens are {peer.name}'s")
            alike = [before or a == b for before, a, b in zip(alike, expected, tokens)]
        if kind == "F32" and not all(alike):
            raise SystemExit(
                f"generate.py: text {alike.index(False)} of {texts} is no peer's: {expected}"
            )


def measure(name, kind, options, gguf_python):
    print(f"\n{name}, {kind}", flush=True)
    found = contenders(name, kind, options, gguf_python)
    if options.check:
        check(found, kind, options)
    traffic = Traffic(OUT / name / "published", kind)
    # What is asked: (tokens, texts, length of a prompt), and how it is called.
    asked = {f"{texts} texts": (options.tokens, texts, options.prompt) for texts in options.batches}
    if options.prefill:
        asked[f"prompt of {options.prefill}"] = (1, 1, options.prefill)
    times = {}
    peaks = {what: [] for what in asked}
    memory = {}
    for _ in range(options.rounds):
        for what, (count, texts, length) in asked.items():
            # What memory gives changes within a minute: measured beside Tessera's turn.
            peaks[what].append(measure_peak(options.threads))
            for contender in found:
                answer = contender.run(count, prompts(texts, length))
                spent = answer["decode_ms" if count > 1 else "prompt_ms"]
                times.setdefault((what, contender.name), []).append(spent)
                most = max(memory.get(contender.name, 0), answer.get("memory", 0))
                memory[contender.name] = most
    if options.memory:
        memory["Tessera"], plan = found[0].memory(2, prompts(SLOTS, options.prompt))
        memory["plan"] = plan
    for contender in found:
        contender.close()
    rows = []
    for what, (count, texts, length) in asked.items():
        steps = max(count - 1, 1)
        tokens = texts * (steps if count > 1 else length)
        row = {"what": what, "peak": medians(peaks[what]), "rates": {}}
        for contender in found:
            spent = times[what, contender.name]
            row["rates"][contender.name] = [1e3 * tokens / each for each in spent]
        both = list(zip(times[what, "Tessera"], peaks[what]))
        if count > 1:
            read = traffic.step_bytes(texts, length + (count - 1) / 2)
            row["share of reading"] = [
                read * steps / (1e6 * own) / peak["read_gbytes"] for own, peak in both
            ]
        elif kind != "Q8_0":
            key = "bf16_gflops" if kind == "BF16" else "gflops"
            flops = traffic.prompt_flops(length)
            row["times the bound"] = [
                own / (flops / (1e6 * GEMM_SHARE * peak[key])) for own, peak in both
            ]
        rows.append(row)
    return {"model": name, "format": kind, "rows": rows, "memory": memory}


def report(result, options):
    print(
        f"\n{result['model']}, {result['format']}, {options.threads} threads, medians of "
        f"{options.rounds} rounds, tokens/s (times Tessera's time)"
    )
    for row in result["rows"]:
        line = f"  {row['what']:14s}"
        rates = {name: statistics.median(values) for name, values in row["rates"].items()}
        for name, rate in rates.items():
            line += f"  {name} {rate:.1f}"
            if name != "Tessera":
                line += f" ({rates['Tessera'] / rate:.2f})"
        for quantity in ("share of reading", "times the bound"):
            if quantity in row:
                line += f"  {statistics.median(row[quantity]):.2f} {quantity}"
        peak = row["peak"]
        print(
            f"{line}  (reading {peak['read_gbytes']:.1f} GB/s, peak {peak['gflops']:.0f} "
            f"GFLOP/s, in bf16 {peak['bf16_gflops']:.0f})"
        )
    texts = [f"{name} {size / 1e6:.0f} MB" for name, size in result["memory"].items() if size]
    print("  memory: " + ", ".join(texts))


def record(result, found):
    """Adds what was measured to the results."""
    model = f"{result['model']}, {result['format']}"
    for row in result["rows"]:
        case = f"{model}, {row['what']}"
        for name, rates in row["rates"].items():
            found.add(case, name, "rate", "tokens/s", rates, better="more")
        for quantity, better in (("share of reading", "more"), ("times the bound", "less")):
            if quantity in row:
                found.add(case, "Tessera", quantity, "", row[quantity], better=better)
    for name, size in result["memory"].items():
        if size:
            found.add(model, name, "memory", "bytes", size)


def main():
    parser = argparse.ArgumentParser(description="Generation beside llama.cpp and transformers.")
    parser.add_argument("models", nargs="*", help=f"of {', '.join(MODELS)}; all by default")
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=list(FORMATS))
    parser.add_argument("--batches", nargs="+", type=int, default=[1, SLOTS])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--prompt", type=int, default=64, help="tokens of a prompt")
    parser.add_argument("--tokens", type=int, default=33, help="written for each text")
    parser.add_argument("--prefill", type=int, default=512, help="0: none")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--without", nargs="*", default=[], help="llama.cpp, transformers")
    parser.add_argument("--no-memory", dest="memory", action="store_false")
    parser.add_argument("--no-check", dest="check", action="store_false", help="of the tokens")
    parser.add_argument(
        "--only-make", action="store_true", help="models and executables, for a later run"
    )
    results.add_option(parser, "generate")
    options = parser.parse_args()
    unknown = set(options.models) - set(MODELS)
    if unknown:
        parser.error(f"no model {', '.join(sorted(unknown))}")
    if max(options.batches) > SLOTS:
        parser.error(f"at most {SLOTS} texts")
    if not options.only_make:
        build_peak()
    gguf_python, _ = llama_environment.make_gguf()
    measured = results.Results("generate")
    for name in options.models or MODELS:
        for kind in options.formats:
            if options.only_make:
                for contender in contenders(name, kind, options, gguf_python):
                    contender.close()
                continue
            result = measure(name, kind, options, gguf_python)
            report(result, options)
            record(result, measured)
    if not options.only_make:
        measured.write(options.json)


if __name__ == "__main__":
    main()
