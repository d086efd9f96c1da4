//===- Norms.h - The norms of rows ------------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_MODELS_NORMS_H
#define TESSERA_FRONTENDS_MODELS_NORMS_H

#include "frontends/models/Layer.h"
#include "frontends/models/Registry.h"

#include <functional>

namespace tessera {

/// Makes a norm of rows of \p width features; \p eps is added to the variance
/// or the mean square.
using NormFactory = std::function<std::unique_ptr<Layer>(
    LayerName name, int64_t width, double eps)>;

/// All norms: "layer_norm", "rms_norm".
Registry<NormFactory> &getNorms();

} // namespace tessera

#endif // TESSERA_FRONTENDS_MODELS_NORMS_H
