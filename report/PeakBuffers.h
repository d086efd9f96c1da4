//===- PeakBuffers.h - What is in memory when most is -----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_REPORT_PEAKBUFFERS_H
#define TESSERA_REPORT_PEAKBUFFERS_H

#include "dialects/plan/MemoryUsage.h"
#include <string>

namespace tessera {

/// "1.5 GiB in use", with a line for each category.
std::string describeUsage(const plan::Usage &usage);

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
                                        const plan::MemoryUsage &memory,
                                        size_t most);

} // namespace tessera

#endif // TESSERA_REPORT_PEAKBUFFERS_H
