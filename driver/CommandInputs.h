//===- CommandInputs.h - What commands read and write -----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_COMMANDINPUTS_H
#define TESSERA_DRIVER_COMMANDINPUTS_H

#include "driver/Commands.h"
#include "driver/Output.h"
#include "driver/Phases.h"
#include "driver/Planner.h"
#include "mlir/IR/OwningOpRef.h"

namespace tessera {

/// What the command line names to be read: each text is read once.
struct Inputs {
  SourceText source;
  bool isModule = false; ///< whether that is one, and no specification
  std::optional<SourceText> machine;

  const SourceText *getMachine() const { return machine ? &*machine : nullptr; }
};

mlir::FailureOr<Inputs> readInputs(const CommandOptions &options);

/// What a compilation starts from.
struct Beginning {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  Phase phase = Phase::Model;      ///< that has left it
  std::string limitPlace;          ///< where its memory limit was given
  std::vector<std::string> graphs; ///< the files of graphs that it names
};

/// Builds the specification's model, or reads the module, which is as phase
/// \p named leaves it, or the phase that its operations are of. Without a
/// module where there was an error.
Beginning startCompilation(mlir::MLIRContext &context,
                           const CommandOptions &options, const Inputs &inputs,
                           std::optional<Phase> named);

/// What a command writes, opened before it works.
struct Outputs {
  Output main, kernelReport;
};

/// Opens what the options name; \p graphs are files that are read besides what
/// other options name.
mlir::LogicalResult openOutputs(const CommandOptions &options,
                                const Inputs &inputs, Outputs &outputs,
                                llvm::ArrayRef<std::string> graphs);

/// Plans of the specification that \p inputs has.
Planner makePlanner(const CommandOptions &options, const Inputs &inputs);

} // namespace tessera

#endif // TESSERA_DRIVER_COMMANDINPUTS_H
