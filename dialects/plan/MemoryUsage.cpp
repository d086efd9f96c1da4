//===- MemoryUsage.cpp - The memory in use over a step ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/plan/MemoryUsage.h"

using namespace mlir;
using namespace tessera::plan;

int64_t tessera::plan::getTotal(const Usage &usage) {
  int64_t total = 0;
  for (int64_t bytes : usage)
    total += bytes;
  return total;
}

MemoryUsage MemoryUsage::measure(ProgramOp program) {
  MemoryUsage memory;
  auto &[steps, usage, peak] = memory;
  steps = program.getSteps();
  usage.assign(steps.size() + 1, {});
  for (auto buffer : program.getBody().getOps<BufferOp>()) {
    if (buffer.isInFile())
      continue;
    int64_t last = std::min<int64_t>(buffer.getLast(), steps.size() - 1);
    auto category = static_cast<int>(buffer.getCategory());
    usage[buffer.getFirst()][category] += buffer.getBytes();
    usage[last + 1][category] -= buffer.getBytes();
  }
  for (size_t i = 1; i < usage.size(); ++i)
    for (int c = 0; c < stepCategoryCount; ++c)
      usage[i][c] += usage[i - 1][c];
  usage.pop_back();
  for (size_t i = 0; i < usage.size(); ++i)
    if (getTotal(usage[i]) > getTotal(usage[peak]))
      peak = i;
  return memory;
}
