//===- Buffers.cpp - The memory that stands for a kernel's tensors --------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/kernels/Buffers.h"
#include "dialects/AttributeNames.h"
#include "dialects/graph/Graph.h"
#include "dialects/nn/NN.h"
#include "target/KernelInterface.h"

using namespace mlir;
using namespace tessera;

MemRefType codegen::getBufferType(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  return MemRefType::get(tensor.getShape(), tensor.getElementType());
}

SmallVector<bool> codegen::getMayAlias(func::FuncOp kernel) {
  unsigned arguments = kernel.getNumArguments();
  SmallVector<bool> mayAlias(arguments + kernel.getNumResults());
  for (unsigned i = 0; i < kernel.getNumResults(); ++i)
    if (auto overwritten =
            kernel.getResultAttrOfType<ArrayAttr>(i, inPlaceAttrName)) {
      mayAlias[arguments + i] = true;
      for (auto argument : overwritten.getAsRange<IntegerAttr>())
        mayAlias[argument.getInt()] = true;
    }
  return mayAlias;
}

/// The buffers that stand for the operands of a kernel's operation.
static LogicalResult collectInputs(func::FuncOp kernel, Operation *op,
                                   ValueRange arguments,
                                   SmallVectorImpl<Value> &inputs) {
  auto addInput = [&](Value operand, int64_t number = -1) {
    if (auto argument = dyn_cast<BlockArgument>(operand)) {
      inputs.push_back(arguments[argument.getArgNumber()]);
      return success();
    }
    DenseElementsAttr constant;
    if (number >= 0 && cast<KernelOpInterface>(op).takesConstant(number) &&
        matchPattern(operand, m_Constant(&constant)) && constant.isSplat()) {
      inputs.push_back({});
      return success();
    }
    return LogicalResult(
        kernel.emitError("kernel '")
        << kernel.getSymName() << "': an operand of " << op->getName()
        << " is computed inside; make it an argument (a constant may stand "
           "inside as nn.scatter_add's table alone, one number everywhere)");
  };
  for (auto [number, operand] : llvm::enumerate(op->getOperands())) {
    if (auto csr = operand.getDefiningOp<graph::CSROp>()) {
      for (Value array : csr->getOperands())
        if (failed(addInput(array)))
          return failure();
      // Where it has no transpose, kernels find what follows in its place.
      if (!csr.hasTranspose())
        inputs.append(3, Value());
    } else if (failed(addInput(operand, number))) {
      return failure();
    }
  }
  return success();
}

LogicalResult codegen::collectBuffers(func::FuncOp kernel, Operation *op,
                                      ValueRange buffers,
                                      SmallVectorImpl<Value> &inputs,
                                      SmallVectorImpl<Value> &outputs) {
  unsigned arguments = kernel.getNumArguments();
  if (!op) {
    llvm::append_range(inputs, buffers.take_front(arguments));
    llvm::append_range(outputs, buffers.drop_front(arguments));
    return success();
  }
  if (failed(collectInputs(kernel, op, buffers.take_front(arguments), inputs)))
    return failure();
  Operation *end = kernel.getBody().front().getTerminator();
  for (Value value : op->getResults()) {
    auto position = llvm::find(end->getOperands(), value);
    if (position == end->operand_end())
      return kernel.emitError("kernel '")
             << kernel.getSymName() << "' drops a result of " << op->getName()
             << "; it must return every one";
    unsigned index = std::distance(end->operand_begin(), position);
    outputs.push_back(buffers[arguments + index]);
  }
  return success();
}
