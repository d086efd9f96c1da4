//===- KernelMapping.cpp - Who computes what on a grid ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/KernelMapping.h"
#include "codegen/cuda/Target.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::cuda;

/// Threads of a block where the kernel does not ask for another number.
static constexpr int64_t threads = 256;
// A vector of fp32 for each thread and sum, from the widest access.
static_assert(mostColumnSums * threads * (accessBytes / 2) * 4 <= 48 << 10);
/// Elements of a thread that are on their way at a time, and that are kept in
/// registers from pass to pass.
static constexpr int64_t inFlight = 16, kept = 32;
/// Vectors of a row that a thread takes if there are enough threads.
static constexpr int64_t rowVectors = 4;
static constexpr int64_t mostThreads = 512;
/// Blocks that fill a large GPU.
static constexpr int64_t manyBlocks = 512;

KernelMapping::KernelMapping(func::FuncOp kernel)
    : shape(codegen::KernelSpace::get(kernel)) {
  setLanes(kernel);
  if (shape.flat)
    mapElements();
  else if (shape.space.byColumns)
    mapColumns();
  else
    mapRows();
}

/// As many as one access moves of the narrowest tensor, if rows begin at
/// multiples of that.
void KernelMapping::setLanes(func::FuncOp kernel) {
  int64_t bits = 64;
  auto add = [&](TypeRange types) {
    for (Type type : types)
      if (auto tensor = dyn_cast<RankedTensorType>(type))
        if (tensor.getNumElements() >= columns() &&
            isa<FloatType>(tensor.getElementType()))
          bits = std::min<int64_t>(bits, tensor.getElementTypeBitWidth());
  };
  add(kernel.getArgumentTypes());
  add(kernel.getResultTypes());
  lanes = 8 * accessBytes / bits;
  while (columns() % lanes)
    lanes /= 2;
}

void KernelMapping::mapElements() {
  int64_t vectors = columns() / lanes;
  unroll = std::clamp<int64_t>(llvm::divideCeil(vectors, threads), 1,
                               inFlight / lanes);
  grid.threads = std::min<int64_t>(
      threads, llvm::alignTo(std::max<int64_t>(vectors, 1), warpSize));
  grid.blocks = llvm::divideCeil(vectors, grid.threads * unroll);
}

void KernelMapping::mapRows() {
  int64_t all = columns() / lanes;
  if (all <= warpSize * rowVectors) {
    group = std::min<int64_t>(warpSize, llvm::PowerOf2Ceil(all));
    grid.threads = rowThreads;
  } else {
    group = std::min<int64_t>(
        mostThreads,
        llvm::alignTo(llvm::divideCeil(all, rowVectors), warpSize));
    grid.threads = group;
  }
  grid.blocks = llvm::divideCeil(rows(), rowsOfBlock());
  vectors = llvm::divideCeil(all, group);
  keeps = vectors * lanes <= kept;
  unroll = std::max<int64_t>(1, inFlight / lanes);
}

void KernelMapping::mapColumns() {
  int64_t all = columns() / lanes;
  across = std::min<int64_t>(warpSize, llvm::PowerOf2Ceil(all));
  down = threads / across;
  strips = llvm::divideCeil(all, across);
  // Each part sums enough rows to be worth its share of the second grid.
  int64_t most = rows() / (down * rowsInFlight);
  parts =
      std::clamp<int64_t>(manyBlocks / strips, 1, std::max<int64_t>(most, 1));
  partRows = llvm::alignTo(llvm::divideCeil(rows(), parts), down);
  parts = llvm::divideCeil(rows(), partRows);
  grid = {strips * parts, threads};
}
