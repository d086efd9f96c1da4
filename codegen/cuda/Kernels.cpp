//===- Kernels.cpp - Registration of single kernels -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/Kernels.h"
#include "codegen/cuda/KernelEmission.h"
#include "dialects/graph/Graph.h"
#include "dialects/nn/NN.h"
#include "dialects/zero/Zero.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"

using namespace mlir;
using namespace tessera;

/// The dialects that kernels are written in.
static void loadTargets(MLIRContext *context) {
  context->loadDialect<arith::ArithDialect, gpu::GPUDialect, math::MathDialect,
                       memref::MemRefDialect, nvgpu::NVGPUDialect,
                       scf::SCFDialect, vector::VectorDialect>();
}

void tessera::cuda::registerKernels(DialectRegistry &registry) {
  // What takes the functions of a device to the LLVM dialect asks for these.
  arith::registerConvertArithToLLVMInterface(registry);
  cf::registerConvertControlFlowToLLVMInterface(registry);
  index::registerConvertIndexToLLVMInterface(registry);
  registerConvertFuncToLLVMInterface(registry);
  registerConvertMemRefToLLVMInterface(registry);
  ub::registerConvertUBToLLVMInterface(registry);
  vector::registerConvertVectorToLLVMInterface(registry);
  registry.addExtension(+[](MLIRContext *context, nn::NNDialect *) {
    loadTargets(context);
    registerAttention(context);
    registerAttentionGrad(context);
    registerCache(context);
    registerNorm(context);
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
  registry.addExtension(+[](MLIRContext *context, zero::ZeroDialect *) {
    loadTargets(context);
    registerUpdate(context);
    registerQuantize(context);
  });
}
