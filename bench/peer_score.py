# ===- peer_score.py - How likely texts are, by transformers ---------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Serves bench/score.py:
#
#   peer_score.py FOLDER THREADS float32|bfloat16
#
# Each line of standard input is the length of texts and the ids of all, one behind
# the other; the answer is a line of JSON: the milliseconds that the log-probabilities
# of all tokens took, behind the model's first token, their sum, and the bytes of memory
# that the process has beside pages of files. One text is scored at a time, and its
# logits in fp32 are one tensor, as lm-evaluation-harness has them.
#
# ===----------------------------------------------------------------------===#

import time

import torch
from peer_generate import own_memory, serve


@torch.inference_mode()
def score(model, texts):
    first = torch.tensor([model.config.bos_token_id])
    total = 0.0
    begin = time.perf_counter()
    for text in texts:
        tokens = torch.cat([first, text[:-1]])
        logits = model(tokens[None], use_cache=False).logits[0].float()
        total -= torch.nn.functional.cross_entropy(logits, text, reduction="sum").item()
    milliseconds = 1e3 * (time.perf_counter() - begin)
    return {"ms": milliseconds, "logprob": total, "memory": own_memory()}


def answer(model, length, *ids):
    return score(model, torch.tensor(ids).reshape(-1, length))


if __name__ == "__main__":
    serve(answer)
