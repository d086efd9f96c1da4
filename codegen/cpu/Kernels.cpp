//===- Kernels.cpp - Registration of single kernels -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Kernels.h"
#include "codegen/cpu/KernelEmission.h"
#include "dialects/graph/Graph.h"
#include "dialects/nn/NN.h"
#include "dialects/plan/Plan.h"
#include "dialects/zero/Zero.h"

using namespace mlir;
using namespace tessera;

/// The dialects that kernels are written in.
static void loadTargets(MLIRContext *context) {
  context->loadDialect<arith::ArithDialect, math::MathDialect,
                       memref::MemRefDialect, scf::SCFDialect,
                       vector::VectorDialect>();
}

void tessera::cpu::registerKernels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, nn::NNDialect *) {
    loadTargets(context);
    registerAttention(context);
    registerAttentionGrad(context);
    registerCache(context);
    registerCachedAttention(context);
    registerNorm(context);
    registerQuantizedMatmul(context);
    registerRowMatmul(context);
    registerScatterAdd(context);
    registerTranspose(context);
  });
  registry.addExtension(+[](MLIRContext *context, graph::GraphDialect *) {
    loadTargets(context);
    registerAggregate(context);
    registerGraphAttention(context);
    registerGraphDropout(context);
    registerNeighborMax(context);
  });
  registry.addExtension(+[](MLIRContext *context, plan::PlanDialect *) {
    loadTargets(context);
    registerRowLoop(context);
  });
  registry.addExtension(+[](MLIRContext *context, zero::ZeroDialect *) {
    loadTargets(context);
    registerUpdate(context);
    registerQuantize(context);
  });
}
