//===- Bloom.cpp - The config.json of BLOOM -------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/published/Families.h"

using namespace tessera;

/// BloomConfig of transformers.
PublishedConfig tessera::makeBloomConfig() {
  return {.modelType = "bloom",
          .architecture = "BloomForCausalLM",
          .fields =
              {
                  {{"vocab_size"}, "vocabulary", {250880}},
                  {{"hidden_size", "n_embed"}, "hidden", {64}},
                  {{"n_layer", "num_hidden_layers"}, "layers", {2}},
                  {{"n_head", "num_attention_heads"}, "heads", {8}},
                  {{"layer_norm_epsilon"}, "layer_norm.eps", {1e-5}},
                  {{"initializer_range"}, "initialization.std", {0.02}, false},
                  {{"hidden_dropout"}, "hidden_dropout", {0.0}, false},
                  {{"attention_dropout"}, "attention_dropout", {0.0}, false},
                  {{"tie_word_embeddings"}, "tied_embeddings", {true}},
                  {{"apply_residual_connection_post_layernorm"}, "", {false}},
              },
          .ignored = {"pretraining_tp", "slow_but_exact", "n_inner",
                      "offset_alibi", "skip_bias_add", "skip_bias_add_qkv",
                      "seq_length", "attention_softmax_in_fp32",
                      "bias_dropout_fusion", "masked_softmax_fusion"},
          .prepare =
              [](spec::Transformer &model) {
                model.set_names(spec::Transformer::BLOOM);
                model.set_positions(spec::Transformer::ALIBI);
                model.set_embedding_norm(true);
              },
          .findForeign = [](const spec::Transformer &model) -> std::string {
            if (std::string unlike = findUnlikeGpt(model); !unlike.empty())
              return unlike;
            if (!model.embedding_norm())
              return "transformer.embedding_norm: false";
            if (model.feed_forward() != 4 * model.hidden())
              return "a transformer.feed_forward other than 4 * hidden";
            return model.biases() ? "" : "transformer.biases: false";
          }};
}
