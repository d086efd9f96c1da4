//===- Cache.h - Kernels of a cache of keys and values ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CUDA_CACHE_H
#define TESSERA_CODEGEN_CUDA_CACHE_H

#include "dialects/nn/NN.h"

namespace tessera::cuda {

/// Target::getAttentionPart.
int64_t getAttentionPart(nn::CachedAttentionOp op);

} // namespace tessera::cuda

#endif // TESSERA_CODEGEN_CUDA_CACHE_H
