# ===- compare_tokenizers.py - Ids and texts against the library's ----------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
#   python3 test/golden/compare_tokenizers.py [--texts 100000] [FAMILY ...]
#   python3 test/golden/compare_tokenizers.py --train FILE [--vocabulary N]
#
# Encodes and decodes texts of 30 scripts by `tessera tokenize` and `detokenize`
# and by PyPI's tokenizers, with published vocabularies, and fails where an id
# or a text differs. --train compares what both learn from a file.
#
# ===----------------------------------------------------------------------===#

import argparse
import array
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = pathlib.Path(os.environ.get("TESSERA_BUILD", ROOT / "build"))
TESSERA = BUILD / "bin" / "tessera"


def read_pair(prefix):
    index = pathlib.Path(f"{prefix}.idx").read_bytes()
    code, sequences = struct.unpack_from("<BQ", index, 17)
    tokens = array.array({8: "H", 4: "i"}[code])
    tokens.frombytes(pathlib.Path(f"{prefix}.bin").read_bytes())
    at, documents = 0, []
    for length in struct.unpack_from(f"<{sequences}i", index, 34):
        documents.append(tokens[at : at + length].tolist())
        at += length
    return documents


def family_files():
    """The tokenizer.json of each family, made once."""
    import tokenizer_families

    folder = BUILD / "tokenizers"
    stamp = folder / "complete"
    source = (HERE / "tokenizer_families.py").read_text()
    if not stamp.exists() or stamp.read_text() != source:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in tokenizer_families.families().items():
            (folder / f"{name}.json").write_text(json.dumps(content, ensure_ascii=False))
        stamp.write_text(source)
    return sorted(folder.glob("*.json"))


def count_differences(path, texts, lines, folder):
    """Of ids and of decoded texts, special tokens found and added."""
    import tokenizers

    library = tokenizers.Tokenizer.from_file(str(path))
    prefix, again = folder / "tokens", folder / "again.jsonl"
    command = [TESSERA, "tokenize", lines, "--tokenizer", path, "--no-end", "-o", prefix]
    ids = texts_differ = 0
    for options in ([], ["--add-special"], ["--special-as-text"]):
        library.encode_special_tokens = "--special-as-text" in options
        wanted = library.encode_batch_fast(texts, add_special_tokens="--add-special" in options)
        wanted = [encoding.ids for encoding in wanted]
        start = time.time()
        subprocess.run([*command, *options], check=True, stdout=subprocess.DEVNULL)
        taken = time.time() - start
        found = read_pair(prefix)
        assert len(found) == len(wanted), "a document is missing"
        ids += sum(a != b for a, b in zip(found, wanted, strict=True))
    for options in ([], ["--keep-special"]):
        decoded = library.decode_batch(found, skip_special_tokens=not options)
        subprocess.run([TESSERA, "detokenize", prefix, "--tokenizer", path, "-o", again, *options], check=True)
        with again.open() as stream:
            mine = [json.loads(line)["text"] for line in stream]
        texts_differ += sum(a != b for a, b in zip(mine, decoded, strict=True))
    tokens = sum(map(len, found))
    print(f"{path.stem}: {ids} of {3 * len(texts)} differ, decoded {texts_differ} of {2 * len(texts)}", end="")
    print(f" ({tokens} tokens, {taken:.1f} s)", flush=True)
    return ids + texts_differ


def compare_training(text, size):
    """Vocabulary and merges of BLOOM's split, as BpeTrainer learns them."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers
    from tokenizer_families import BLOOM

    special = ["<unk>", "<s>", "</s>", "<pad>"]
    with tempfile.TemporaryDirectory() as name:
        learned = pathlib.Path(name) / "tokenizer.json"
        start = time.time()
        subprocess.run([TESSERA, "train-tokenizer", text, f"--vocabulary={size}", "-o", learned], check=True)
        own = time.time() - start
        mine = json.loads(learned.read_text())["model"]
    library = Tokenizer(models.BPE())
    splits = [pre_tokenizers.Split(Regex(BLOOM), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]
    library.pre_tokenizer = pre_tokenizers.Sequence(splits)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    start = time.time()
    library.train([str(text)], trainer)
    taken = time.time() - start
    wanted = json.loads(library.to_str())["model"]
    same = mine["merges"] == wanted["merges"] and mine["vocab"] == wanted["vocab"]
    print(f"{len(wanted['merges'])} merges: {'equal' if same else 'DIFFERENT'} ({own:.1f} s, BpeTrainer {taken:.1f} s)")
    return not same


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("families", nargs="*")
    parser.add_argument("--texts", type=int, default=100000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--train", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--vocabulary", type=int, default=32000)
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT / "scripts"))
    import torch_environment

    torch_environment.enter(torch_environment.make_with_vocabularies())
    if arguments.train:
        return compare_training(arguments.train, arguments.vocabulary)
    from tokenizer_families import strings

    # One in twenty is empty.
    texts = [text for text in strings(arguments.texts * 6 // 5, arguments.seed) if text][: arguments.texts]
    differences = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        lines = folder / "texts.jsonl"
        lines.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        for path in family_files():
            if not arguments.families or path.stem in arguments.families:
                differences += count_differences(path, texts, lines, folder)
    return differences > 0


if __name__ == "__main__":
    sys.exit(main())
