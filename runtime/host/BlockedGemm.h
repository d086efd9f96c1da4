//===- BlockedGemm.h - GEMMs in blocks that fit the caches ------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Both factors are copied to panels (GemmBlocks.h) piece by piece: of b what
// fits the last cache, of a what fits a thread's own. So no factor is too large
// to be copied, how it is stored makes little difference, and pieces do not
// depend on the number of threads.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_HOST_BLOCKEDGEMM_H
#define TESSERA_RUNTIME_HOST_BLOCKEDGEMM_H

#include "runtime/program/Manifest.h"

namespace tessera::runtime {

/// Whether \p gemm is done here: of fp32, without an epilogue, of so many rows,
/// columns and inner steps that the copies pay, and not long, on a CPU with
/// AVX-512.
bool isBlocked(const Gemm &gemm);

/// Bytes of scratch memory of a blocked GEMM on \p threads threads.
int64_t blockedGemmScratchBytes(const Gemm &gemm, int threads);

/// c = a b plus the bias, or plus c where the GEMM accumulates, by \p threads
/// threads, which change no bit. \p bias may be null; \p scratch is
/// blockedGemmScratchBytes() at a multiple of 64 bytes. \p count: how many rows
/// are wanted, or inner steps are taken, of a counted one: with the bits of all
/// where the others are 0.
void runBlockedGemm(const Gemm &gemm, int threads, int64_t count,
                    const float *a, const float *b, const float *bias, float *c,
                    char *scratch);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_HOST_BLOCKEDGEMM_H
