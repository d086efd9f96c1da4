#!/usr/bin/env python3
# ===- large_texts.py - Inputs of the target tokenizer with a long line -----===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
#   test/fuzz/large_texts.py MEGABYTES FOLDER [TOKENIZER...]
#
# Writes an input for each tokenizer.json (by default those of a byte-level model
# and of one that takes a line as one word, of test/golden/tokenizers) with a line
# of text, one of random letters and one of one letter. docs/fuzzing.md says how
# they are run.
#
# ===----------------------------------------------------------------------===#

import json
import pathlib
import random
import sys

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden" / "tokenizers"
LICENCES = pathlib.Path("/usr/share/common-licenses")


def tokenizers(paths):
    for path in map(pathlib.Path, paths):
        yield path.stem, path.read_bytes()
    for name in () if paths else ("llama3", "llama"):
        golden = json.loads((GOLDEN / f"{name}.json").read_text())
        yield name, json.dumps(golden["tokenizer"]).encode()


def lines(size):
    text = b" ".join(path.read_bytes() for path in sorted(LICENCES.iterdir()) if path.is_file())
    text = b" ".join(text.split())
    yield "text", (text * (size // len(text) + 1))[:size]
    alphabet = bytes(97 + byte % 26 for byte in range(256))
    yield "letters", random.Random(1).randbytes(size).translate(alphabet)
    yield "letter", b"a" * size


def main():
    size, folder = 10**6 * int(sys.argv[1]), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for kind, line in lines(size):
        for name, tokenizer in tokenizers(sys.argv[3:]):
            (folder / f"{name}-{kind}").write_bytes(tokenizer + b"\0" + line)


if __name__ == "__main__":
    main()
