//===- Passes.h - The phase kernels -----------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_PASSES_KERNELS_PASSES_H
#define TESSERA_PASSES_KERNELS_PASSES_H

#include "dialects/nn/NN.h"
#include "dialects/plan/Plan.h"
#include "mlir/Pass/Pass.h"

namespace tessera::kernels {

#define GEN_PASS_DECL
#include "passes/kernels/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/kernels/Passes.h.inc"

/// The phase `kernels`: from tensor computation to launches and GEMMs.
void buildPipeline(mlir::OpPassManager &manager);

} // namespace tessera::kernels

#endif // TESSERA_PASSES_KERNELS_PASSES_H
