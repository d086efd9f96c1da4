//===- BufferAssignment.h - Which values share memory -----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Gives each tensor value of a program a place in a buffer, a piece of memory
// that is laid out as one. Values share a buffer where one is a view of the
// other, where one is computed in its place in the other (the parts of a
// bucket), where one overwrites another that is not needed any more, and where
// they are the content of one state.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_PASSES_PLAN_BUFFERASSIGNMENT_H
#define TESSERA_PASSES_PLAN_BUFFERASSIGNMENT_H

#include "passes/plan/ValueSets.h"

namespace tessera::plan {

class BufferAssignment : public ValueSets {
public:
  BufferAssignment(mlir::func::FuncOp program, int64_t world)
      : ValueSets(program, world) {}

  /// Finds all places. Fails with a diagnostic where an operation of the
  /// program has no place in a plan.
  mlir::LogicalResult run();

  /// Results that overwrite an operand of their operation.
  int64_t numInPlace = 0;

private:
  int64_t getState(mlir::StringAttr state, mlir::FlatSymbolRefAttr group,
                   mlir::ShapedType type);
  void measureLifetimes();
  void addViews(mlir::Operation &op);
  mlir::LogicalResult pinStates();
  bool putAround(zero::AllGatherOp gather);
  void pinParts();
  void shareDying(mlir::Operation &op);
  bool tryShare(mlir::Value result, mlir::Value operand, bool always);
  int64_t position(mlir::Operation *op) { return positions.lookup(op); }
  int64_t endOfUse(mlir::OpOperand &use);

  int64_t end = 0;
  llvm::DenseMap<mlir::Operation *, int64_t> positions;
  llvm::MapVector<std::pair<mlir::Attribute, mlir::Attribute>, int64_t> states;
};

/// Byte offset in the result of each operand of a concat or bucket.
llvm::SmallVector<int64_t> getPartOffsets(mlir::Operation *op,
                                          mlir::SymbolTableCollection &symbols);

} // namespace tessera::plan

#endif // TESSERA_PASSES_PLAN_BUFFERASSIGNMENT_H
