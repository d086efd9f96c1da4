//===- AssignIds.cpp - Number what the runtime is called for ----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Passes.h"
#include "dialects/AttributeNames.h"
#include "dialects/plan/Within.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "target/GemmShape.h"
#include <map>

namespace tessera {
#define GEN_PASS_DEF_ASSIGNIDS
#include "codegen/Passes.h.inc"
} // namespace tessera

using namespace mlir;
using namespace tessera;
using namespace tessera::plan;

namespace {

struct AssignIds : tessera::impl::AssignIdsBase<AssignIds> {
  void runOnOperation() override {
    Builder builder(&getContext());
    auto assign = [&](Operation *op, int64_t id) {
      op->setAttr(idAttrName, builder.getI32IntegerAttr(id));
    };
    std::map<GemmShape, int64_t> gemms;
    auto assignGemm = [&](GemmOp gemm) {
      assign(
          gemm,
          gemms.try_emplace(GemmShape::get(gemm), gemms.size()).first->second);
    };
    auto countOf = [](ProgramOp program) {
      return llvm::range_size(program.getBody().getOps<StartOp>());
    };
    for (auto program : getOperation().getOps<ProgramOp>()) {
      for (auto gemm : program.getBody().getOps<GemmOp>())
        assignGemm(gemm);
      // One communicator serves all programs of an arena.
      int64_t first = 0;
      if (getWithin(program)) {
        ProgramOp host = getHost(program);
        if (!host)
          return signalPassFailure();
        first = countOf(host);
      }
      for (auto start : program.getBody().getOps<StartOp>())
        assign(start, first++);
    }
    for (auto kernel : getOperation().getOps<func::FuncOp>())
      kernel.walk(assignGemm);
    int64_t functions = 0;
    getOperation().walk(
        [&](gpu::GPUFuncOp function) { assign(function, functions++); });
  }
};

} // namespace
