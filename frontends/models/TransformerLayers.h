//===- TransformerLayers.h - The layers of a Transformer --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_MODELS_TRANSFORMERLAYERS_H
#define TESSERA_FRONTENDS_MODELS_TRANSFORMERLAYERS_H

#include "frontends/models/Linear.h"

namespace tessera {

/// Causal attention with packed queries, keys and values: x, [batch · length,
/// hidden], to projection(attention(qkv(x))).
class SelfAttention : public Layer {
public:
  struct Shape {
    int64_t length; ///< Tokens that follow one another.
    int64_t heads;
    int64_t kvHeads; ///< Heads of keys and values, which heads share.
    int64_t headDim;
    nn::QKVLayout layout;
    std::optional<int64_t> window; ///< Keys that a token sees, itself included.
    bool hasAlibi;
    bool rotates;   ///< Queries and keys, by their positions.
    double dropout; ///< Of probabilities.
  };
  /// Norms of each head's queries and keys, which come first.
  struct HeadNorm {
    LayerName queries, keys;
    double eps;
  };
  SelfAttention(Shape shape, Linear qkv, std::optional<HeadNorm> norm,
                Linear projection)
      : shape(shape), qkv(std::move(qkv)), norm(std::move(norm)),
        projection(std::move(projection)) {}

  void declare(ModuleWriter &writer) const override;
  mlir::Value apply(ModuleWriter &writer, mlir::Value x) const override;

private:
  mlir::Value attendCached(ModuleWriter &writer, mlir::Value packed) const;

  Shape shape;
  Linear qkv;
  std::optional<HeadNorm> norm;
  Linear projection;
};

/// down(activation(up(x))).
class FeedForward : public Layer {
public:
  /// Where it is \p gated, \p up gives what goes through the activation and
  /// what is then multiplied by it side by side (Shazeer, arXiv 2002.05202).
  FeedForward(Linear up, std::string activation, bool gated, Linear down)
      : up(std::move(up)), down(std::move(down)),
        activation(std::move(activation)), gated(gated) {}

  void declare(ModuleWriter &writer) const override;
  mlir::Value apply(ModuleWriter &writer, mlir::Value x) const override;

private:
  Linear up, down;
  std::string activation;
  bool gated;
};

/// x + dropout(body(norm(x))).
class ResidualBlock : public Layer {
public:
  ResidualBlock(std::unique_ptr<Layer> norm, std::unique_ptr<Layer> body,
                double dropout)
      : norm(std::move(norm)), body(std::move(body)), dropout(dropout) {}

  void declare(ModuleWriter &writer) const override;
  mlir::Value apply(ModuleWriter &writer, mlir::Value x) const override;

private:
  std::unique_ptr<Layer> norm, body;
  double dropout;
};

} // namespace tessera

#endif // TESSERA_FRONTENDS_MODELS_TRANSFORMERLAYERS_H
