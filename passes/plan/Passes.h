//===- Passes.h - The phase plan --------------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_PASSES_PLAN_PASSES_H
#define TESSERA_PASSES_PLAN_PASSES_H

#include "dialects/plan/Plan.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace tessera::plan {

#define GEN_PASS_DECL
#include "passes/plan/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/plan/Passes.h.inc"

/// The phase `plan`: from tensors to places in one arena per program.
void buildPlanPipeline(mlir::OpPassManager &manager);

} // namespace tessera::plan

#endif // TESSERA_PASSES_PLAN_PASSES_H
