#!/usr/bin/env python3
# ===- make_corpus.py - The binary part of the fuzz targets' corpora -------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
#   test/fuzz/make_corpus.py [FOLDER]
#
# Writes small files of each kind into FOLDER/SUBJECT (test/fuzz/corpus): those
# that are right, and one of each kind that was once read wrongly or is easily
# so. Texts (specifications and modules) are written by hand.
#
# ===----------------------------------------------------------------------===#

import json
import pathlib
import struct
import sys

SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1,
         "BOOL": 1, "F8_E4M3": 1}  # fmt: skip
FORMATS = {"F64": "d", "F32": "f", "I64": "q", "I32": "i", "I16": "h", "I8": "b", "U8": "B", "BOOL": "B"}


def pack(dtype, values):
    return struct.pack(f"<{len(values)}{FORMATS[dtype]}", *values)


def tensors(entries, metadata=None):
    """A safetensors file of {name: (dtype, shape, bytes)}."""
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, (dtype, shape, content) in entries.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    return tensor_file(json.dumps(header).encode(), data)


def tensor_file(header, data, length=None):
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def safetensors():
    matrix = ("F32", [2, 3], pack("F32", [1, 2, 3, 4, 5, 6]))
    entry = b'{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}'
    yield "matrix", tensors({"a": matrix, "b": ("BF16", [2], b"\0\1\2\3")}, {"format": "pt"})
    yield "scalar-and-empty", tensors({"a": ("F16", [], b"\0\x3c"), "b": ("I64", [0, 4], b"")})
    yield "alias", tensors({"transformer.wte.weight": matrix}, {"lm_head.weight": "transformer.wte.weight"})
    yield "unknown-type", tensors({"a": matrix, "b": ("F8_E4M3", [3], b"abc")})
    yield "no-tensors", tensor_file(b"{}", b"")
    yield "trailing-bytes", tensors({"a": matrix}) + b"xx"
    yield "overlap", tensor_file(entry + b',"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}', b"abc")
    yield "hole", tensor_file(entry + b',"b":{"dtype":"U8","shape":[2],"data_offsets":[3,5]}}', b"abcde")
    yield "twice", tensor_file(entry + b"," + entry[1:] + b"}", b"ab")
    yield "fraction", tensor_file(entry.replace(b"[2]", b"[2.0]") + b"}", b"ab")
    yield "huge-shape", tensor_file(entry.replace(b"[2]", b"[4294967296,4294967296]") + b"}", b"ab")
    yield "nul", tensor_file(entry + b"}\0{}", b"ab")
    yield "nested", tensor_file(entry[:-1] + b',"c":' + b"[" * 200 + b"]" * 200 + b"}}", b"ab")
    yield "long-header", tensor_file(entry + b"}", b"ab", length=1 << 62)
    yield "short", b"\2\0\0\0"


def graph_entries(**changes):
    """Nine nodes on a ring, three classes."""
    nodes, edges = 9, [list(range(9)), [(i + 1) % 9 for i in range(9)]]
    entries = {
        "x": ("F32", [nodes, 2], pack("F32", [0.5 * i for i in range(18)])),
        "edge_index": ("I64", [2, 9], pack("I64", edges[0] + edges[1])),
        "y": ("I64", [nodes], pack("I64", [i % 3 for i in range(nodes)])),
    }
    for split, name in enumerate(["train_mask", "val_mask", "test_mask"]):
        entries[name] = ("BOOL", [nodes], pack("BOOL", [int(i % 3 == split) for i in range(nodes)]))
    entries.update(changes)
    return {name: entry for name, entry in entries.items() if entry}


def graph():
    ring = list(range(9)) + [(i + 1) % 9 for i in range(9)]
    y = [i % 3 for i in range(9)]
    yield "ring", tensors(graph_entries())
    yield "u8-edges", tensors(graph_entries(edge_index=("U8", [2, 9], pack("U8", ring))))
    yield "u8-labels", tensors(graph_entries(y=("U8", [9], pack("U8", y))))
    yield "i16-and-f64", tensors(
        graph_entries(y=("I16", [9], pack("I16", y)), x=("F64", [9, 2], pack("F64", [0.5] * 18)))
    )
    yield "bool-features", tensors(graph_entries(x=("BOOL", [9, 2], pack("BOOL", [1, 0] * 9))))
    yield "y-n-by-1", tensors(graph_entries(y=("I64", [9, 1], pack("I64", y))))
    yield "masks-n-by-10", tensors(graph_entries(train_mask=("BOOL", [9, 2], b"\1\0" * 9)))
    yield "unlabelled", tensors(graph_entries(y=("I64", [9], pack("I64", [-1] + y[1:])), train_mask=("BOOL", [9], b"\0" + b"\1" * 8)))
    yield "label-too-large", tensors(graph_entries(y=("I64", [9], pack("I64", [1 << 40] + y[1:]))))
    yield "node-outside", tensors(graph_entries(edge_index=("I64", [2, 9], pack("I64", [9] + ring[1:]))))
    yield "nan", tensors(graph_entries(x=("F32", [9, 2], pack("F32", [float("nan")] + [1.0] * 17))))
    yield "edge-weight", tensors(graph_entries(edge_weight=("F32", [9], pack("F32", [0.5] * 9))))
    yield "edge-attr", tensors(graph_entries(edge_attr=("F32", [9, 1], pack("F32", [0.5] * 8 + [float("inf")]))))
    yield "no-edges", tensors(graph_entries(edge_index=("I64", [2, 0], b"")))
    yield "no-masks", tensors(graph_entries(train_mask=None, val_mask=None))
    yield "extra-f8", tensors(graph_entries(z=("F8_E4M3", [3], b"abc")))
    yield "sparse", tensors(
        graph_entries(
            x=None,
            **{
                "x.indptr": ("I64", [10], pack("I64", list(range(10)))),
                "x.indices": ("I32", [9], pack("I32", [i % 2 for i in range(9)])),
            },
        )
    )


PAIR, PLAIN, BIN, INDEX = range(4)
TYPES = {"": 0, "u8": 1, "u16": 2, "i32": 3}


def token_input(files, content, index=b"", dtype="", vocabulary=256):
    return struct.pack("<BBqI", files, TYPES[dtype], vocabulary, len(index)) + index + content


def mmididx(code, size, lengths, documents=2, offsets=None):
    if offsets is None:
        offsets = [size * sum(lengths[:i]) for i in range(len(lengths))]
    return (
        b"MMIDIDX\0\0"
        + struct.pack("<QBqq", 1, code, len(lengths), documents)
        + struct.pack(f"<{len(lengths)}i{len(offsets)}q", *lengths, *offsets)
        + struct.pack(f"<{documents}q", *range(documents))
    )


def tokens():
    words = [5, 1, 2, 3, 9, 7, 0, 4]
    as_i32, as_u16 = struct.pack("<8i", *words), struct.pack("<8H", *words)
    llmc = struct.pack("<3i", 20240520, 1, 8) + bytes(1012) + as_u16
    yield "pair", token_input(PAIR, as_i32, mmididx(4, 4, [3, 5]), vocabulary=10)
    yield "pair-u16", token_input(PAIR, as_u16, mmididx(8, 2, [8]), vocabulary=10)
    yield "pair-strange", token_input(PAIR, as_i32, mmididx(4, 4, [8]), vocabulary=9)
    yield "pair-i64", token_input(PAIR, struct.pack("<4q", 1, -1, 1 << 40, 2), mmididx(5, 8, [4]))
    yield "pair-floats", token_input(PAIR, as_i32, mmididx(6, 4, [8]))
    yield "pair-rest", token_input(PAIR, as_i32 + b"xxxx", mmididx(4, 4, [8]))
    yield "pair-out-of-order", token_input(PAIR, as_i32, mmididx(4, 4, [3, 5], offsets=[20, 0]))
    yield "pair-huge", token_input(PAIR, as_i32, mmididx(4, 4, [2**31 - 1] * 4))
    yield "pair-counts", token_input(PAIR, as_i32, mmididx(4, 4, [8]).replace(struct.pack("<q", 1), struct.pack("<q", 2**61), 1))
    yield "index-alone", token_input(INDEX, b"", mmididx(4, 4, [8]))
    yield "text", token_input(PLAIN, b"tiles of glass and stone")
    yield "text-utf-16", token_input(PLAIN, "tiles".encode("utf-16"))
    yield "nanogpt", token_input(BIN, as_u16, dtype="u16", vocabulary=10)
    yield "bin-without-type", token_input(BIN, as_u16)
    yield "odd-bytes", token_input(BIN, as_u16 + b"x", dtype="u16")
    yield "i32", token_input(PLAIN, struct.pack("<3i", 1, -1, 2), dtype="i32")
    yield "llmc", token_input(BIN, llmc, vocabulary=10)
    yield "llmc-cut", token_input(BIN, llmc[:-2])
    yield "llmc-u32", token_input(BIN, struct.pack("<3i", 20240801, 7, 2) + bytes(1012) + struct.pack("<2I", 1, 2**31))
    yield "gzip", token_input(PLAIN, b"\x1f\x8b\x08\0\0\0\0\0tiles")
    yield "npy", token_input(PLAIN, b"\x93NUMPY\1\0tiles")
    yield "empty", token_input(PLAIN, b"")


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def sealed(index):
    text = json.dumps(index)[:-1].encode()
    return text + b',\n"checksum": "%08x"}\n' % crc32c(text)


def index(**changes):
    """Parameters w [4, 6] and b [6] over two ranks."""
    pieces, files = {0: [(0, 0, 12), (1, 0, 2)], 1: [(0, 12, 24), (1, 2, 6)]}, []
    for rank, ranges in pieces.items():
        at, listed = 100, []
        for state in ["weight", "exp_avg", "exp_avg_sq"]:
            for parameter, begin, end in ranges:
                listed.append([state, parameter, begin, end, "F32", at])
                at += 4 * (end - begin)
        files.append({"name": f"rank-0000{rank}.safetensors", "bytes": at, "pieces": listed})
    whole = {
        "tessera_checkpoint": 2,
        "model": "fake",
        "world": 2,
        "stage": 1,
        "block_bytes": 4 << 20,
        "parameters": [{"name": "w", "shape": [4, 6]}, {"name": "b", "shape": [6]}],
        "files": files,
        "progress": {
            "step": 3,
            "samples": 24,
            "seed": 1,
            "order": "shuffled",
            "skipped": 1,
            "skipped_in_row": 0,
            "loss_scale": {"scale": 1.0, "good_steps": 0, "overflows": 0},
            "losses": {"count": 3, "mean": 1.25, "variance": 2e-9},
        },
        "checksums": [["12345678"], ["9abcdef0"]],
    }
    for path, value in changes.items():
        place = whole
        *way, last = path.split("__")
        for key in way:
            place = place[int(key) if key.isdigit() else key]
        place[int(last) if last.isdigit() else last] = value
    return sealed(whole)


def checkpoint():
    yield "whole", index()
    yield "negative-samples", index(progress__samples=-1)
    yield "huge-step", index(progress__step=10**18)
    yield "skips-beyond-steps", index(progress__skipped=4)
    yield "unknown-order", index(progress__order="random")
    yield "piece-in-header", index(files__0__pieces__0=["weight", 0, 0, 12, "F32", 4])
    yield "size-overflows", index(files__0__bytes=2**63 - 1)
    yield "shape-overflows", index(parameters__0__shape=[2**40, 2**40])
    yield "no-checksums", index(checksums=[["12345678"], []])
    yield "tiny-blocks", index(block_bytes=1)
    yield "infinite-scale", index(progress__loss_scale__scale=1e300)
    yield "nul", index().replace(b"fake", b"f\0ke")
    yield "other-seal", index()[:-4] + b'0"}\n'
    yield "verdict", json.dumps(
        {"bytes": 16, "checksum": 1, "modified": 1, "tokens": 4, "type": "i32 tokens", "vocabulary": 10},
        separators=(",", ":"),
    ).encode()


def tokenizer():
    text = "Hello  (wörld) 's <s>foo\r\n\n東京 12345 😀 é x</s>".encode() + b"\xff\xe2\x82"
    flags = ["lstrip", "rstrip", "single_word", "normalized", "special"]
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    characters = [chr(byte) for byte in kept] + [chr(256 + i) for i in range(68)]

    def added(*tokens):
        return [
            {"id": number, "content": content} | {flag: flag in given for flag in flags}
            for number, content, *given in tokens
        ]

    def whole(vocabulary, merges, model=(), **parts):
        vocabulary = {token: i for i, token in enumerate(vocabulary)}
        content = {"version": "1.0", **parts, "model": {"type": "BPE", **dict(model)}}
        content["model"] |= {"vocab": vocabulary, "merges": merges}
        return json.dumps(content, ensure_ascii=False).encode() + b"\0" + text

    def split(pattern, behavior="Isolated", invert=False, kind="Regex"):
        return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}

    byte_level = {"type": "ByteLevel", "add_prefix_space": True, "use_regex": True}
    vocabulary = ["<s>", "</s>", *characters, "ll", "He", "llo", "Hello", "Ġw"]
    merges = ["l l", "H e", "ll o", "He llo", "Ġ w"]
    tokens = added((0, "<s>", "special"), (1, "</s>", "special", "lstrip"), (400, "foo", "single_word", "normalized"))
    template = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}]}
    template["special_tokens"] = {"<s>": {"id": "<s>", "ids": [0]}}
    parts = {"added_tokens": tokens, "decoder": byte_level, "post_processor": template}
    yield "gpt2", whole(vocabulary, merges, pre_tokenizer=byte_level, normalizer={"type": "NFKC"}, **parts)
    splits = [split("\\p{N}{1,3}"), split("[aeiou]+|", "MergedWithNext"), split(" ", "Removed", kind="String")]
    splits += [split("l", "Contiguous", True), {"type": "Digits", "individual_digits": True}]
    steps = {"type": "Sequence", "pretokenizers": [*splits, byte_level | {"use_regex": False}]}
    pairs = [merge.split() for merge in merges]
    yield "splits", whole(vocabulary, pairs, {"ignore_merges": True}, pre_tokenizer=steps, **parts)
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *"▁Helowrd", "▁H", "el", "▁Hel"]
    space = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    steps = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, space]}
    decoders = [space | {"pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]
    decoders.append({"type": "Strip", "content": " ", "start": 1, "stop": 1})
    model = {"unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True}
    parts = {"added_tokens": added((1, "<s>", "special", "rstrip")), "decoder": {"type": "Sequence", "decoders": decoders}}
    merges = ["▁ H", "e l", "▁H el"]
    yield "llama", whole(pieces, merges, model, normalizer=steps, **parts)
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True}
    yield "metaspace", whole(pieces[:3] + pieces[-12:], merges, {"unk_token": "<unk>"}, pre_tokenizer=metaspace, decoder=metaspace)
    yield "no-model", b'{"model": {}}\0a'


def main():
    here = pathlib.Path(__file__).resolve().parent / "corpus"
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here
    for subject in [safetensors, graph, tokens, checkpoint, tokenizer]:
        target = folder / subject.__name__
        target.mkdir(parents=True, exist_ok=True)
        for name, content in subject():
            (target / name).write_bytes(content)


if __name__ == "__main__":
    main()
