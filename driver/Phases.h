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
#include "mlir/Support/Timing.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"
#include <string>

namespace tessera {

/// The phases of a compilation, in order (docs/architecture.md).
enum class Phase { Model, Train, Zero, Kernels, Plan, Target, Executable };

/// The names of all phases, in order.
llvm::ArrayRef<llvm::StringLiteral> getPhaseNames();

/// The name by which options and dumps call \p phase.
llvm::StringRef getPhaseName(Phase phase);

/// The phase called \p name, or nothing.
std::optional<Phase> parsePhase(llvm::StringRef name);

/// The phase that leaves modules like \p module: the last one that one of its
/// operations is of.
Phase recognizePhase(mlir::ModuleOp module);

/// Writes \p module as a text that has all that compiling on takes: locations
/// say of which layers kernels are, and are what values are called by.
void printModule(mlir::ModuleOp module, llvm::raw_ostream &out);

/// Checks that \p module is as \p phase leaves it, by the phase's verifier.
mlir::LogicalResult verifyPhase(mlir::ModuleOp module, Phase phase);

/// What is seen of phases beside their result.
struct PhaseWatch {
  /// Where each phase's module is written, `3-kernels.mlir` for example; empty
  /// for nowhere.
  std::string dumpDirectory;
  /// Whether what the command line says of pass managers (PassOptions.h) holds.
  bool takesPassOptions = false;
  /// Gets the time of each phase and pass, if any.
  mlir::TimingScope *timing = nullptr;
};

/// Runs the phases after \p from up to \p to on \p module, which is as phase
/// \p from leaves it. Each phase is one run of a pass manager. The executable
/// is no module: it is left to the caller, and Phase::Executable means the same
/// here as Phase::Target.
mlir::LogicalResult runPhases(mlir::ModuleOp module, Phase from, Phase to,
                              const PhaseWatch &watch = {});

} // namespace tessera

#endif // TESSERA_DRIVER_PHASES_H
