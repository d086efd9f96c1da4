//===- Pipeline.cpp - The phase target on GPUs ------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Passes.h"
#include "codegen/cuda/DeviceKernel.h"
#include "codegen/cuda/Passes.h"
#include "codegen/cuda/Target.h"
#include "codegen/kernels/Arithmetic.h"
#include "dialects/AttributeNames.h"
#include "dialects/Contracts.h"
#include "dialects/nn/NN.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "target/KernelInterface.h"

namespace tessera::cuda {
#define GEN_PASS_DEF_BUILDKERNELS
#define GEN_PASS_DEF_SHAPEKERNELS
#include "codegen/cuda/Passes.h.inc"
} // namespace tessera::cuda

using namespace mlir;
using namespace tessera;

/// Columns of the heads of \p op; 0 where it is no attention.
static int64_t getHeadColumns(Operation *op) {
  if (auto attention = dyn_cast<nn::AttentionOp>(op))
    return attention.getHeadDim();
  if (auto attention = dyn_cast<nn::AttentionGradOp>(op))
    return attention.getHeadDim();
  return 0;
}

/// Whether this target has code for what \p kernel is made of.
static LogicalResult checkSupported(func::FuncOp kernel) {
  for (Operation &step : kernel.getBody().front())
    if (isa_and_present<plan::PlanDialect>(step.getDialect()))
      return step.emitOpError("has no code for GPUs");
  KernelOpInterface op = getKernelOp(kernel);
  if (op && !getKernelOp<cuda::KernelEmissionOpInterface>(kernel))
    return op->emitOpError("has no code for GPUs");
  if (op && getHeadColumns(op) > cuda::mostHeadColumns)
    return op->emitOpError("has heads of ")
           << getHeadColumns(op) << " columns, and on GPUs they have at most "
           << cuda::mostHeadColumns << ": give more heads";
  for (cuda::Grid grid : cuda::getGrids(kernel))
    if (grid.blocks > INT32_MAX)
      return kernel.emitError("kernel '")
             << kernel.getSymName() << "' takes " << grid.blocks
             << " blocks, and a grid has 2147483647 at most: take a smaller "
                "micro-batch";
  return success();
}

namespace {

struct ShapeKernels : cuda::impl::ShapeKernelsBase<ShapeKernels> {
  void runOnOperation() override {
    if (failed(verifyKernels(getOperation())))
      return signalPassFailure();
    OpBuilder builder(&getContext());
    for (func::FuncOp kernel : getKernels(getOperation())) {
      if (failed(checkSupported(kernel)))
        return signalPassFailure();
      int64_t threads = 0;
      for (cuda::Grid grid : cuda::getGrids(kernel))
        threads += grid.blocks * grid.threads;
      kernel->setAttr(iterationsAttrName, builder.getI64IntegerAttr(threads));
      kernel->setAttr(scratchAttrName,
                      builder.getI64IntegerAttr(cuda::getScratchBytes(kernel)));
      kernel->setAttr(flopsAttrName,
                      builder.getI64IntegerAttr(codegen::getFlops(kernel)));
    }
  }
};

struct BuildKernels : cuda::impl::BuildKernelsBase<BuildKernels> {
  void runOnOperation() override {
    if (failed(verifyKernels(getOperation())))
      return signalPassFailure();
    ModuleOp module = getOperation();
    auto builder = OpBuilder::atBlockEnd(module.getBody());
    auto device = gpu::GPUModuleOp::create(builder, module.getLoc(),
                                           plan::PlanDialect::deviceModuleName);
    for (func::FuncOp kernel : getKernels(module))
      if (failed(checkSupported(kernel)) ||
          failed(cuda::buildDeviceKernel(kernel, device)))
        return signalPassFailure();
    numFunctions += llvm::range_size(device.getOps<gpu::GPUFuncOp>());
  }
};

} // namespace

void cuda::buildPipeline(OpPassManager &manager) {
  manager.addPass(tessera::createDescribeSteps());
  manager.addPass(createBuildKernels());
  manager.addPass(tessera::createAssignIds());
  manager.addPass(tessera::createLowerPrograms());
  addLowerDevicePasses(manager);
  manager.addPass(tessera::createVerifyTarget());
}
