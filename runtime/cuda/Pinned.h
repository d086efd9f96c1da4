//===- Pinned.h - Host memory that a GPU reads ------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// How much of it a rank takes is part of the plan, so the compiler knows it
// too.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CUDA_PINNED_H
#define TESSERA_RUNTIME_CUDA_PINNED_H

#include <cstdint>

namespace tessera::runtime::cuda {

/// What states pass through on their way between the host and the arena.
constexpr int64_t bounceBytes = 4 << 20;

/// Buffers of an input that is filled again and again: one may be filled while
/// the other is still being copied.
constexpr int inputBuffers = 2;

} // namespace tessera::runtime::cuda

#endif // TESSERA_RUNTIME_CUDA_PINNED_H
