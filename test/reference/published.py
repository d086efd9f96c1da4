#!/usr/bin/env python3
# ===- published.py - Whether transformers loads what is saved -------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Trains the folders of test/golden/published for some steps on two ranks at stage 3, has
# transformers load what --save and export write, and compares its loss with that of eval.
# Exits with 1 where a tensor is missing or unexpected or a loss is another.
#
#   TESSERA_BUILD=build python3 test/reference/published.py
#
# ===----------------------------------------------------------------------===#

import json
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "test" / "end-to-end")]

if __name__ == "__main__" and "TESSERA_REFERENCE" not in os.environ:
    import torch_environment

    python, environment = torch_environment.make()
    environment |= {"TESSERA_REFERENCE": "1", "HF_HUB_OFFLINE": "1"}
    os.execve(python, [str(python), *sys.argv], environment)

import numpy
import support
import torch
import transformers


def loss_of(folder, tokens, sequence):
    """transformers' loss of samples that follow one another."""
    model, info = transformers.AutoModelForCausalLM.from_pretrained(
        folder, output_loading_info=True, dtype=torch.float32
    )
    found = {kind: names for kind, names in info.items() if names}
    if found:
        raise SystemExit(f"{folder}: {found}")
    text = torch.from_numpy(numpy.fromfile(tokens, numpy.uint16).astype(numpy.int64))
    with torch.no_grad():
        logits = model.eval()(text[:-1].view(-1, sequence)).logits
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), text[1:]).item()


def check(name):
    folder = support.GOLDEN / "published" / name
    sequence = json.loads((folder / "expected.json").read_text())["sequence"]
    out = support.scratch(f"reference-{name}")
    specification = out / "model.textproto"
    length = f"transformer.sequence_length={sequence}"
    support.run([support.TESSERA, "import", folder, "-o", specification, "--set", length])
    executable = support.compile(
        specification,
        out / "model",
        parallel__world=2,
        parallel__zero_stage=3,
        training__global_batch=6,
    )
    tokens = folder / "tokens.bin"
    data = ["--data", tokens, "--data-type", "u16"]
    train = [*support.launcher(2), executable, "train", *data, "--init", folder]
    train += ["--steps", 3, "--checkpoint-dir", out / "checkpoints", "--save", out / "saved"]
    support.run(train)
    export = [executable, "export", "--checkpoint-dir", out / "checkpoints"]
    support.run([*export, "--out", out / "shards", "--shard-bytes", "10kB", "--like", folder])
    support.run([*export, "--out", out / "rounded", "--dtype", "bf16"])
    for saved in ("saved", "shards", "rounded"):
        done = support.run([executable, "eval", *data, "--init", out / saved])
        ours = float(re.search(r"loss +(\S+)", done.stdout)[1])
        theirs = loss_of(out / saved, tokens, sequence)
        print(f"{name} {saved}: {ours:.7f}, transformers {transformers.__version__} {theirs:.7f}")
        if abs(ours / theirs - 1) > 1e-6:
            raise SystemExit(1)


if __name__ == "__main__":
    for model in ("bloom", "gpt2", "llama", "mistral", "qwen2", "qwen3"):
        check(model)
