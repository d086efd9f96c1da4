//===- Target.h - NVIDIA GPUs as a target ------------------------*- C++
//-*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CUDA_TARGET_H
#define TESSERA_CODEGEN_CUDA_TARGET_H

#include "target/Target.h"

namespace tessera::cuda {

/// Columns of a head whose attention fits a GPU's shared memory and registers.
inline constexpr int64_t mostHeadColumns = 256;

/// Sums along the columns whose parts fit a block's shared memory together.
inline constexpr int64_t mostColumnSums = 6;

std::unique_ptr<Target> createTarget();

} // namespace tessera::cuda

#endif // TESSERA_CODEGEN_CUDA_TARGET_H
