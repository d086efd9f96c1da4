//===- Attention.cpp - The gradient of attention ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/nn/NN.h"

using namespace mlir;
using namespace tessera::nn;

void AttentionOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                                 MutableArrayRef<Value> operands) {
  if (!gradients[0])
    return;
  operands[0] = AttentionGradOp::create(
      builder, getLoc(), getQkv().getType(), getQkv(), getResult(), getLse(),
      gradients[0], getBatch(), getHeads(), getKvHeads(), getLayout(),
      getCausal(), getWindowAttr(), getAlibi(), getScale(), getDraw(),
      getRate());
}
