//===- Families.cpp - Names and layouts of published Transformers ---------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/models/Families.h"

using namespace tessera;

/// transformers' BLOOM (BigScience 2022, arXiv 2211.05100).
static const TransformerFamily bloom = {
    .title = "BLOOM",
    .tokens = "word_embeddings",
    .positions = "",
    .embeddingNorm = "word_embeddings_layernorm",
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

Registry<TransformerFamily> &tessera::getFamilies() {
  static Registry<TransformerFamily> families = {{"bloom", bloom},
                                                 {"gpt2", gpt2}};
  return families;
}
