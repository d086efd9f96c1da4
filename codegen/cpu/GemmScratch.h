//===- GemmScratch.h - Memory that GEMMs need -------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CPU_GEMMSCRATCH_H
#define TESSERA_CODEGEN_CPU_GEMMSCRATCH_H

#include "target/GemmShape.h"

namespace tessera::cpu {

/// Bytes of scratch memory that the target's library takes for \p gemm with
/// any number of threads up to \p threads, asked of the library of this
/// machine; negative where the library cannot do it.
int64_t getScratchBytes(const GemmShape &gemm, int64_t threads);

} // namespace tessera::cpu

#endif // TESSERA_CODEGEN_CPU_GEMMSCRATCH_H
