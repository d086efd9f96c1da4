#!/usr/bin/env python3
# ===- tokenizer.py - tessera tokenize beside PyPI's tokenizers -----------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
#   bench/tokenizer.py [--text FILE] [--threads N] [--rounds 3] [FAMILY ...]
#
# The speed of encoding a file's paragraphs, in MB of text a second on the same
# cores. Of tessera it is that of the whole command, which reads, splits and
# writes the documents, less that of the same command on one paragraph, which
# reads the tokenizer; of the library, that of encode_batch_fast alone, on texts
# in memory. Rounds alternate, and the best of each counts.
#
# ===----------------------------------------------------------------------===#

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import results

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("TESSERA_BUILD", ROOT / "build"))
TESSERA = BUILD / "bin" / "tessera"
FAMILIES = ["bloom", "gpt2", "llama3", "qwen2", "llama", "metaspace-first", "deepseek"]


def inside(arguments):
    """Runs in the environment of the library."""
    sys.path.insert(0, str(ROOT / "test" / "golden"))
    import tokenizers
    from compare_tokenizers import family_files
    from tokenizer_families import real_texts

    if arguments.text:
        texts = arguments.text.read_text(errors="replace").split("\n\n")
    else:
        texts = [" ".join(words[i : i + 200]) for words in real_texts() for i in range(0, len(words), 200)]
    texts = [text for text in texts if text]
    size = sum(len(text.encode()) for text in texts)
    print(f"{len(texts)} texts, {size / 1e6:.1f} MB, {arguments.threads} threads, tokenizers {tokenizers.__version__}")
    print("| family | tessera, MB/s | encode_batch_fast, MB/s | times |\n|---|---|---|---|")
    found = results.Results("tokenizer")
    files = {path.stem: path for path in family_files()}
    with tempfile.TemporaryDirectory() as name:
        lines, one = pathlib.Path(name) / "texts.jsonl", pathlib.Path(name) / "one.jsonl"
        lines.write_text("".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts))
        one.write_text('{"text": "a"}\n')
        for family in arguments.families or FAMILIES:
            library = tokenizers.Tokenizer.from_file(str(files[family]))

            def run(path, family=family, name=name):
                command = [TESSERA, "tokenize", path, "--tokenizer", files[family], "--no-end"]
                command += [f"--threads={arguments.threads}", "-o", f"{name}/tokens"]
                start = time.perf_counter()
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                return time.perf_counter() - start

            own, loading, theirs = [], [], []
            for _ in range(arguments.rounds):
                own.append(run(lines))
                loading.append(run(one))
                start = time.perf_counter()
                library.encode_batch_fast(texts, add_special_tokens=False)
                theirs.append(time.perf_counter() - start)
            for contender, values in (("Tessera", [a - min(loading) for a in own]), ("tokenizers", theirs)):
                rates = [size / seconds / 1e6 for seconds in values]
                found.add(family, contender, "encoding", "MB/s", rates, better="more")
            mine, theirs = size / (min(own) - min(loading)) / 1e6, size / min(theirs) / 1e6
            print(f"| {family} | {mine:.1f} | {theirs:.1f} | {mine / theirs:.1f} |", flush=True)
    found.write(arguments.json)


def main():
    parser = argparse.ArgumentParser(description="Speed of tokenizing beside PyPI's tokenizers.")
    parser.add_argument("families", nargs="*")
    parser.add_argument("--text", type=pathlib.Path, help="a text file; default: words of many languages")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=3)
    results.add_option(parser, "tokenizer")
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT / "scripts"))
    import torch_environment

    made = torch_environment.make_with_vocabularies()
    torch_environment.enter(made, RAYON_NUM_THREADS=str(arguments.threads))
    inside(arguments)


if __name__ == "__main__":
    main()
