//===- AllDialects.cpp - Registration of all dialects -----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/AllDialects.h"
#include "dialects/graph/Graph.h"
#include "dialects/nn/NN.h"
#include "dialects/optimizer/Optimizer.h"
#include "dialects/plan/Plan.h"
#include "dialects/spec/Spec.h"
#include "dialects/zero/Zero.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/BuiltinDialect.h"

void tessera::registerAllDialects(mlir::DialectRegistry &registry) {
  registry.insert<graph::GraphDialect, nn::NNDialect, plan::PlanDialect,
                  mlir::arith::ArithDialect, mlir::func::FuncDialect,
                  mlir::gpu::GPUDialect, mlir::NVVM::NVVMDialect,
                  mlir::LLVM::LLVMDialect, mlir::math::MathDialect,
                  mlir::memref::MemRefDialect, mlir::scf::SCFDialect,
                  mlir::vector::VectorDialect, optimizer::OptimizerDialect,
                  spec::SpecDialect, zero::ZeroDialect>();
  nn::registerElementwiseGradients(registry);
  // A module without a specification is asked for what one has by default.
  registry.addExtension(
      +[](mlir::MLIRContext *context, mlir::BuiltinDialect *) {
        context->loadDialect<spec::SpecDialect>();
      });
}
