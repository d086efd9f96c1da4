//===- CostModel.h - How long the steps of a plan take ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A roofline (Williams, Waterman, Patterson, CACM 52(4), 2009): a step takes
// the longer of its arithmetic and its bytes at the machine's rates, and what
// a launch costs. A collective takes a latency per peer and its bytes at the
// link's rate (the pairwise exchange of Thakur, Rabenseifner, Gropp, IJHPCA
// 19(1), 2005). docs/plan.md says the whole.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_REPORT_COSTMODEL_H
#define TESSERA_REPORT_COSTMODEL_H

#include "dialects/plan/Plan.h"
#include "report/Machine.h"
#include "target/StepWork.h"
#include "llvm/ADT/StringMap.h"

namespace tessera {

/// What a step of one rank does and how long it takes, in seconds.
struct StepCost {
  llvm::StringRef
      kind; ///< "gemm", "fused", an operation's name, "clear", "copy"
  double flops = 0, bytes = 0;
  double arithmetic = 0; ///< of the flops alone
  double memory = 0;     ///< of the bytes alone
  double launch = 0;
  double total() const { return std::max(arithmetic, memory) + launch; }
};

/// How long a collective takes, in seconds.
struct CollectiveCost {
  double received = 0; ///< bytes
  double beside = 0;   ///< overlapping compute, from its start on
  double atWait = 0;   ///< by the rank's own cores, at its wait
};

/// The costs of one program's steps on one machine.
class CostModel {
public:
  CostModel(plan::ProgramOp program, const Machine &machine);

  /// A launch, gemm, clear or copy; nothing for another operation.
  StepCost getCost(mlir::Operation *step);
  CollectiveCost getCost(plan::StartOp start);

private:
  struct Kernel {
    StepWork work;
    double arithmetic; ///< seconds
  };
  const Kernel &getKernel(plan::LaunchOp launch);
  void addMemory(StepCost &cost, double bytes);

  plan::ProgramOp program;
  mlir::SymbolTable symbols;
  Machine machine;
  /// A rank's share of its node.
  double share;
  llvm::StringMap<Kernel> kernels;
};

} // namespace tessera

#endif // TESSERA_REPORT_COSTMODEL_H
