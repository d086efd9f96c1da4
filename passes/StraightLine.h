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

/// Applies \p patterns, each of which begins at an operation of one name, to
/// the operations in \p root of these names, in program order, and to what they
/// make of these and its users. All others stay as they are: to look at each of
/// them takes longer than what is done. How many it began with.
inline llvm::FailureOr<int64_t>
applyToRoots(mlir::Operation *root,
             const mlir::FrozenRewritePatternSet &patterns) {
  const auto &byName = patterns.getOpSpecificNativePatterns();
  mlir::SmallVector<mlir::Operation *> operations;
  root->walk([&](mlir::Operation *op) {
    if (byName.contains(op->getName()))
      operations.push_back(op);
  });
  // The driver takes the last one first.
  std::reverse(operations.begin(), operations.end());
  if (mlir::failed(mlir::applyOpPatternsGreedily(operations, patterns,
                                                 getStraightLineConfig())))
    return mlir::failure();
  return operations.size();
}

} // namespace tessera

#endif // TESSERA_PASSES_STRAIGHTLINE_H
