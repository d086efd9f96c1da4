//===- CachedRows.h - Rows that are tokens in slots of a cache --*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CPU_CACHEDROWS_H
#define TESSERA_CODEGEN_CPU_CACHEDROWS_H

#include "codegen/cpu/KernelEmission.h"
#include "codegen/kernels/Quantize.h"
#include "dialects/nn/NN.h"

namespace tessera::cpu {

/// Where the operands of an operation on a cache lie.
template <typename Op> class CachedRows {
public:
  CachedRows(Op op, KernelBody &body)
      : vb(body.builder, body.loc), op(op), body(body), rows(op.getRows()),
        dim(op.getHeadDim()), columns(op.getQkv().getType().getDimSize(1)),
        vectors(llvm::divideCeil(dim, codegen::vectorLanes)) {
    qkv = vb.flatten(body.inputs[0]);
    slots = vb.flatten(body.inputs[2]);
    positions = vb.flatten(body.inputs[3]);
    mlir::Value read =
        vb.toIndex(vb.loadScalar(vb.flatten(body.inputs[4]), vb.index(0)));
    count = vb.min(read, vb.index(rows));
    if (op.getScales())
      scales = vb.flatten(body.inputs[5]);
  }

  /// Iterations are pairs of a key head and \p together rows, rows being
  /// innermost: of rows only the first are there, so that threads get heads,
  /// not rows.
  static int64_t getIterations(Op op, int64_t together = 1) {
    return op.getKeyHeads() * llvm::divideCeil(op.getRows(), together);
  }

protected:
  /// Calls \p emit(head, row) for the iterations whose first row is there.
  void forRows(int64_t together,
               llvm::function_ref<void(mlir::Value, mlir::Value)> emit) {
    int64_t parts = llvm::divideCeil(rows, together);
    vb.loop(body.begin, body.end, 1, [&](mlir::Value iteration) {
      mlir::Value head = vb.div(iteration, parts);
      mlir::Value row = vb.mul(vb.rem(iteration, parts), together);
      mlir::Value isThere = mlir::arith::CmpIOp::create(
          vb.builder, vb.loc, mlir::arith::CmpIPredicate::slt, row, count);
      auto guard = mlir::scf::IfOp::create(vb.builder, vb.loc, isThere,
                                           /*withElseRegion=*/false);
      mlir::OpBuilder::InsertionGuard insertion(vb.builder);
      vb.builder.setInsertionPointToStart(guard.thenBlock());
      emit(head, row);
    });
  }

  mlir::Value read(mlir::Value numbers, mlir::Value row) {
    return vb.toIndex(vb.loadScalar(numbers, row));
  }
  /// The column of head \p head's queries, keys or values in row \p row.
  mlir::Value locate(mlir::Value row, mlir::Value head, int64_t which) {
    return vb.add(vb.add(vb.mul(row, columns), op.getColumn(which)),
                  vb.mul(head, op.getHeadStride()));
  }
  /// Position 0 of the keys (0) or values (1) of a slot's head.
  mlir::Value locateCached(mlir::Value slot, mlir::Value head, int64_t which) {
    int64_t context = op.getSlotLength(), keyHeads = op.getKeyHeads();
    mlir::Value first = vb.add(slot, which * op.getSlotCount());
    return vb.mul(vb.add(vb.mul(first, keyHeads), head), context * dim);
  }
  /// The mask of vector \p v of a head; null where all lanes are wanted.
  mlir::Value mask(int64_t v) {
    return vb.mask(dim - v * codegen::vectorLanes);
  }
  /// A head's vectors from \p start on, zero past its end.
  llvm::SmallVector<mlir::Value> loadHead(mlir::Value buffer,
                                          mlir::Value start) {
    llvm::SmallVector<mlir::Value> result;
    for (int64_t v = 0; v < vectors; ++v)
      result.push_back(
          vb.load(buffer, vb.add(start, v * codegen::vectorLanes), mask(v)));
    return result;
  }

  /// What the cache \p buffer holds of a head's position from \p start on.
  llvm::SmallVector<mlir::Value> loadCached(mlir::Value buffer,
                                            mlir::Value start) {
    llvm::SmallVector<mlir::Value> result;
    for (int64_t v = 0; v < vectors; ++v)
      result.push_back(loadCached(buffer, start, v));
    return result;
  }
  /// Its vector \p v.
  mlir::Value loadCached(mlir::Value buffer, mlir::Value start, int64_t v) {
    mlir::Value numbers =
        vb.load(buffer, vb.add(start, v * codegen::vectorLanes), mask(v));
    if (!scales)
      return numbers;
    mlir::Value scale = vb.splat(vb.loadScalar(scales, vb.div(start, dim)));
    return codegen::fromBytes(vb, numbers, scale);
  }

  codegen::VectorBuilder vb;
  Op op;
  KernelBody &body;
  int64_t rows, dim, columns, vectors;
  mlir::Value qkv, slots, positions, count;
  /// Of a cache of bytes; else null.
  mlir::Value scales;
};

} // namespace tessera::cpu

#endif // TESSERA_CODEGEN_CPU_CACHEDROWS_H
