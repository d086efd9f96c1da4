//===- Update.h - The step of an optimizer ----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What zero.update computes at one place, whoever walks over the places: the
// loop of a CPU's thread (codegen/cpu/Update.cpp) or the threads of a grid
// (codegen/cuda/Update.cpp). The arithmetic is the optimizer's own formula,
// written on vectors.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_KERNELS_UPDATE_H
#define TESSERA_CODEGEN_KERNELS_UPDATE_H

#include "codegen/kernels/VectorBuilder.h"
#include "dialects/zero/Zero.h"

namespace tessera::codegen {

class UpdateEmitter {
public:
  /// \p inputs and \p outputs are the buffers of the operands and results of
  /// \p op. Computes what is the same everywhere: the numbers of each class.
  UpdateEmitter(VectorBuilder &vb, zero::UpdateOp op, mlir::ValueRange inputs,
                mlir::ValueRange outputs);

  /// Updates the vector at \p position. Mask c of \p before says which of its
  /// lanes lie before the end of class c. Everything is read before anything is
  /// written.
  void emit(mlir::Value position, mlir::Value mask, mlir::ValueRange before);

  /// The element where each class but the last ends, of type index.
  llvm::SmallVector<mlir::Value> classEnds;

private:
  /// The numbers of the class of each lane.
  llvm::SmallVector<mlir::Value> selectNumbers(mlir::ValueRange before);

  VectorBuilder &vb;
  zero::UpdateOp op;
  int64_t numStates;
  llvm::SmallVector<mlir::Value> in, out;
  mlir::Value clip;
  /// Of each class: vectors of equal lanes.
  llvm::SmallVector<llvm::SmallVector<mlir::Value>> numbers;
};

} // namespace tessera::codegen

#endif // TESSERA_CODEGEN_KERNELS_UPDATE_H
