#!/usr/bin/env python3
# ===- perplexity.py - What 8-bit integers cost ------------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Trains small examples on English text and takes the perplexity of what they have
# not seen, with each way to keep weights and the cache. bench/README.md has the
# table and says what is measured.

import argparse
import array
import gzip
import math
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "test" / "end-to-end")]
import results
import support
import test_generation

OUT = ROOT / "build" / "bench" / "perplexity"
# The guide of system administration, by its Debian package.
PACKAGE = "debian-reference-en"
TEXT = "usr/share/debian-reference/debian-reference.en.txt.gz"
ONE_RANK = {"parallel.world": 1, "parallel.zero_stage": 0, "parallel.prefetch": 0}
MODELS = ["bloom-tiny", "llama-tiny"]
KEPT = {
    "COMPUTE": "",
    "weights: INT8": "weights: INT8",
    "weights, embedding: INT8": "weights: INT8 embedding: INT8",
    "weights, embedding, kv: INT8": "weights: INT8 embedding: INT8 kv: INT8",
}
SLOTS = 32
LENGTH = 128
VOCABULARY = 256


def english_text():
    """The text and the version of the package."""
    OUT.mkdir(parents=True, exist_ok=True)
    unpacked = OUT / "package"
    if not (unpacked / TEXT).exists():
        subprocess.run(["apt-get", "download", PACKAGE], cwd=OUT, check=True)
        (archive,) = OUT.glob(f"{PACKAGE}_*.deb")
        subprocess.run(["dpkg-deb", "-x", archive, unpacked], check=True)
    (archive,) = OUT.glob(f"{PACKAGE}_*.deb")
    return gzip.open(unpacked / TEXT).read(), archive.name


def train(name, values, data, steps):
    """Weights in fp32."""
    folder = OUT / name
    support.shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    executable, weights = folder / "trained", folder / "weights.safetensors"
    support.compile(ROOT / "examples" / f"{name}.textproto", executable, **values)
    command = [executable, "train", "--data", data, "--steps", steps, "--save", weights]
    support.run(command, cwd=folder)
    return weights


def perplexity(executable, weights, text):
    """Of the bytes of windows of LENGTH, each from its second byte on."""
    windows = [text[i : i + LENGTH] for i in range(0, len(text) - LENGTH + 1, LENGTH)]
    windows = windows[: len(windows) // SLOTS * SLOTS]
    lines = []
    for first in range(0, len(windows), SLOTS):
        lines += [f"clear {slot}" for slot in range(SLOTS)]
        for at in range(LENGTH - 1):
            batch = enumerate(windows[first : first + SLOTS])
            lines.append(test_generation.step((s, window[at]) for s, window in batch))
    done = subprocess.run(
        [executable, "logits", "--init", weights],
        input=("\n".join(lines) + "\n").encode(),
        stdout=subprocess.PIPE,
        env=support.ENVIRONMENT,
        check=True,
    )
    rows = array.array("f", done.stdout)
    loss = row = 0
    for first in range(0, len(windows), SLOTS):
        for at in range(1, LENGTH):
            for window in windows[first : first + SLOTS]:
                logits = rows[row * VOCABULARY : (row + 1) * VOCABULARY]
                row += 1
                most = max(logits)
                total = math.log(math.fsum(math.exp(x - most) for x in logits))
                loss += total + most - logits[window[at]]
    assert row * VOCABULARY == len(rows)
    return math.exp(loss / row)


def main():
    parser = argparse.ArgumentParser(description="Perplexity with 8-bit integers.")
    parser.add_argument("models", nargs="*", help=f"of {', '.join(MODELS)}; all by default")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--bytes", type=int, default=131072, help="of text to measure with")
    results.add_option(parser, "perplexity")
    options = parser.parse_args()
    for name in options.models:
        if name not in MODELS:
            parser.error(f"no model is named '{name}': give some of {', '.join(MODELS)}")
    text, package = english_text()
    data = OUT / "data.txt"
    data.write_bytes(text[: -options.bytes])
    held_out = text[-options.bytes :]
    print(f"{package}: {len(text)} bytes, the last {options.bytes} held out")
    print("| model | " + " | ".join(KEPT) + " |")
    print("|---|" + "---|" * len(KEPT), flush=True)
    measured = results.Results("perplexity")
    for name in options.models or MODELS:
        values = {**ONE_RANK, "training.schedule.decay_steps": options.steps}
        weights = train(name, values, data, options.steps)
        row, first = [], None
        for number, (form, kept) in enumerate(KEPT.items()):
            specification = (ROOT / "examples" / f"{name}.textproto").read_text()
            specification += f"generation {{ batch: {SLOTS} {kept} }}\n"
            executable = test_generation.logits_executable(
                weights.parent, f"kept-{number}", specification, **values
            )
            found = perplexity(executable, weights, held_out)
            first = first or found
            measured.add(f"{name}, {form}", "Tessera", "perplexity", "", found)
            row.append(f"{found:.4f} ({100 * (found / first - 1):+.3f} %)")
        print(f"| {name} | " + " | ".join(row) + " |", flush=True)
    measured.write(options.json)


if __name__ == "__main__":
    main()
