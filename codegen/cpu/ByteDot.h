//===- ByteDot.h - Dot products of bytes ------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CPU_BYTEDOT_H
#define TESSERA_CODEGEN_CPU_BYTEDOT_H

#include "codegen/kernels/VectorBuilder.h"

namespace tessera::cpu {

/// Sums of four products each, exact in 32 bits, by what the CPU has that the
/// specification names: AVX512-VNNI, AVX-VNNI, or shifts and multiplications.
/// All give the same numbers. Without a specification the last one is taken.
class ByteDot {
public:
  /// \p op says for which CPU.
  explicit ByteDot(mlir::Operation *op);

  /// Lane i of the result is that of \p sum plus w_i · x, \p weights being
  /// vector<64xi8>, four bytes without a sign a lane, and \p x an i32, four
  /// bytes with one.
  mlir::Value emit(codegen::VectorBuilder &vb, mlir::Value sum,
                   mlir::Value weights, mlir::Value x) const;

private:
  /// The instruction on vectors of \p lanes lanes.
  static mlir::Value emitInstruction(codegen::VectorBuilder &vb,
                                     mlir::Value sum, mlir::Value weights,
                                     mlir::Value x, int64_t lanes);

  /// Lanes of the CPU's instruction; 0: it has none.
  int64_t lanes = 0;
};

} // namespace tessera::cpu

#endif // TESSERA_CODEGEN_CPU_BYTEDOT_H
