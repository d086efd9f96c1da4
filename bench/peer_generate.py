# ===- peer_generate.py - Texts by transformers -----------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Serves bench/generate.py as bench/llama does:
#
#   peer_generate.py FOLDER THREADS float32|float16|bfloat16
#
# Each line of standard input is a number of tokens to write, a number of texts and
# the ids of their prompts, which are equally long; the answer is a line of JSON: the
# milliseconds until each text has its first token, those of all later ones, the
# tokens, and the bytes of memory that the process has beside pages of files. The
# loop is that of a greedy `generate` without its processors, which cost more.
#
# ===----------------------------------------------------------------------===#

import json
import pathlib
import re
import sys
import time

import torch
from transformers import AutoModelForCausalLM, DynamicCache


def own_memory():
    status = pathlib.Path("/proc/self/status").read_text()
    return 1024 * sum(map(int, re.findall(r"Rss(?:Anon|Shmem):\s+(\d+) kB", status)))


@torch.inference_mode()
def generate(model, prompts, count):
    cache = DynamicCache(config=model.config)
    written = []
    begin = time.perf_counter()
    tokens = prompts
    for step in range(count):
        output = model(tokens, past_key_values=cache, use_cache=True, logits_to_keep=1)
        tokens = output.logits[:, -1].argmax(-1, keepdim=True)
        written.append(tokens)
        if step == 0:
            prompted = time.perf_counter()
    end = time.perf_counter()
    return {
        "prompt_ms": 1e3 * (prompted - begin),
        "decode_ms": 1e3 * (end - prompted),
        "tokens": torch.cat(written, 1).tolist(),
        "memory": own_memory(),
    }


def serve(answer):
    """Answers each line by what `answer` says of the model and the line's numbers."""
    folder, threads, kind = sys.argv[1:]
    torch.set_num_threads(int(threads))
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, kind)).eval()
    # Weights that are not cast lie in the file's pages, which are small.
    if kind == "float32":
        for weight in model.parameters():
            weight.data = weight.data.clone()
    print("ready", flush=True)
    for line in sys.stdin:
        if not line.strip():
            break
        print(json.dumps(answer(model, *map(int, line.split()))), flush=True)


def answer(model, count, texts, *ids):
    return generate(model, torch.tensor(ids).reshape(texts, -1), count)


if __name__ == "__main__":
    serve(answer)
