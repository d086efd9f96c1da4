//===- Contracts.h - What phases ask of a module ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A module is read from a text that anybody may have written. What several
// phases rely on is checked here: each phase's verifier asks for it, and so
// does each pass before it looks into a function.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_CONTRACTS_H
#define TESSERA_DIALECTS_CONTRACTS_H

#include "mlir/IR/BuiltinOps.h"

namespace tessera {

/// Whether each program of \p module, a function that is no kernel, is written
/// out as a straight line: one block without nested regions and calls that ends
/// in a return, on tensors of static shape whose elements are numbers, and on
/// graphs and tokens. Fails with a diagnostic at what is otherwise.
mlir::LogicalResult verifyPrograms(mlir::ModuleOp module);

/// The same for each kernel, a function with the attribute `plan.kernel`.
mlir::LogicalResult verifyKernels(mlir::ModuleOp module);

/// Whether each launch is of a function of tensors, not one that the target has
/// built already.
mlir::LogicalResult verifyLaunches(mlir::ModuleOp module);

/// Whether each parameter is in one group.
mlir::LogicalResult verifyGroups(mlir::ModuleOp module);

/// Whether the states and collectives of programs on buffers are of groups that
/// there are, and each state's buffer has room for its part of the group.
mlir::LogicalResult verifyStates(mlir::ModuleOp module);

/// Whether nothing but functions, parameters, groups and programs stands at the
/// top of \p module, all their names and texts are UTF-8, and each parameter
/// and each part of one has a name of its own.
mlir::LogicalResult verifySymbols(mlir::ModuleOp module);

} // namespace tessera

#endif // TESSERA_DIALECTS_CONTRACTS_H
