//===- Families.cpp - Names and layouts of published Transformers ---------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/models/Families.h"

using namespace tessera;
using llvm::StringLiteral;

/// transformers' BLOOM (BigScience 2022, arXiv 2211.05100).
static const TransformerFamily bloom = {
    .title = "BLOOM",
    .tokens = "word_embeddings",
    .positions = "",
    .embeddingNorm = "word_embeddings_layernorm",
    .layers = "h",
    .finalNorm = "ln_f",
    .attentionNorm = "input_layernorm",
    .qkv = "self_attention.query_key_value",
    .projection = "self_attention.dense",
    .feedForwardNorm = "post_attention_layernorm",
    .up = "mlp.dense_h_to_4h",
    .down = "mlp.dense_4h_to_h",
    .layout = WeightLayout::OutIn,
    .qkvLayout = nn::QKVLayout::Interleaved,
    .dropsEmbeddings = false,
};

/// transformers' GPT-2 (Radford et al. 2019).
static const TransformerFamily gpt2 = {
    .title = "GPT-2",
    .tokens = "wte",
    .positions = "wpe",
    .embeddingNorm = "",
    .layers = "h",
    .finalNorm = "ln_f",
    .attentionNorm = "ln_1",
    .qkv = "attn.c_attn",
    .projection = "attn.c_proj",
    .feedForwardNorm = "ln_2",
    .up = "mlp.c_fc",
    .down = "mlp.c_proj",
    .layout = WeightLayout::InOut,
    .qkvLayout = nn::QKVLayout::Blocked,
    .dropsEmbeddings = true,
};

/// The names that LLaMA's siblings share.
static TransformerFamily makeLlama(StringLiteral title) {
  return {
      .title = title,
      .tokens = "model.embed_tokens",
      .positions = "",
      .embeddingNorm = "",
      .layers = "model.layers",
      .finalNorm = "model.norm",
      .attentionNorm = "input_layernorm",
      .qkv = "self_attn.qkv_proj",
      .projection = "self_attn.o_proj",
      .feedForwardNorm = "post_attention_layernorm",
      .up = "mlp.gate_up_proj",
      .down = "mlp.down_proj",
      .qkvParts = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"},
      .gateParts = {"mlp.gate_proj", "mlp.up_proj"},
      .layout = WeightLayout::OutIn,
      .qkvLayout = nn::QKVLayout::Blocked,
      .dropsEmbeddings = false,
  };
}

static TransformerFamily makeQwen3() {
  TransformerFamily family = makeLlama("Qwen3");
  family.queryNorm = "self_attn.q_norm";
  family.keyNorm = "self_attn.k_norm";
  return family;
}

Registry<TransformerFamily> &tessera::getFamilies() {
  static Registry<TransformerFamily> families = {
      {"bloom", bloom},
      {"gpt2", gpt2},
      {"llama", makeLlama("LLaMA")},
      {"mistral", makeLlama("Mistral")},
      {"qwen2", makeLlama("Qwen2")},
      {"qwen3", makeQwen3()}};
  return families;
}
