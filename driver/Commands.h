//===- Commands.h - The commands of the compiler ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//     tessera compile SPEC -o EXE [--set path=value]...
//     tessera plan SPEC [--memory MEMORY] [--format text|json|html]
//     tessera plan SPEC --sweep path=values... [--format text|csv|json|html]
//     tessera plan SPEC --fit MEMORY [--vary path]
//     tessera import DIR -o SPEC [--set path=value]...
//     tessera import-deepspeed FILE [--world N] [-o FILE]
//     tessera calibrate [-o FILE]
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_COMMANDS_H
#define TESSERA_DRIVER_COMMANDS_H

#include "llvm/Support/LogicalResult.h"
#include <string>
#include <vector>

namespace tessera {

/// How a plan is printed.
enum class PlanFormat { Text, Json, Csv, Html };

/// The options of a command, named as on the command line; empty where one was
/// not given.
struct CommandOptions {
  /// A specification, a module as compileFrom leaves it, or a published folder,
  /// or DeepSpeed's configuration.
  std::string input;
  std::string output;
  std::vector<std::string> overrides; ///< `path=value`, of --set
  std::string compileFrom, compileTo; ///< names of phases
  std::string dumpDirectory, kernelReport;
  bool timing = false;
  unsigned threads = 0; ///< that compile kernels; 0: the cores
  // Of plans.
  PlanFormat format = PlanFormat::Text;
  std::string machine;
  std::vector<std::string> sweeps;
  std::string fitMemory, vary;
  std::string memory; ///< of a rank, to be compared with the plan
  // Of import-deepspeed; 0: not given.
  unsigned world = 0;
};

// Each writes its errors to the standard error and fails then.

/// Compiles to the phase compileTo, the executable where it is empty.
llvm::LogicalResult runCompile(const CommandOptions &options);

/// Prints one plan, those of a sweep, or the value that fits a memory.
llvm::LogicalResult runPlan(const CommandOptions &options);

/// Writes the specification of a published folder to the output.
llvm::LogicalResult runImport(const CommandOptions &options);

/// Writes a --set line for each setting of a ds_config.json of DeepSpeed to the
/// output, and what has no counterpart to the standard error.
llvm::LogicalResult runImportDeepSpeed(const CommandOptions &options);

/// Writes the figures of this machine to the output.
llvm::LogicalResult runCalibrate(const CommandOptions &options);

} // namespace tessera

#endif // TESSERA_DRIVER_COMMANDS_H
