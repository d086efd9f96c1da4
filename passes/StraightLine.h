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

} // namespace tessera

#endif // TESSERA_PASSES_STRAIGHTLINE_H
