#!/usr/bin/env python3
# ===- published.py - Folders as transformers makes and loads them ---------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# What test/end-to-end/test_whole_way.py has transformers do, in an environment of
# scripts/torch_environment.py:
#
#   published.py make OUT      for each family a folder OUT/NAME/published with a model of
#                              random weights and a tokenizer, documents beside it
#                              (text.jsonl), and their loss and perplexity (expected.json)
#   published.py load FOLDER...    loads each, whose text and expected.json lie beside it,
#                              and writes its loss, what is missing or unexpected and the
#                              logits of a sample as FOLDER-VERSION.json
#   published.py tokenize FOLDER   loads its tokenizer, and prints as JSON what its tokens are
#                              for and the ids of the lines of the standard input
#
# ===----------------------------------------------------------------------===#

import json
import pathlib
import sys

import tokenizers
import torch
import transformers

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOKENIZERS = ROOT / "test" / "golden" / "tokenizers"
SEQUENCE = 24
DOCUMENTS = 120


def bloom(vocabulary):
    config = transformers.BloomConfig(
        vocab_size=vocabulary, hidden_size=48, n_layer=2, n_head=4, layer_norm_epsilon=2e-5
    )
    return transformers.BloomForCausalLM(config)


def gpt2(vocabulary):
    config = transformers.GPT2Config(
        vocab_size=vocabulary, n_embd=40, n_layer=2, n_head=2, n_inner=100, n_positions=64
    )
    return transformers.GPT2LMHeadModel(config)


def llama(vocabulary):
    rope = {
        "rope_type": "llama3",
        "rope_theta": 5e5,
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 16,
    }
    config = transformers.LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=48,
        intermediate_size=80,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        rope_parameters=rope,
    )
    return transformers.LlamaForCausalLM(config)


def sibling(kind, vocabulary, **fields):
    """A model like LLaMA that differs from it in what its class adds."""
    kind = getattr(transformers, kind)
    config = kind.config_class(
        vocab_size=vocabulary,
        hidden_size=36,
        intermediate_size=60,
        num_hidden_layers=2,
        num_attention_heads=3,
        num_key_value_heads=1,
        max_position_embeddings=64,
        **fields,
    )
    return kind(config)


def mistral(vocabulary):
    return sibling("MistralForCausalLM", vocabulary, sliding_window=7)


def qwen2(vocabulary):
    return sibling("Qwen2ForCausalLM", vocabulary, tie_word_embeddings=True)


def qwen3(vocabulary):
    return sibling("Qwen3ForCausalLM", vocabulary, head_dim=16)


# A model's builder, and the golden file that has its tokenizer.
FAMILIES = {
    "bloom": (bloom, "bloom"),
    "gpt2": (gpt2, "qwen2"),
    "llama": (llama, "llama"),
    "mistral": (mistral, "mistral"),
    "qwen2": (qwen2, "qwen2"),
    "qwen3": (qwen3, "qwen2"),
}


def tokens_of(folder):
    """The documents' tokens, each with the end of a text behind it."""
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    end = json.loads((folder / "config.json").read_text())["eos_token_id"]
    ids = []
    for line in (folder.parent / "text.jsonl").read_text().splitlines():
        ids += [*tokenizer.encode(json.loads(line)["text"], add_special_tokens=False).ids, end]
    return torch.tensor(ids)


def loss_and_logits(model, tokens):
    """The mean loss of samples that follow one another, and the logits of the first."""
    samples = (len(tokens) - 1) // SEQUENCE
    with torch.no_grad():
        logits = model.eval()(tokens[: samples * SEQUENCE].view(-1, SEQUENCE)).logits
    targets = tokens[1 : samples * SEQUENCE + 1]
    loss = torch.nn.functional.cross_entropy(logits.double().flatten(0, 1), targets)
    return loss.item(), logits[0].flatten().tolist()


def make(out):
    for name, (build, file) in FAMILIES.items():
        torch.manual_seed(11)
        golden = json.loads((TOKENIZERS / f"{file}.json").read_text())
        folder = out / name / "published"
        folder.mkdir(parents=True)
        file = folder.parent / "tokenizer.json"
        file.write_text(json.dumps(golden["tokenizer"]))
        special = [token["content"] for token in golden["tokenizer"]["added_tokens"]]
        end = "</s>" if "</s>" in special else special[0]
        tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=str(file), eos_token=end)
        tokenizer.save_pretrained(folder)
        model = build(len(tokenizer))
        # As spread as a trained model's, so that what is lost shows.
        for parameter in model.parameters():
            if parameter.dim() > 1:
                torch.nn.init.normal_(parameter, std=0.1)
        model.config.eos_token_id = tokenizer.eos_token_id
        model.save_pretrained(folder)
        texts = [case["text"] for case in golden["cases"] if case["text"].strip()][:DOCUMENTS]
        lines = [json.dumps({"text": text}) + "\n" for text in texts]
        (folder.parent / "text.jsonl").write_text("".join(lines))
        loss, _ = loss_and_logits(model, tokens_of(folder))
        expected = {"sequence": SEQUENCE, "loss": loss}
        (folder.parent / "expected.json").write_text(json.dumps(expected))


def load(folder):
    model, info = transformers.AutoModelForCausalLM.from_pretrained(
        folder, output_loading_info=True, dtype=torch.float32
    )
    loss, logits = loss_and_logits(model, tokens_of(folder))
    found = {kind: sorted(map(str, names)) for kind, names in info.items() if names}
    report = {"found": found, "loss": loss, "logits": logits}
    version = transformers.__version__.split(".")[0]
    folder.with_name(f"{folder.name}-{version}.json").write_text(json.dumps(report))


def tokenize(folder):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    names = ("bos", "eos", "pad", "unk")
    report = {name: getattr(tokenizer, f"{name}_token_id") for name in names}
    report["ids"] = [tokenizer(line.rstrip("\n"))["input_ids"] for line in sys.stdin]
    print(json.dumps(report))


if __name__ == "__main__":
    if sys.argv[1] == "tokenize":
        tokenize(sys.argv[2])
    if sys.argv[1] == "make":
        make(pathlib.Path(sys.argv[2]))
    for argument in sys.argv[2:] if sys.argv[1] == "load" else []:
        load(pathlib.Path(argument))
