//===- GemmPrimitive.h - One GEMM as a oneDNN primitive ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Shared by the runtime, which runs the primitives, and by the compiler, which
// asks how much scratch memory the library wants so that the plan has it.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_HOST_GEMMPRIMITIVE_H
#define TESSERA_RUNTIME_HOST_GEMMPRIMITIVE_H

#include "runtime/program/Manifest.h"

namespace tessera::runtime {

/// Bytes of scratch memory that oneDNN takes for \p gemm on this machine with
/// \p threads threads (0: as many as this process has); negative where the
/// library cannot do it.
int64_t gemmScratchBytes(const Gemm &gemm, int threads);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_HOST_GEMMPRIMITIVE_H
