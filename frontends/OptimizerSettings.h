//===- OptimizerSettings.h - The specification's optimizer ------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The fields of `training.optimizer` are those of every optimizer (kind, lr,
// weight_decay, groups) and those that some of them have, which the table of
// optimizers names (dialects/optimizer/Optimizer.h).
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_OPTIMIZERSETTINGS_H
#define TESSERA_FRONTENDS_OPTIMIZERSETTINGS_H

#include "frontends/Diagnostics.h"
#include "frontends/Specification.h"
#include "frontends/spec.pb.h"
#include "mlir/IR/BuiltinOps.h"

namespace tessera {

/// Reports fields that the optimizer's kind does not have, and groups that say
/// nothing.
void checkOptimizer(const spec::Optimizer &optimizer, Diagnostics &diagnostics);

/// Gives the fields that the optimizer's kind has their values where they are
/// missing.
void resolveOptimizer(spec::Optimizer &optimizer);

/// Whether \p optimizer, which is resolved, reads its field \p name.
bool readsField(const spec::Optimizer &optimizer, llvm::StringRef name);

/// The dictionary `training.optimizer` of a module's specification.
mlir::DictionaryAttr optimizerAttr(const spec::Optimizer &optimizer,
                                   mlir::MLIRContext &context);

/// Reports, at their places, groups of parameters that match no parameter of
/// \p module.
mlir::LogicalResult checkParameterGroups(const Specification &specification,
                                         mlir::ModuleOp module);

} // namespace tessera

#endif // TESSERA_FRONTENDS_OPTIMIZERSETTINGS_H
