//===- LongGemm.h - GEMMs that sum over many rows ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The gradient of a weight is aᵀ b, [m, k] times [k, n], where k, the rows of a
// batch or the nodes of a graph, may exceed m and n a thousandfold.
// oneDNN 2.6.3 reaches a third to a half of the peak there. Here k is cut into
// parts, whose number depends on it alone: threads take parts, and the parts'
// results are summed in order, so that the bits are the same on any number of
// threads.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_HOST_LONGGEMM_H
#define TESSERA_RUNTIME_HOST_LONGGEMM_H

#include "runtime/program/Manifest.h"

namespace tessera::runtime {

/// Whether \p gemm is done here: of fp32, with a alone transposed, no bias and
/// no epilogue, k much larger than m and n, on a CPU with AVX-512.
bool isLong(const Gemm &gemm);

/// Bytes of scratch memory of a long GEMM on \p threads threads.
int64_t longGemmScratchBytes(const Gemm &gemm, int threads);

/// c = aᵀ b, plus c where the GEMM accumulates; a is [k, m], b is [k, n], of
/// which the first \p rows rows are read: the result is what it is where the
/// others are 0. \p scratch is longGemmScratchBytes() at a multiple of 64
/// bytes.
void runLongGemm(const Gemm &gemm, int64_t rows, const float *a, const float *b,
                 float *c, char *scratch);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_HOST_LONGGEMM_H
