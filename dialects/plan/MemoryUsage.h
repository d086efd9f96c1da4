//===- MemoryUsage.h - The memory in use over a step ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_PLAN_MEMORYUSAGE_H
#define TESSERA_DIALECTS_PLAN_MEMORYUSAGE_H

#include "dialects/plan/Plan.h"
#include <array>

namespace tessera::plan {

/// Bytes in use of each category.
using Usage = std::array<int64_t, stepCategoryCount>;

int64_t getTotal(const Usage &usage);

/// The memory of a rank while a program runs.
struct MemoryUsage {
  llvm::SmallVector<mlir::Operation *> steps;
  std::vector<Usage> atStep; ///< one for each step
  size_t peak = 0;           ///< the step at which most is in use

  static MemoryUsage measure(ProgramOp program);
};

} // namespace tessera::plan

#endif // TESSERA_DIALECTS_PLAN_MEMORYUSAGE_H
