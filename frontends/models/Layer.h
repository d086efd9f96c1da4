//===- Layer.h - A part of a model ------------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_MODELS_LAYER_H
#define TESSERA_FRONTENDS_MODELS_LAYER_H

#include "frontends/models/ModuleWriter.h"

namespace tessera {

/// A part of a model: its parameters, with the names and layouts that they have
/// in files, and what it computes of activations of shape [rows, features].
class Layer {
public:
  virtual ~Layer() = default;

  /// Declares the parameters, in the order of the model.
  virtual void declare(ModuleWriter &writer) const = 0;

  /// Writes the forward pass at the writer's insertion point.
  virtual mlir::Value apply(ModuleWriter &writer, mlir::Value x) const = 0;
};

/// Whose parameters a layer's are: their names begin with `name`, and they are
/// partitioned with the others of `group`.
struct LayerName {
  std::string name;
  std::string group;
};

} // namespace tessera

#endif // TESSERA_FRONTENDS_MODELS_LAYER_H
