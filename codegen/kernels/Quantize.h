//===- Quantize.h - The arithmetic of quantized blocks ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What zero.quantize and zero.dequantize compute, with the same bits on every
// target. A part of n elements is a message of n bytes and, behind them, one
// fp32 scale per block.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_KERNELS_QUANTIZE_H
#define TESSERA_CODEGEN_KERNELS_QUANTIZE_H

#include "codegen/kernels/VectorBuilder.h"

namespace tessera::codegen {

/// The bits of |x| for each lane of \p x. They are ordered as the numbers are,
/// and NaN is above them all: in a comparison of numbers it would be lost.
mlir::Value getMagnitude(VectorBuilder &vb, mlir::Value x);

/// A block's scale as it is stored, and what its numbers are divided by.
struct BlockScale {
  mlir::Value stored, divisor;
};

/// The scale of a block in which \p most is the largest magnitude.
BlockScale getBlockScale(VectorBuilder &vb, mlir::Value most);

/// \p x as bytes; \p divisor is a vector.
mlir::Value toBytes(VectorBuilder &vb, mlir::Value x, mlir::Value divisor);

/// What \p bytes stand for; \p scale is a vector.
mlir::Value fromBytes(VectorBuilder &vb, mlir::Value bytes, mlir::Value scale);

/// The scale at byte \p position of \p message, as one fp32 in memory.
mlir::Value getScaleBuffer(VectorBuilder &vb, mlir::Value message,
                           mlir::Value position);

} // namespace tessera::codegen

#endif // TESSERA_CODEGEN_KERNELS_QUANTIZE_H
