//===- StepCalls.cpp - How steps become calls -------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/StepCalls.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::plan;

SmallVector<ArenaRange> tessera::getFileRanges(ValueRange buffers) {
  SmallVector<BufferOp> sorted;
  for (Value buffer : buffers)
    sorted.push_back(buffer.getDefiningOp<BufferOp>());
  llvm::sort(sorted, [](BufferOp a, BufferOp b) {
    return a.getOffset() < b.getOffset();
  });
  SmallVector<ArenaRange> ranges;
  for (size_t i = 0; i < sorted.size();) {
    int64_t begin = sorted[i].getPlace(), end = begin;
    for (; i < sorted.size() && sorted[i].getPlace() == end; ++i)
      end = llvm::alignTo(end + sorted[i].getBytes(), pageBytes);
    ranges.push_back({begin, end});
  }
  return ranges;
}

int64_t tessera::getCallCount(Operation *step) {
  if (auto fetch = dyn_cast<FetchOp>(step))
    return static_cast<int64_t>(getFileRanges(fetch.getBuffers()).size());
  if (auto evict = dyn_cast<EvictOp>(step))
    return static_cast<int64_t>(getFileRanges(evict.getBuffers()).size());
  return 1;
}

LLVM::GlobalOp tessera::createText(OpBuilder &builder, Location loc,
                                   StringRef name, LLVM::Linkage linkage,
                                   StringRef text) {
  std::string bytes = (text + StringRef("\0", 1)).str();
  auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), bytes.size());
  return LLVM::GlobalOp::create(builder, loc, type, /*isConstant=*/true,
                                linkage, name, builder.getStringAttr(bytes));
}
