//===- KernelInterface.cpp - Operations that are kernels --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "target/KernelInterface.h"
#include "dialects/plan/Plan.h"

using namespace mlir;

int64_t tessera::getTensorBytes(Operation *op) {
  int64_t bytes = 0;
  auto add = [&](TypeRange types) {
    for (Type type : types)
      if (auto tensor = dyn_cast<RankedTensorType>(type))
        bytes += plan::getBytes(tensor);
  };
  add(op->getOperandTypes());
  add(op->getResultTypes());
  return bytes;
}

#include "target/KernelInterface.cpp.inc"
