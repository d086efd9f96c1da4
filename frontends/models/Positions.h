//===- Positions.h - How a Transformer knows its positions ------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_MODELS_POSITIONS_H
#define TESSERA_FRONTENDS_MODELS_POSITIONS_H

#include "frontends/models/Layer.h"
#include "frontends/models/Registry.h"

#include <functional>

namespace tessera {

/// What positions add to the embeddings, [tokens, hidden], or to the scores of
/// attention.
class Positions : public Layer {
public:
  void declare(ModuleWriter &) const override {}
  mlir::Value apply(ModuleWriter &, mlir::Value x) const override { return x; }

  /// Whether a head's scores get a slope times the distance (ALiBi, Press et
  /// al., arXiv 2108.12409).
  virtual bool hasAlibi() const { return false; }

  /// Whether queries and keys are rotated (Su et al., arXiv 2104.09864).
  virtual bool rotates() const { return false; }
};

/// What a kind of positions may need. `name` is the one that the family has for
/// a table of positions; `length` tokens follow one another, and a table has
/// `capacity` rows of `hidden` features.
struct PositionsOptions {
  LayerName name;
  int64_t length, capacity, hidden;
  Initializer initializer;
};

using PositionsFactory =
    std::function<std::unique_ptr<Positions>(const PositionsOptions &options)>;

/// All kinds of positions: "alibi", "learned", "rotary".
Registry<PositionsFactory> &getPositions();

} // namespace tessera

#endif // TESSERA_FRONTENDS_MODELS_POSITIONS_H
