//===- Kinds.h - Which parts a model is made of -----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_MODELS_KINDS_H
#define TESSERA_FRONTENDS_MODELS_KINDS_H

#include "frontends/spec.pb.h"

#include <string>

namespace tessera {

/// What a specification says of its model's parts by names, not numbers: the
/// keys of this folder's registries. What the model has none of stays empty.
struct ModelKinds {
  std::string family;     ///< getFamilies()
  std::string positions;  ///< getPositions()
  std::string norm;       ///< getNorms()
  std::string activation; ///< An operation; see isActivation.
  std::string graphLayer; ///< getGraphLayers()
};

/// Those of \p message: values of enumerations in lower case ("gpt2", "gcn"),
/// and of an activation the operation that spec.proto gives it.
ModelKinds kindsOf(const spec::Specification &message);

/// What is added to the variance or the mean square by the norms of \p model.
double normEpsOf(const spec::Transformer &model);

/// The kind of layers of \p model.
std::string layerOf(const spec::Gnn &model);

/// The operation between layers of \p model; empty for none.
std::string activationOf(const spec::Gnn &model);

} // namespace tessera

#endif // TESSERA_FRONTENDS_MODELS_KINDS_H
