//===- StepWork.h - What the steps of a plan do -----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TARGET_STEPWORK_H
#define TESSERA_TARGET_STEPWORK_H

#include "dialects/plan/Plan.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <string>

namespace tessera {

/// What a step of one rank does.
struct StepWork {
  /// "gemm", "fused", an operation's name ("attention", "clear", "copy"), or
  /// that of the collective that is started or awaited.
  llvm::StringRef kind;
  double flops = 0;
  double bytes = 0; ///< read and written in memory; of a wait, those received
};

/// What a launch of \p kernel, as the phase `plan` leaves it, does.
StepWork getKernelWork(mlir::func::FuncOp kernel);

/// What \p step does; \p symbols are those of its module.
StepWork getStepWork(mlir::Operation *step, const mlir::SymbolTable &symbols);

/// What a reader knows it by: "gemm 1024 x 768 by 768 x 3072", a kernel's name,
/// "start all_gather" and "wait all_gather".
std::string getStepName(mlir::Operation *step);

} // namespace tessera

#endif // TESSERA_TARGET_STEPWORK_H
