//===- Models.h - The models that there are ---------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_MODELS_MODELS_H
#define TESSERA_FRONTENDS_MODELS_MODELS_H

#include "frontends/Specification.h"
#include "frontends/models/Kinds.h"
#include "frontends/models/ModuleWriter.h"

namespace tessera {

/// Each writes the parameters and functions of one kind of model, put together
/// of the parts \p kinds; see frontends/ModelBuilder.h.
void writeTransformer(const Specification &specification,
                      const ModelKinds &kinds, ModuleWriter &writer);
/// The programs `prefill`, `decode` and `score` of the Transformer that
/// writeTransformer trains.
void writeGeneration(const Specification &specification,
                     const ModelKinds &kinds, ModuleWriter &writer);
void writeGnn(const Specification &specification, const ModelKinds &kinds,
              ModuleWriter &writer);

} // namespace tessera

#endif // TESSERA_FRONTENDS_MODELS_MODELS_H
