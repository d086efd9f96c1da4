//===- ApproximateGelu.cpp - A pass from outside --------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/extension/ApproximateGelu.h"

namespace tessera::extension {
#define GEN_PASS_DEF_APPROXIMATEGELU
#include "test/extension/ApproximateGelu.h.inc"
} // namespace tessera::extension

using namespace mlir;
using namespace tessera;

namespace {
struct ApproximateGelu : extension::impl::ApproximateGeluBase<ApproximateGelu> {
  using ApproximateGeluBase::ApproximateGeluBase;

  void runOnOperation() override {
    getOperation().walk([&](nn::GeluOp gelu) {
      auto type = cast<RankedTensorType>(gelu.getType());
      if (static_cast<uint64_t>(type.getNumElements()) < minElements)
        return;
      OpBuilder builder(gelu);
      auto quick = extension::QuickGeluOp::create(builder, gelu.getLoc(), type,
                                                  gelu.getInput());
      gelu.replaceAllUsesWith(quick.getResult());
      gelu.erase();
      ++numReplaced;
    });
  }
};
} // namespace
