//===- GemmScratch.cpp - Memory that GEMMs need -----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/GemmScratch.h"
#include "runtime/host/GemmPrimitive.h"

using namespace tessera;
using namespace tessera::cpu;

int64_t tessera::cpu::getScratchBytes(const GemmShape &gemm, int64_t threads) {
  runtime::Gemm description;
  description.m = gemm.m;
  description.n = gemm.n;
  description.k = gemm.k;
  description.transposeA = gemm.transposeA;
  description.transposeB = gemm.transposeB;
  description.lda = gemm.transposeA ? gemm.m : gemm.k;
  description.ldb = gemm.transposeB ? gemm.k : gemm.n;
  description.ldc = gemm.n;
  description.type = runtime::parseElementType(gemm.type);
  description.resultType = runtime::parseElementType(gemm.resultType);
  description.bias = gemm.bias;
  description.accumulate = gemm.accumulate;
  description.epilogue = plan::stringifyEpilogue(gemm.epilogue).str();
  if (gemm.counted)
    description.counted = *gemm.counted == plan::Counted::Rows
                              ? runtime::Gemm::Counted::Rows
                              : runtime::Gemm::Counted::Inner;
  description.room = gemm.room;
  if ((description.local = gemm.local))
    return runtime::gemmScratchBytes(description, 1);
  // Fewer threads may divide the work in another way that needs more memory.
  int64_t most = 0;
  for (int64_t count = threads;; count /= 2) {
    int64_t bytes = runtime::gemmScratchBytes(description, count);
    if (bytes < 0)
      return bytes;
    most = std::max(most, bytes);
    if (count <= 1)
      return most;
  }
}
