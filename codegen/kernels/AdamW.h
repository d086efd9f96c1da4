//===- AdamW.h - The arithmetic of an AdamW step ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What zero.adamw computes at one place, and the factor that clips its
// gradients, whoever walks over the places: the loop of a processor's thread
// (codegen/cpu/Optimizer.cpp) or the threads of a grid
// (codegen/cuda/Optimizer.cpp).
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_KERNELS_ADAMW_H
#define TESSERA_CODEGEN_KERNELS_ADAMW_H

#include "codegen/kernels/VectorBuilder.h"
#include "dialects/nn/NN.h"
#include "dialects/zero/Zero.h"

namespace tessera::codegen {

/// The arithmetic of torch.optim.AdamW, in its order. What depends on the step
/// alone is computed in double precision, as it is there.
class AdamWUpdate {
public:
  /// \p inputs and \p outputs are the buffers of the operands and results of
  /// \p op. Computes what is the same everywhere.
  AdamWUpdate(VectorBuilder &vb, zero::AdamWOp op, mlir::ValueRange inputs,
              mlir::ValueRange outputs);

  /// Updates the vector at \p position; \p decays says which of its lanes
  /// decay. Everything is read before anything is written.
  void emit(mlir::Value position, mlir::Value mask, mlir::Value decays);

  /// How many leading elements decay, an index.
  mlir::Value decayEnd;

private:
  VectorBuilder &vb;
  bool rounds;
  double beta1, beta2;
  llvm::SmallVector<mlir::Value> in, out;
  mlir::Value step, correction, decayed, epsilon, clip;
};

/// What nn.clip_scale computes, on the buffers of its operand and results.
void emitClipScale(VectorBuilder &vb, nn::ClipScaleOp op,
                   mlir::ValueRange inputs, mlir::ValueRange outputs);

} // namespace tessera::codegen

#endif // TESSERA_CODEGEN_KERNELS_ADAMW_H
