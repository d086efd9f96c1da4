//===- PeakBuffers.cpp - What is in memory when most is ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "report/PeakBuffers.h"
#include "dialects/plan/StepGroups.h"
#include "report/Figures.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::plan;

std::string tessera::describeUsage(const Usage &bytes) {
  std::string text = formatBytes(getTotal(bytes)) + " in use";
  for (int i = 0; i < stepCategoryCount; ++i)
    if (bytes[i])
      text += "\n" + stringifyCategory(static_cast<Category>(i)).str() + " " +
              formatBytes(bytes[i]);
  return text;
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
  StepGroups groups(program);
  SmallVector<StringRef> layers = groups.getLayers(memory.steps);
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
