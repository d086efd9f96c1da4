//===- MemoryUsage.h - The memory in use over a step ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_REPORT_MEMORYUSAGE_H
#define TESSERA_REPORT_MEMORYUSAGE_H

#include "dialects/plan/Plan.h"
#include <array>

namespace tessera {

/// Bytes in use of each category.
using Usage = std::array<int64_t, plan::kStepCategories>;

int64_t getTotal(const Usage &usage);

/// "1.5 GiB in use", with a line for each category.
std::string describeUsage(const Usage &usage);

/// The memory of a rank while a program runs.
struct MemoryUsage {
  llvm::SmallVector<mlir::Operation *> steps;
  std::vector<Usage> atStep; ///< one for each step
  size_t peak = 0;           ///< the step at which most is in use

  static MemoryUsage measure(plan::ProgramOp program);
};

/// A buffer that is in use at the step at which most is.
struct PeakBuffer {
  std::string name; ///< of what writes it: a kernel, or a state and its group
  /// The layer that is computed when it is written, or whose it is.
  std::string layer;
  plan::Category category;
  int64_t bytes = 0;
};

/// The \p most largest of them, the largest first.
std::vector<PeakBuffer> listPeakBuffers(plan::ProgramOp program,
                                        const MemoryUsage &memory, size_t most);

} // namespace tessera

#endif // TESSERA_REPORT_MEMORYUSAGE_H
