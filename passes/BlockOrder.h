//===- BlockOrder.h - The order of operations that move ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_PASSES_BLOCKORDER_H
#define TESSERA_PASSES_BLOCKORDER_H

#include "mlir/IR/Block.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/DenseMap.h"

namespace tessera {

/// Which operation of a block stands before which, while some of them move.
/// The block itself counts anew after each move, which makes a pass that moves
/// an operation per layer quadratic in the layers.
class BlockOrder {
public:
  explicit BlockOrder(mlir::Block &block) : block(block) { count(); }

  /// Whether \p a, of the block, stands before \p b, of the block.
  bool isBefore(mlir::Operation *a, mlir::Operation *b) const {
    return places.at(a) < places.at(b);
  }

  /// Moves \p op, of the block, right before \p next.
  void moveBefore(mlir::Operation *op, mlir::Operation *next) {
    if (op == next || op->getNextNode() == next)
      return;
    op->moveBefore(next);
    mlir::Operation *previous = op->getPrevNode();
    int64_t place = previous ? places.at(previous) + 1 : places.at(next) - 1;
    if (place < places.at(next))
      places[op] = place;
    else
      count();
  }

private:
  /// Operations begin far from one another: many have room before the next one.
  void count() {
    constexpr int64_t distance = int64_t(1) << 32;
    int64_t place = 0;
    for (mlir::Operation &op : block)
      places[&op] = place += distance;
  }

  mlir::Block &block;
  llvm::DenseMap<mlir::Operation *, int64_t> places;
};

} // namespace tessera

#endif // TESSERA_PASSES_BLOCKORDER_H
