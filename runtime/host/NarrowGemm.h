//===- NarrowGemm.h - GEMMs with few columns --------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rows times a weight with few columns, and the gradient of such a weight. All
// columns of a row of the result stay in registers, and any number of rows is
// as good as another. 40 columns take as long as 48 do; of a gradient vectors
// hold rows instead where there are whole vectors of these, so that none is
// partly empty. oneDNN 2.6.3 takes a tenth and a half longer.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_HOST_NARROWGEMM_H
#define TESSERA_RUNTIME_HOST_NARROWGEMM_H

#include "runtime/program/Manifest.h"

namespace tessera::runtime {

/// Whether \p gemm is done here: of fp32, with 16 rows or more and up to 48
/// columns, whose last vector is not mostly empty, without an epilogue, and not
/// long, on a CPU with AVX-512.
bool isNarrow(const Gemm &gemm);

/// Bytes of scratch memory of a narrow GEMM.
int64_t narrowGemmScratchBytes(const Gemm &gemm);

/// c = a b plus the bias, or plus c where the GEMM accumulates. \p bias may be
/// null; \p scratch is narrowGemmScratchBytes() at a multiple of 64 bytes. A
/// local GEMM runs on this thread, another on all, which changes no bit.
/// \p count: how many rows are wanted, or inner steps are taken, of a counted
/// one.
void runNarrowGemm(const Gemm &gemm, int64_t count, const float *a,
                   const float *b, const float *bias, float *c, char *scratch);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_HOST_NARROWGEMM_H
