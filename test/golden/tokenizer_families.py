# ===- tokenizer_families.py - Tokenizers of each family, and texts ---------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# The tokenizer.json of each family, from vocabularies that packages hold, and
# texts of 30 scripts. Runs with the Python of scripts/torch_environment.py, which
# installs those packages when it is asked to.
#
# ===----------------------------------------------------------------------===#

import base64
import importlib.util
import json
import pathlib
import random
import re
import struct
import sys

SITE = pathlib.Path(importlib.util.find_spec("tokenizers").origin).parent.parent

BLOOM = " ?[^(\\s|[.,!?…。，、।۔،])]+"
CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
LLAMA3 = CONTRACTIONS + (
    r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace("{1,3}", "")
QWEN35 = QWEN2.replace(r"\p{L}+", r"[\p{L}\p{M}]+").replace(r"[^\s\p{L}\p{N}]", r"[^\s\p{L}\p{M}\p{N}]")

# Scripts with ranges of code points that Unicode 14 has.
SCRIPTS = {
    "latin": [(0x41, 0x5A), (0x61, 0x7A), (0xC0, 0x17F)],
    "greek": [(0x391, 0x3A1), (0x3B1, 0x3C9)],
    "cyrillic": [(0x410, 0x44F)],
    "armenian": [(0x531, 0x556), (0x561, 0x587)],
    "hebrew": [(0x5D0, 0x5EA), (0x5B0, 0x5B9)],
    "arabic": [(0x627, 0x64A), (0x64B, 0x652), (0x660, 0x669)],
    "syriac": [(0x710, 0x72F), (0x730, 0x74A)],
    "thaana": [(0x780, 0x7B1)],
    "nko": [(0x7C0, 0x7EA)],
    "devanagari": [(0x904, 0x939), (0x93E, 0x94D), (0x966, 0x96F), (0x964, 0x965)],
    "bengali": [(0x985, 0x98C), (0x995, 0x9A8), (0x9BE, 0x9C4)],
    "gurmukhi": [(0xA05, 0xA0A), (0xA15, 0xA28), (0xA3E, 0xA42)],
    "gujarati": [(0xA85, 0xA8D), (0xA95, 0xAA8), (0xABE, 0xAC5)],
    "oriya": [(0xB05, 0xB0C), (0xB15, 0xB28), (0xB3E, 0xB44)],
    "tamil": [(0xB85, 0xB8A), (0xB95, 0xB95), (0xBAE, 0xBB9), (0xBBE, 0xBC2)],
    "telugu": [(0xC05, 0xC0C), (0xC15, 0xC28), (0xC3E, 0xC44)],
    "kannada": [(0xC85, 0xC8C), (0xC95, 0xCA8), (0xCBE, 0xCC4)],
    "malayalam": [(0xD05, 0xD0C), (0xD15, 0xD3A), (0xD3E, 0xD44)],
    "sinhala": [(0xD85, 0xD96), (0xD9A, 0xDB1), (0xDCF, 0xDD4)],
    "thai": [(0xE01, 0xE3A), (0xE40, 0xE5B)],
    "lao": [(0xE81, 0xE82), (0xE94, 0xE97), (0xEB0, 0xEB9)],
    "tibetan": [(0xF40, 0xF47), (0xF71, 0xF84), (0xF20, 0xF33)],
    "myanmar": [(0x1000, 0x1049)],
    "georgian": [(0x10D0, 0x10FA), (0x1C90, 0x1CBA)],
    "ethiopic": [(0x1200, 0x1248)],
    "khmer": [(0x1780, 0x17D3), (0x17E0, 0x17E9)],
    "mongolian": [(0x1820, 0x1842), (0x1810, 0x1819)],
    "hangul": [(0xAC00, 0xD7A3), (0x1100, 0x1112), (0x1161, 0x1175)],
    "kana": [(0x3041, 0x3096), (0x30A1, 0x30FA), (0xFF66, 0xFF9D)],
    "han": [(0x4E00, 0x9FFC), (0x3400, 0x3410), (0x20000, 0x20010)],
    "vai": [(0xA500, 0xA62B)],
    "cuneiform": [(0x12000, 0x12050), (0x12400, 0x12410)],
    "mathematics": [(0x1D400, 0x1D454), (0x2200, 0x22FF), (0x1D7CE, 0x1D7FF)],
    "emoji": [(0x1F300, 0x1F5FF), (0x1F600, 0x1F64F), (0x200D, 0x200D), (0xFE0F, 0xFE0F)],
}
MARKS = list(range(0x300, 0x340)) + [0x345, 0x3099, 0x309A, 0x653, 0x94D, 0x5BF]
SPACES = [0x20] * 12 + [0x0A, 0x0A, 0x09, 0x0D, 0x0B, 0x0C, 0x1C, 0x1F, 0x85, 0xA0, 0x1680, 0x180E]
SPACES += [0x2000, 0x200A, 0x200B, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF]
ASCII = [chr(c) for c in range(0x21, 0x7F)]
OTHERS = list("…。，、।۔،،؛„“”’‘–—·•€§²³½Ⅳⅷßſŉﬁﬅﬓ①⑩㈠㍿℡Å…︙﹏，！？：；▁▁▁ĠĊ\u0000\u0007\u007f\ufffd")
WORDS = "'s 't 're 've 'm 'll 'd 'S 'T 'RE 'Ve 'LL 'ſ I'm we'll it's 12345 3.14159 foo(bar) <0x41> <s> </s> <unk>"
WORDS = WORDS.split() + ["<|endoftext|>", "<|begin_of_text|>", "<|im_start|>", "\r\n", "\n\n\n", " \n ", "  ", "   "]


def real_texts():
    """Lists of words and sentences, a locale each."""
    texts = []
    for path in sorted((SITE / "faker" / "providers").glob("*/*/__init__.py")):
        found = re.findall(r'"((?:[^"\\\n])+)"', path.read_text())
        if len(found) > 20:
            texts.append(found)
    return texts


def strings(count, seed):
    """Texts of all scripts, mixed; some of real words."""
    random_number = random.Random(seed)
    real = real_texts()
    names = list(SCRIPTS)

    def character(script):
        low, high = random_number.choice(SCRIPTS[script])
        return chr(random_number.randint(low, high))

    def word(script):
        text = "".join(character(script) for _ in range(random_number.randint(1, 9)))
        if random_number.random() < 0.1:
            text += chr(random_number.choice(MARKS))
        return text

    def part(script):
        kind = random_number.random()
        if kind < 0.5:
            return word(script)
        if kind < 0.6:
            return random_number.choice(WORDS)
        if kind < 0.7:
            return random_number.choice(OTHERS)
        if kind < 0.8:
            return "".join(random_number.choice(ASCII) for _ in range(random_number.randint(1, 4)))
        if kind < 0.85:
            return str(random_number.randint(0, 10 ** random_number.randint(1, 9)))
        return chr(random_number.choice(SPACES)) * random_number.randint(1, 3)

    made = []
    for number in range(count):
        if number % 3 == 0:
            words = random_number.choice(real)
            made.append(" ".join(random_number.choices(words, k=random_number.randint(1, 8))))
            continue
        script = names[number % len(names)]
        parts = []
        for _ in range(random_number.randint(0, 12)):
            chosen = script if random_number.random() < 0.8 else random_number.choice(names)
            parts.append(part(chosen))
            if random_number.random() < 0.4:
                parts.append(" ")
        made.append("".join(parts))
    return made


def byte_characters():
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in kept]
    return {b: chr(b) for b in kept} | {b: chr(256 + i) for i, b in enumerate(rest)}


BYTES = byte_characters()


def spell(token):
    return "".join(BYTES[b] for b in token)


def from_ranks(text):
    """Vocabulary and merges of a file of tiktoken: a token and its rank on each line."""
    ranks = {}
    for line in text.splitlines():
        if line:
            token, rank = line.split()
            ranks[base64.b64decode(token)] = int(rank)
    merges = []
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        if len(token) == 1:
            continue
        parts = [bytes([b]) for b in token]
        while len(parts) > 2:
            best = min(range(len(parts) - 1), key=lambda i: ranks.get(parts[i] + parts[i + 1], 1 << 30))
            if ranks.get(parts[best] + parts[best + 1], 1 << 30) >= rank:
                break
            parts[best : best + 2] = [parts[best] + parts[best + 1]]
        # A word of the vocabulary that no two others make has no merge.
        if len(parts) == 2:
            merges.append([spell(parts[0]), spell(parts[1])])
    return {spell(token): rank for token, rank in ranks.items()}, merges


def from_sentencepiece(data):
    """Vocabulary and merges of a SentencePiece model: a protobuf, whose field 1 is a piece."""

    def varint(at):
        value = shift = 0
        while True:
            byte = data[at]
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                return value, at

    def fields(at, end):
        while at < end:
            tag, at = varint(at)
            if tag & 7 == 0:
                value, at = varint(at)
            elif tag & 7 == 5:
                value, at = data[at : at + 4], at + 4
            elif tag & 7 == 1:
                value, at = data[at : at + 8], at + 8
            else:
                length, at = varint(at)
                value, at = (at, at + length), at + length
            yield tag >> 3, value

    pieces = []
    for field, value in fields(0, len(data)):
        if field == 1:
            piece = {number: content for number, content in fields(*value)}
            low, high = piece[1]
            score = struct.unpack("<f", piece[2])[0] if 2 in piece else 0.0
            pieces.append((data[low:high].decode(), score))
    vocabulary = {piece: i for i, (piece, _) in enumerate(pieces)}
    scores = dict(pieces)
    merges = []
    for piece, score in pieces:
        for cut in range(1, len(piece)):
            left, right = piece[:cut], piece[cut:]
            if left in vocabulary and right in vocabulary:
                merges.append((left, right, score))
    merges.sort(key=lambda merge: (-merge[2], vocabulary[merge[0]], vocabulary[merge[1]]))
    return vocabulary, [[left, right] for left, right, _ in merges]


def added(token, number, **flags):
    names = ["single_word", "lstrip", "rstrip", "normalized", "special"]
    return {"id": number, "content": token} | {name: flags.get(name, False) for name in names}


def file(vocabulary, merges, **parts):
    model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None}
    model |= {"end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False}
    model |= parts.pop("model", {})
    keys = ["truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder"]
    whole = {"version": "1.0"} | {key: [] if key == "added_tokens" else None for key in keys} | parts
    return whole | {"model": model | {"vocab": vocabulary, "merges": merges}}


def split(pattern, behavior="Isolated", invert=False, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


def sequence(key, *steps):
    return {"type": "Sequence", key: list(steps)}


def byte_level(**fields):
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True} | fields


def template(token, number):
    text = {"Sequence": {"id": "A", "type_id": 0}}
    begin = {"SpecialToken": {"id": token, "type_id": 0}}
    tokens = {token: {"id": token, "ids": [number], "tokens": [token]}}
    pair = [begin, text, {"Sequence": {"id": "B", "type_id": 1}}]
    return {"type": "TemplateProcessing", "single": [begin, text], "pair": pair, "special_tokens": tokens}


def split_by(pattern):
    return sequence("pretokenizers", split(pattern), byte_level(use_regex=False))


def gpt2(extra=()):
    vocabulary, merges = from_ranks((SITE / "whisper/assets/gpt2.tiktoken").read_text())
    tokens = [added("<|endoftext|>", 50256, special=True), *extra]
    return file(vocabulary, merges, added_tokens=tokens, pre_tokenizer=byte_level(), decoder=byte_level())


def sentencepiece(**parts):
    data = (SITE / "mistral_common/data/tokenizer.model.v1").read_bytes()
    vocabulary, merges = from_sentencepiece(data)
    tokens = [added(name, i, special=True) for i, name in enumerate(["<unk>", "<s>", "</s>"])]
    model = {"unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True}
    decoders = [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}]
    decoders += [{"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]
    parts = {"post_processor": template("<s>", 1), "decoder": sequence("decoders", *decoders)} | parts
    return file(vocabulary, merges, added_tokens=tokens, model=model, **parts)


def flagged():
    """GPT-2 with added tokens of all flags, some of which overlap."""
    random_number = random.Random(11)
    tokens = ["<a>", "<a><b>", "foo", "foobar", "é", "ﬁx", "the", " the ", "<|im_start|>", "東京", "'s", "\n\n", "İ"]
    tokens += ["ab", "abc", "bc", "c", "한국", "_", "12", "<0x41>", "A\u0301", "ç", "=="]
    names = ["single_word", "lstrip", "rstrip", "normalized", "special"]
    # A token that the vocabulary has keeps its id there.
    whole = gpt2()
    vocabulary = whole["model"]["vocab"]
    number = 50257
    for token in tokens:
        flags = {name: random_number.random() < 0.4 for name in names}
        whole["added_tokens"].append(added(token, vocabulary.get(token, number), **flags))
        number += token not in vocabulary
    return whole


def trained(directory):
    """A small BLOOM: its own vocabulary is in no package."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    splits = [pre_tokenizers.Split(Regex(BLOOM), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(splits)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<unk>", "<s>", "</s>", "<pad>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=12000, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator((" ".join(words) for words in real_texts()), trainer)
    return json.loads(tokenizer.to_str())


def families():
    """The tokenizer.json of each family, by name."""
    made = {"bloom": trained(None), "gpt2": gpt2()}
    vocabulary, merges = from_ranks((SITE / "llama_models/llama3/tokenizer.model").read_text())
    names = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|eot_id|>"]
    tokens = [added(name, 128000 + i, special=True) for i, name in enumerate(names)]
    made["llama3"] = file(
        vocabulary,
        merges,
        added_tokens=tokens,
        pre_tokenizer=split_by(LLAMA3),
        post_processor=sequence("processors", byte_level(), template(names[0], 128000)),
        decoder=byte_level(),
        model={"ignore_merges": True},
    )
    vocabulary, merges = from_ranks((SITE / "dashscope/resources/qwen.tiktoken").read_text())
    names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokens = [added(name, len(vocabulary) + i, special=True) for i, name in enumerate(names)]
    for name, pattern in {"qwen2": QWEN2, "qwen35": QWEN35}.items():
        made[name] = file(
            vocabulary,
            merges,
            added_tokens=tokens,
            normalizer={"type": "NFC"},
            pre_tokenizer=split_by(pattern),
            decoder=byte_level(),
        )
    space = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    made["llama"] = sentencepiece(
        normalizer=sequence("normalizers", {"type": "Prepend", "prepend": "▁"}, space), pre_tokenizer=None
    )
    for scheme in ["first", "always", "never"]:
        metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": scheme == "always"}
        decoder = {} if scheme == "first" else {"decoder": metaspace}
        made[f"metaspace-{scheme}"] = sentencepiece(pre_tokenizer=metaspace, **decoder)
    for name in ["anthropic", "deepseek"]:
        path = SITE / "litellm/litellm_core_utils/tokenizers" / f"{name}_tokenizer.json"
        made[name] = json.loads(path.read_text())
    made["flags"] = flagged()
    made["flags-nfkc"] = flagged() | {"normalizer": {"type": "NFKC"}}
    made["prefix"] = gpt2() | {"pre_tokenizer": byte_level(add_prefix_space=True)}
    behaviors = ["Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
    for behavior in behaviors:
        steps = [split(r"\p{N}|[aeiou]+|\s*", behavior, invert=behavior == "Contiguous"), split("e", behavior, kind="String")]
        steps += [{"type": "Digits", "individual_digits": behavior == "Removed"}, byte_level()]
        made[f"split-{behavior.lower()}"] = gpt2() | {"pre_tokenizer": sequence("pretokenizers", *steps)}
    return made


def main():
    folder = pathlib.Path(sys.argv[1])
    for name, content in families().items():
        (folder / f"{name}.json").write_text(json.dumps(content, ensure_ascii=False))


if __name__ == "__main__":
    main()
