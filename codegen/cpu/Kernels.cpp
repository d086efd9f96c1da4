//===- Kernels.cpp - Registration of single kernels -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Kernels.h"
#include "codegen/cpu/KernelInterface.h"
#include "dialects/nn/NN.h"

using namespace mlir;
using namespace tessera;

void tessera::cpu::registerKernels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, nn::NNDialect *) {
    registerAttention(context);
    // The kernels' code is written in these.
    context->loadDialect<arith::ArithDialect, math::MathDialect,
                         memref::MemRefDialect, scf::SCFDialect,
                         vector::VectorDialect>();
  });
}
