//===- ApproximateMath.cpp - Polynomials of transcendental functions ------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/kernels/Passes.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"

using namespace mlir;

namespace tessera::codegen {
#define GEN_PASS_DEF_APPROXIMATEMATHPASS
#include "codegen/kernels/Passes.h.inc"
} // namespace tessera::codegen

namespace {
struct ApproximateMathPass
    : tessera::codegen::impl::ApproximateMathPassBase<ApproximateMathPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateMathPolynomialApproximationPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
