//===- GemmShape.cpp - What distinguishes one GEMM from another -----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "target/GemmShape.h"

using namespace tessera;

static std::string getTypeName(mlir::Value matrix) {
  std::string name;
  llvm::raw_string_ostream(name) << mlir::getElementTypeOrSelf(matrix);
  return name;
}

GemmShape GemmShape::get(plan::GemmOp gemm) {
  return {static_cast<int64_t>(gemm.getM()),
          static_cast<int64_t>(gemm.getN()),
          static_cast<int64_t>(gemm.getK()),
          gemm.getTransposeA(),
          gemm.getTransposeB(),
          static_cast<bool>(gemm.getBias()),
          gemm.getAccumulate() || gemm.getAddend(),
          gemm.getEpilogue(),
          getTypeName(gemm.getA()),
          getTypeName(gemm.getOut() ? mlir::Value(gemm.getOut())
                                    : mlir::Value(gemm.getResult())),
          gemm.getCounted(),
          static_cast<int64_t>(gemm.getRoom().value_or(0)),
          gemm.getLocal()};
}
