//===- Norm.h - The factor that clips gradients -----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_KERNELS_NORM_H
#define TESSERA_CODEGEN_KERNELS_NORM_H

#include "codegen/kernels/VectorBuilder.h"
#include "dialects/nn/NN.h"

namespace tessera::codegen {

/// What nn.clip_scale computes, on the buffers of its operand and results.
void emitClipScale(VectorBuilder &vb, nn::ClipScaleOp op,
                   mlir::ValueRange inputs, mlir::ValueRange outputs);

} // namespace tessera::codegen

#endif // TESSERA_CODEGEN_KERNELS_NORM_H
