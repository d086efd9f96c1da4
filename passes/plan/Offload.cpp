//===- Offload.cpp - Put the optimizer's states into a file -----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/spec/Spec.h"
#include "passes/plan/Passes.h"
#include "llvm/ADT/SetVector.h"

namespace tessera::plan {
#define GEN_PASS_DEF_OFFLOAD
#include "passes/plan/Passes.h.inc"
} // namespace tessera::plan

using namespace mlir;
using namespace tessera;
using namespace tessera::plan;

namespace {

/// Steps that follow one another and use the same buffers of the file.
struct StepRange {
  llvm::SetVector<Value> buffers;
  Operation *first, *last;
};

} // namespace

static bool isOffloaded(BufferOp buffer) {
  return buffer.getPersistent() &&
         buffer.getCategory() == Category::Optimizer && !buffer.isInFile();
}

static SmallVector<StepRange> getRanges(ProgramOp program) {
  SmallVector<StepRange> ranges;
  for (Operation *step : program.getSteps()) {
    llvm::SetVector<Value> buffers;
    for (Value operand : step->getOperands())
      if (auto view = operand.getDefiningOp<ViewOp>())
        if (isOffloaded(view.getBufferOp()))
          buffers.insert(view.getBuffer());
    if (buffers.empty())
      continue;
    if (!ranges.empty() && ranges.back().buffers == buffers)
      ranges.back().last = step;
    else
      ranges.push_back({buffers, step, step});
  }
  return ranges;
}

/// Where the section of \p step begins.
static Operation *getSectionStart(Operation *step) {
  while (!isa<SectionOp>(step) && step->getPrevNode())
    step = step->getPrevNode();
  return step;
}

/// Moves the buffers, in the order of their first use; returns how many.
static int64_t moveToFile(ProgramOp program, ArrayRef<StepRange> ranges) {
  llvm::SetVector<Value> order;
  for (const StepRange &range : ranges)
    order.insert(range.buffers.begin(), range.buffers.end());
  for (auto buffer : program.getBody().getOps<BufferOp>())
    if (isOffloaded(buffer))
      order.insert(buffer.getResult());
  int64_t end = 0;
  for (Value value : order) {
    auto buffer = value.getDefiningOp<BufferOp>();
    buffer.setSpace(Space::File);
    buffer.setOffset(end);
    end = llvm::alignTo(end + buffer.getBytes(), pageBytes);
  }
  program.setOffloadBytes(end);
  return order.size();
}

static void streamThroughMemory(ArrayRef<StepRange> ranges) {
  OpBuilder builder(ranges.front().first);
  builder.setInsertionPointAfter(getSectionStart(ranges.front().first));
  FetchOp::create(builder, ranges.front().first->getLoc(),
                  ranges.front().buffers.getArrayRef());
  for (size_t i = 0; i < ranges.size(); ++i) {
    const StepRange &range = ranges[i];
    if (i + 1 < ranges.size()) {
      builder.setInsertionPoint(range.first);
      FetchOp::create(builder, range.first->getLoc(),
                      ranges[i + 1].buffers.getArrayRef());
    }
    builder.setInsertionPointAfter(range.last);
    EvictOp::create(builder, range.last->getLoc(), range.buffers.getArrayRef());
  }
}

/// Gives lifetimes in the numbers that \p steps, all that there were before,
/// have now.
static void renumberLifetimes(ProgramOp program, ArrayRef<Operation *> steps) {
  DenseMap<Operation *, int64_t> number;
  for (auto [index, step] : llvm::enumerate(program.getSteps()))
    number[step] = index;
  for (auto buffer : program.getBody().getOps<BufferOp>())
    if (!buffer.getPersistent())
      buffer.setLive(ArrayRef<int64_t>{number[steps[buffer.getFirst()]],
                                       number[steps[buffer.getLast()]]});
}

namespace {
struct OffloadPass : plan::impl::OffloadBase<OffloadPass> {
  void runOnOperation() override {
    switch (spec::getParallel(getOperation()).getOffload()) {
    case spec::Offload::None:
      return;
    case spec::Offload::Optimizer:
      return moveStates();
    }
  }

  void moveStates() {
    for (auto program : getOperation().getOps<ProgramOp>()) {
      SmallVector<StepRange> ranges = getRanges(program);
      if (ranges.empty())
        continue;
      SmallVector<Operation *> steps = program.getSteps();
      numBuffers += moveToFile(program, ranges);
      streamThroughMemory(ranges);
      renumberLifetimes(program, steps);
    }
  }
};
} // namespace
