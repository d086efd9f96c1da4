//===- MemoryUsage.cpp - The memory in use over a step ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "report/MemoryUsage.h"
#include "report/Figures.h"
#include "report/StepGroups.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::plan;

int64_t tessera::getTotal(const Usage &usage) {
  int64_t total = 0;
  for (int64_t bytes : usage)
    total += bytes;
  return total;
}

std::string tessera::describeUsage(const Usage &bytes) {
  std::string text = formatBytes(getTotal(bytes)) + " in use";
  for (int i = 0; i < kStepCategories; ++i)
    if (bytes[i])
      text += "\n" + stringifyCategory(static_cast<Category>(i)).str() + " " +
              formatBytes(bytes[i]);
  return text;
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
    for (int c = 0; c < kStepCategories; ++c)
      usage[i][c] += usage[i - 1][c];
  usage.pop_back();
  for (size_t i = 0; i < usage.size(); ++i)
    if (getTotal(usage[i]) > getTotal(usage[peak]))
      peak = i;
  return memory;
}

std::vector<PeakBuffer> tessera::listPeakBuffers(ProgramOp program,
                                                 const MemoryUsage &memory,
                                                 size_t most) {
  SmallVector<BufferOp> live;
  auto peak = static_cast<int64_t>(memory.peak);
  for (auto buffer : program.getBody().getOps<BufferOp>())
    if (!buffer.isInFile() && buffer.getFirst() <= peak &&
        buffer.getLast() >= peak)
      live.push_back(buffer);
  llvm::sort(live, [](BufferOp a, BufferOp b) {
    return a.getBytes() != b.getBytes() ? a.getBytes() > b.getBytes()
                                        : a.getOffset() < b.getOffset();
  });
  live.truncate(std::min(live.size(), most));
  // A step without parameters belongs to the layer of those before it.
  StepGroups groups(program);
  SmallVector<StringRef> layers;
  for (Operation *step : memory.steps) {
    StringRef group = groups.getGroup(step);
    layers.push_back(group.empty() && !layers.empty() ? layers.back() : group);
  }
  std::vector<PeakBuffer> buffers;
  for (BufferOp buffer : live) {
    StringRef layer = groups.getGroup(buffer);
    if (layer.empty() && !buffer.getPersistent())
      layer = layers[buffer.getFirst()];
    buffers.push_back({buffer.getName().str(), layer.str(),
                       buffer.getCategory(), buffer.getBytes()});
  }
  return buffers;
}
