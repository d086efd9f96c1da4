//===- Families.h - Names and layouts of published Transformers -*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_MODELS_FAMILIES_H
#define TESSERA_FRONTENDS_MODELS_FAMILIES_H

#include "dialects/nn/NN.h"
#include "frontends/models/Linear.h"
#include "frontends/models/Registry.h"

namespace tessera {

/// What a family of Transformers calls its weights in files, and how they lie
/// there. A layer's names come after `layers` and its index: "h.0.".
struct TransformerFamily {
  /// As people write it: "GPT-2".
  llvm::StringLiteral title;
  llvm::StringLiteral tokens;
  /// Empty where the family has no name for them.
  llvm::StringLiteral positions, embeddingNorm;
  llvm::StringLiteral layers, finalNorm;
  llvm::StringLiteral attentionNorm, qkv, projection;
  llvm::StringLiteral feedForwardNorm, up, down;
  /// What files hold in place of `qkv`: queries, keys and values; and of `up`
  /// where it is gated: gate and up. Empty where they have it as it is.
  std::vector<llvm::StringLiteral> qkvParts = {}, gateParts = {};
  /// Norms of heads; empty where the family has no name for them.
  llvm::StringLiteral queryNorm = "", keyNorm = "";
  WeightLayout layout;
  nn::QKVLayout qkvLayout;
  /// Whether hidden dropout drops the sum of the embeddings, too.
  bool dropsEmbeddings;

  /// The parameter that is the output projection, too, where it is tied.
  std::string embedding() const { return (tokens + ".weight").str(); }
};

/// The output projection that is not tied, in every family.
inline constexpr llvm::StringLiteral headWeightName = "lm_head.weight";

/// All families: "bloom", "gpt2".
Registry<TransformerFamily> &getFamilies();

} // namespace tessera

#endif // TESSERA_FRONTENDS_MODELS_FAMILIES_H
