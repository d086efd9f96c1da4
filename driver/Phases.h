//===- Phases.h - The phases of a compilation -------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_PHASES_H
#define TESSERA_DRIVER_PHASES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace tessera {

/// The phases of a compilation, in order (docs/architecture.md).
enum class Phase { Model, Train, Zero, Kernels, Plan, Target, Executable };

/// The names of all phases, in order.
llvm::ArrayRef<llvm::StringLiteral> getPhaseNames();

/// The name by which options and dumps call \p phase.
llvm::StringRef getPhaseName(Phase phase);

/// The phase called \p name, or nothing.
std::optional<Phase> parsePhase(llvm::StringRef name);

/// Checks that \p module is as \p phase leaves it, by the phase's verifier.
mlir::LogicalResult verifyPhase(mlir::ModuleOp module, Phase phase);

/// Runs the phases after \p from up to \p to on \p module, which is as phase
/// \p from leaves it. With \p dumpDirectory, each phase's module is written
/// there, `3-kernels.mlir` for example; with \p timing, the time of each pass
/// is printed. The executable is no module: it is left
/// to the caller, and Phase::Executable means the same here as Phase::Target.
mlir::LogicalResult runPhases(mlir::ModuleOp module, Phase from, Phase to,
                              llvm::StringRef dumpDirectory,
                              bool timing = false);

} // namespace tessera

#endif // TESSERA_DRIVER_PHASES_H
