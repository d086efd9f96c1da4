//===- DeviceKernel.cpp - Kernels as functions of a device ------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/DeviceKernel.h"
#include "codegen/cuda/GeneralKernel.h"
#include "codegen/kernels/Buffers.h"
#include "dialects/AttributeNames.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "target/KernelInterface.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::cuda;

SmallVector<Grid> cuda::getGrids(func::FuncOp kernel) {
  if (auto op = getKernelOp<KernelEmissionOpInterface>(kernel))
    return op.getGrids();
  return getGeneralGrids(kernel);
}

int64_t cuda::getScratchBytes(func::FuncOp kernel) {
  if (auto op = getKernelOp<KernelEmissionOpInterface>(kernel))
    return op.getScratchBytes();
  return getGeneralScratchBytes(kernel);
}

std::string cuda::getDeviceName(StringRef name, unsigned grid) {
  std::string result = name.str();
  // PTX's identifiers are those of C, with dollars.
  for (char &letter : result)
    if (!llvm::isAlnum(letter) && letter != '_')
      letter = '$';
  if (llvm::isDigit(result.front()))
    result.insert(0, "$");
  return grid == 0 ? result : result + "_grid" + std::to_string(grid);
}

/// Declares the function of one grid, with its entry block.
static gpu::GPUFuncOp declareFunction(func::FuncOp kernel, OpBuilder &builder,
                                      unsigned number, Grid grid,
                                      int64_t scratchBytes) {
  SmallVector<Type> types;
  for (Type type : kernel.getArgumentTypes())
    types.push_back(codegen::getBufferType(type));
  for (Type type : kernel.getResultTypes())
    types.push_back(codegen::getBufferType(type));
  types.push_back(MemRefType::get({scratchBytes}, builder.getI8Type()));
  auto function = gpu::GPUFuncOp::create(
      builder, kernel.getLoc(), getDeviceName(kernel.getSymName(), number),
      builder.getFunctionType(types, {}));
  function->setAttr(gpu::GPUDialect::getKernelFuncAttrName(),
                    builder.getUnitAttr());
  auto dimensions = [&](int64_t size) {
    return builder.getDenseI32ArrayAttr({static_cast<int32_t>(size), 1, 1});
  };
  function->setAttr(kernelAttrName, kernel.getSymNameAttr());
  function.setKnownGridSizeAttr(dimensions(grid.blocks));
  function.setKnownBlockSizeAttr(dimensions(grid.threads));
  // Without it the assembler would rather spill than use more registers than
  // several blocks have.
  function->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                    builder.getI32IntegerAttr(grid.resident));
  SmallVector<bool> mayAlias = codegen::getMayAlias(kernel);
  mayAlias.push_back(false);
  for (auto [i, may] : llvm::enumerate(mayAlias))
    if (!may)
      function.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(),
                          builder.getUnitAttr());
  return function;
}

LogicalResult cuda::buildDeviceKernel(func::FuncOp kernel,
                                      gpu::GPUModuleOp device) {
  auto op = getKernelOp<KernelEmissionOpInterface>(kernel);
  int64_t scratchBytes = getScratchBytes(kernel);
  auto builder = OpBuilder::atBlockEnd(device.getBody());
  for (auto [i, grid] : llvm::enumerate(getGrids(kernel))) {
    gpu::GPUFuncOp function =
        declareFunction(kernel, builder, i, grid, scratchBytes);
    Block &block = function.getBody().front();
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&block);
    KernelBuffers buffers;
    // Shared memory becomes an argument of the block, too.
    auto arguments = llvm::to_vector_of<Value>(block.getArguments());
    buffers.scratch = arguments.pop_back_val();
    if (failed(codegen::collectBuffers(kernel, op, arguments, buffers.inputs,
                                       buffers.outputs)))
      return failure();
    ThreadBuilder thread(builder, function);
    if (op)
      op.emitThread(i, thread, buffers);
    else
      emitGeneralThread(kernel, i, thread, buffers);
    gpu::ReturnOp::create(builder, kernel.getLoc());
  }
  kernel.erase();
  return success();
}
