//===- StepWork.cpp - What the steps of a plan do ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "target/StepWork.h"
#include "dialects/AttributeNames.h"
#include "dialects/nn/NN.h"
#include "target/KernelInterface.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::plan;

/// Bytes that the general emitter's kernel reads and writes: of a table only
/// the rows that are gathered.
static double getElementwiseBytes(func::FuncOp kernel) {
  double bytes = 0;
  for (BlockArgument argument : kernel.getArguments()) {
    auto isTable = [&](Operation *user) {
      auto gather = dyn_cast<nn::GatherOp>(user);
      return gather && gather.getTable() == argument;
    };
    if (!argument.use_empty() && llvm::all_of(argument.getUsers(), isTable)) {
      for (Operation *gather : argument.getUsers())
        bytes += getBytes(cast<ShapedType>(gather->getResult(0).getType()));
      continue;
    }
    bytes += getBytes(cast<ShapedType>(argument.getType()));
  }
  for (Type type : kernel.getResultTypes())
    bytes += getBytes(cast<ShapedType>(type));
  return bytes;
}

StepWork tessera::getKernelWork(func::FuncOp kernel) {
  StepWork work;
  auto flops = kernel->getAttrOfType<IntegerAttr>(flopsAttrName);
  work.flops = flops ? static_cast<double>(flops.getInt()) : 0;
  if (KernelOpInterface op = getKernelOp(kernel)) {
    work.kind = op->getName().stripDialect();
    work.bytes = static_cast<double>(op.getMovedBytes());
  } else {
    work.kind = "fused";
    work.bytes = getElementwiseBytes(kernel);
  }
  return work;
}

/// Bytes of the file's buffers that are read or written.
static double getFileBytes(ValueRange buffers) {
  double bytes = 0;
  for (Value buffer : buffers)
    bytes += static_cast<double>(buffer.getDefiningOp<BufferOp>().getBytes());
  return bytes;
}

/// The collective that \p step starts or waits for; null for another step.
static StartOp getStart(Operation *step) {
  if (isa<WaitOp, FenceOp>(step))
    return step->getOperand(0).getDefiningOp<StartOp>();
  return dyn_cast<StartOp>(step);
}

StepWork tessera::getStepWork(Operation *step, const SymbolTable &symbols) {
  auto bytesOf = [](Value view) -> double {
    return view ? getBytes(cast<ShapedType>(view.getType())) : 0;
  };
  StepWork work;
  work.kind = step->getName().stripDialect();
  if (auto launch = dyn_cast<LaunchOp>(step))
    return getKernelWork(symbols.lookup<func::FuncOp>(launch.getKernel()));
  if (auto gemm = dyn_cast<GemmOp>(step)) {
    work.flops = 2.0 * gemm.getM() * gemm.getN() * gemm.getK();
    work.bytes = bytesOf(gemm.getA()) + bytesOf(gemm.getB()) +
                 bytesOf(gemm.getBias()) + bytesOf(gemm.getAux()) +
                 bytesOf(gemm.getOut()) * (gemm.getAccumulate() ? 2 : 1);
  } else if (auto clear = dyn_cast<ClearOp>(step)) {
    work.bytes = bytesOf(clear.getView());
  } else if (auto copy = dyn_cast<CopyOp>(step)) {
    work.bytes = 2 * bytesOf(copy.getSource());
  } else if (auto fetch = dyn_cast<FetchOp>(step)) {
    work.bytes = getFileBytes(fetch.getBuffers());
  } else if (auto evict = dyn_cast<EvictOp>(step)) {
    work.bytes = getFileBytes(evict.getBuffers());
  } else if (StartOp start = getStart(step)) {
    work.kind = stringifyCollective(start.getKind());
    if (isa<WaitOp>(step))
      work.bytes = static_cast<double>(start.getReceivedBytes(
          step->getParentOfType<ProgramOp>().getWorld()));
  }
  return work;
}

std::string tessera::getStepName(Operation *step) {
  if (auto launch = dyn_cast<LaunchOp>(step))
    return launch.getKernel().str();
  if (auto gemm = dyn_cast<GemmOp>(step))
    return "gemm " + std::to_string(gemm.getM()) + " x " +
           std::to_string(gemm.getK()) + " by " + std::to_string(gemm.getK()) +
           " x " + std::to_string(gemm.getN());
  std::string name = step->getName().stripDialect().str();
  if (StartOp start = getStart(step))
    name += " " + stringifyCollective(start.getKind()).str();
  return name;
}
