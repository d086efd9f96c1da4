# ===- generate_tokenizers.py - Golden files of tokenizers ------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Writes test/golden/tokenizers/NAME.json: a small tokenizer of each family,
# texts, and their ids and decoded texts by the library that is named in
# scripts/torch_environment.py:
#
#   python3 test/golden/generate_tokenizers.py
#
# ===----------------------------------------------------------------------===#

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
SPECIAL = ["<unk>", "<s>", "</s>"]
TEXTS = 30


def train(splits, alphabet=(), size=420):
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from tokenizer_families import real_texts

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(splits)
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=SPECIAL, initial_alphabet=list(alphabet), show_progress=False
    )
    tokenizer.train_from_iterator((" ".join(words) for words in real_texts()[::9]), trainer)
    return json.loads(tokenizer.to_str())["model"]


def families():
    from tokenizers import Regex, pre_tokenizers
    import tokenizer_families as full

    tokens = [full.added(name, i, special=True) for i, name in enumerate(SPECIAL)]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    byte_level = pre_tokenizers.ByteLevel(False, use_regex=False)
    made = {}
    for name, pattern in {"bloom": full.BLOOM, "llama3": full.LLAMA3, "qwen2": full.QWEN2}.items():
        model = train([pre_tokenizers.Split(Regex(pattern), "isolated"), byte_level], alphabet)
        pre_tokenizer = full.split_by(pattern)
        made[name] = full.file({}, [], added_tokens=tokens, pre_tokenizer=pre_tokenizer, decoder=full.byte_level())
        made[name]["model"] = model
    made["llama3"]["model"]["ignore_merges"] = True
    made["llama3"]["post_processor"] = full.template("<s>", 1)
    made["qwen2"]["normalizer"] = {"type": "NFC"}

    model = train([pre_tokenizers.ByteLevel(False)], alphabet)
    flags = [
        ("<a>", {"lstrip": True}),
        ("foo", {"single_word": True, "normalized": True}),
        ("fi", {"normalized": True, "rstrip": True}),
        ("東京", {"special": True, "normalized": True}),
        ("12", {}),
    ]
    more = [full.added(token, len(model["vocab"]) + i, **given) for i, (token, given) in enumerate(flags)]
    parts = {"normalizer": {"type": "NFKC"}, "pre_tokenizer": full.byte_level(), "decoder": full.byte_level()}
    made["flags"] = full.file({}, [], added_tokens=tokens + more, **parts)
    made["flags"]["model"] = model

    model = train([pre_tokenizers.Metaspace()], size=700)
    vocabulary = SPECIAL + [f"<0x{byte:02X}>" for byte in range(256)]
    vocabulary += [token for token in model["vocab"] if token not in SPECIAL]
    whole = full.sentencepiece(normalizer=None)
    model["vocab"] = {token: i for i, token in enumerate(vocabulary)}
    whole["model"] = model | {"unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True}
    space = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    prepend = full.sequence("normalizers", {"type": "Prepend", "prepend": "▁"}, space)
    made["llama"] = whole | {"normalizer": prepend}
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}
    made["mistral"] = whole | {"pre_tokenizer": metaspace}
    return made


def main():
    sys.path.insert(0, str(HERE.parent.parent / "scripts"))
    import torch_environment

    torch_environment.enter()
    import tokenizers
    from tokenizer_families import WORDS, strings

    texts = ["", " ", "Hello world", "<s>a</s>", "a <a> b", " ".join(WORDS)] + strings(TEXTS, 23)
    for name, content in families().items():
        tokenizer = tokenizers.Tokenizer.from_str(json.dumps(content))
        cases = []
        for text in texts:
            ids = tokenizer.encode(text, add_special_tokens=False).ids
            case = {"text": text, "ids": ids, "framed": tokenizer.encode(text).ids}
            case |= {"decoded": tokenizer.decode(ids, False), "plain": tokenizer.decode(ids, True)}
            cases.append(case)
        golden = {"by": f"tokenizers {tokenizers.__version__}", "tokenizer": content, "cases": cases}
        text = json.dumps(golden, ensure_ascii=True, separators=(",", ":"))
        (HERE / "tokenizers" / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
