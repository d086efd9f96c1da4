//===- Gpt2.cpp - The config.json of GPT-2 --------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/published/Families.h"

using namespace tessera;

/// GPT2Config of transformers.
PublishedConfig tessera::makeGpt2Config() {
  return {
      .modelType = "gpt2",
      .architecture = "GPT2LMHeadModel",
      .fields =
          {
              {{"vocab_size"}, "vocabulary", {50257}},
              {{"n_embd", "hidden_size"}, "hidden", {768}},
              {{"n_layer", "num_hidden_layers"}, "layers", {12}},
              {{"n_head", "num_attention_heads"}, "heads", {12}},
              {{"n_positions", "max_position_embeddings"},
               "position_capacity",
               {1024}},
              {{"n_inner"}, "feed_forward", {nullptr}},
              {{"layer_norm_epsilon"}, "layer_norm.eps", {1e-5}},
              {{"initializer_range"}, "initialization.std", {0.02}, false},
              {{"resid_pdrop"}, "hidden_dropout", {0.1}, false},
              {{"embd_pdrop"}, "hidden_dropout", {0.1}, false},
              {{"attn_pdrop"}, "attention_dropout", {0.1}, false},
              {{"tie_word_embeddings"}, "tied_embeddings", {true}},
              // Names of one function.
              {{"activation_function"},
               "",
               {"gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu_accurate"}},
              {{"scale_attn_weights"}, "", {true}},
              {{"scale_attn_by_inverse_layer_idx"}, "", {false}},
              {{"add_cross_attention"}, "", {false}},
          },
      .ignored = {"n_ctx", "reorder_and_upcast_attn", "summary_activation",
                  "summary_first_dropout", "summary_proj_to_labels",
                  "summary_type", "summary_use_proj"},
      .prepare =
          [](spec::Transformer &model) {
            model.set_names(spec::Transformer::GPT2);
            model.set_positions(spec::Transformer::LEARNED);
          },
      .findForeign = [](const spec::Transformer &model) -> std::string {
        if (std::string unlike = findUnlikeGpt(model); !unlike.empty())
          return unlike;
        if (model.positions() != spec::Transformer::LEARNED)
          return "positions that are not learned";
        return model.biases() ? "" : "transformer.biases: false";
      }};
}

std::string tessera::findUnlikeGpt(const spec::Transformer &model) {
  if (model.has_rms_norm())
    return "transformer.rms_norm";
  if (model.activation() != spec::Transformer::GELU_TANH)
    return "an activation other than GELU_TANH";
  if (model.gated())
    return "transformer.gated";
  if (model.positions() == spec::Transformer::ROTARY)
    return "transformer.positions: ROTARY";
  if (model.kv_heads() != model.heads())
    return "transformer.kv_heads";
  if (model.head_dim() * model.heads() != model.hidden())
    return "a transformer.head_dim other than hidden / heads";
  if (model.has_window())
    return "transformer.window";
  if (model.qkv_bias() != model.biases() ||
      model.projection_bias() != model.biases() ||
      model.feed_forward_bias() != model.biases())
    return "biases of some linear layers alone";
  return "";
}
