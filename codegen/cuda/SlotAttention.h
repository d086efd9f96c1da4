//===- SlotAttention.h - Attention of one slot's tokens ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CUDA_SLOTATTENTION_H
#define TESSERA_CODEGEN_CUDA_SLOTATTENTION_H

#include "codegen/cuda/KernelEmission.h"
#include "dialects/nn/NN.h"

namespace tessera::cuda {

/// Attention to a cache where all rows are of one slot (`one_slot`): by tiles
/// of queries and keys, as that of whole texts.
Grid getSlotAttentionGrid(nn::CachedAttentionOp op);
/// Writes what one thread of that grid does.
void emitSlotAttention(nn::CachedAttentionOp op, ThreadBuilder &tb,
                       const KernelBuffers &buffers);

} // namespace tessera::cuda

#endif // TESSERA_CODEGEN_CUDA_SLOTATTENTION_H
