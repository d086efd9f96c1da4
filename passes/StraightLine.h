//===- StraightLine.h - Rewriting of straight lines -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_PASSES_STRAIGHTLINE_H
#define TESSERA_PASSES_STRAIGHTLINE_H

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace tessera {

/// How programs and kernels are rewritten: their regions, of one block, have
/// nothing to simplify, and to look for it is a good part of the time.
inline mlir::GreedyRewriteConfig getStraightLineConfig() {
  mlir::GreedyRewriteConfig config;
  config.setRegionSimplificationLevel(
      mlir::GreedySimplifyRegionLevel::Disabled);
  return config;
}

/// Applies \p patterns to the operations in \p root that are one of \p Roots,
/// in program order, and to what they make of these and its users. All others
/// stay as they are: to look at each of them takes longer than what is done.
template <typename... Roots>
mlir::LogicalResult applyToRoots(mlir::Operation *root,
                                 mlir::RewritePatternSet &&patterns) {
  mlir::SmallVector<mlir::Operation *> operations;
  root->walk([&](mlir::Operation *op) {
    if (mlir::isa<Roots...>(op))
      operations.push_back(op);
  });
  // The driver takes the last one first.
  std::reverse(operations.begin(), operations.end());
  return mlir::applyOpPatternsGreedily(operations, std::move(patterns),
                                       getStraightLineConfig());
}

} // namespace tessera

#endif // TESSERA_PASSES_STRAIGHTLINE_H
