//===- RowLoop.cpp - The kernel of plan.row_loop ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/KernelFunction.h"
#include "codegen/cpu/Kernels.h"
#include "codegen/kernels/Buffers.h"
#include "codegen/kernels/VectorBuilder.h"
#include "dialects/plan/Plan.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;
using namespace tessera::cpu;

namespace {

func::FuncOp findKernel(plan::RowLoopOp loop, FlatSymbolRefAttr name) {
  return SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(loop, name);
}

/// Writes a loop's calls.
class Writer {
public:
  Writer(plan::RowLoopOp loop, KernelBody &body)
      : loop(loop), body(body), builder(body.builder), loc(body.loc),
        vb(body.builder, body.loc), converter(loop.getContext()) {}

  void write() {
    int64_t chunks = loop.getChunks(), parts = loop.getParts();
    int64_t whole = loop.getRows() / loop.getChunkRows();
    vb.loop(body.begin, body.end, 1, [&](Value part) {
      clearSums(part);
      // Part p has the chunks from chunks * p / parts on.
      Value first = vb.div(vb.mul(part, chunks), parts);
      Value last = vb.div(vb.mul(vb.add(part, 1), chunks), parts);
      vb.loop(first, vb.min(last, vb.index(whole)), 1, [&](Value chunk) {
        call(findKernel(loop, loop.getChunkAttr()), part, chunk);
      });
      if (!loop.getRest())
        return;
      vb.loop(vb.max(first, vb.index(whole)), last, 1, [&](Value chunk) {
        call(findKernel(loop, loop.getRestAttr()), part, chunk);
      });
    });
  }

private:
  bool isSum(unsigned output) {
    func::FuncOp chunk = findKernel(loop, loop.getChunkAttr());
    return cast<ShapedType>(chunk.getResultTypes()[output]).getRank() <
           cast<ShapedType>(loop.getOutputs()[output].getType()).getRank();
  }

  void clearSums(Value part) {
    for (auto [i, output] : llvm::enumerate(loop.getOutputs())) {
      if (!isSum(i))
        continue;
      auto type = cast<RankedTensorType>(output.getType());
      int64_t elements = type.getNumElements() / type.getDimSize(0);
      Value flat = vb.flatten(body.outputs[i]);
      Value zero = arith::ConstantOp::create(
          builder, loc, builder.getZeroAttr(type.getElementType()));
      Value from = vb.mul(part, elements);
      vb.loop(0, elements, 1, [&](Value at) {
        memref::StoreOp::create(builder, loc, zero, flat, vb.add(from, at));
      });
    }
  }

  /// What lies \p offset bytes into \p buffer, as a buffer of \p type.
  Value getBufferAt(Value buffer, Value offset, Type type) {
    Value start =
        memref::ExtractAlignedPointerAsIndexOp::create(builder, loc, buffer);
    Value address = arith::IndexCastOp::create(
        builder, loc, builder.getI64Type(), vb.add(start, offset));
    auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
    Value descriptor = MemRefDescriptor::fromStaticShape(
        builder, loc, converter, cast<MemRefType>(type),
        LLVM::IntToPtrOp::create(builder, loc, pointer, address));
    return UnrealizedConversionCastOp::create(builder, loc, type, descriptor)
        .getResult(0);
  }

  /// Entry \p number of dimension 0 of \p buffer in pieces of \p type.
  Value getPiece(Value buffer, Value number, Type type) {
    int64_t bytes = plan::getBytes(cast<ShapedType>(type));
    return getBufferAt(buffer, vb.mul(number, bytes), type);
  }

  /// Rows from chunk \p chunk on.
  Value getRows(Value buffer, Value chunk, Type type) {
    auto shaped = cast<ShapedType>(type);
    int64_t bytes = plan::getBytes(shaped) / shaped.getDimSize(0) *
                    static_cast<int64_t>(loop.getChunkRows());
    return getBufferAt(buffer, vb.mul(chunk, bytes), type);
  }

  void call(func::FuncOp kernel, Value part, Value chunk) {
    SmallVector<Value> operands, results;
    for (auto [i, buffer] : llvm::enumerate(body.inputs)) {
      Type type = kernel.getArgumentTypes()[i];
      operands.push_back(type == loop.getInputs()[i].getType()
                             ? buffer
                             : getRows(buffer, chunk, getBufferType(type)));
    }
    for (auto [i, buffer] : llvm::enumerate(body.outputs)) {
      Type type = getBufferType(kernel.getResultTypes()[i]);
      if (isSum(i)) {
        Value sum = getPiece(buffer, part, type);
        operands.push_back(sum);
        results.push_back(sum);
      } else {
        results.push_back(getRows(buffer, chunk, type));
      }
    }
    llvm::append_range(operands, results);
    operands.push_back(vb.index(0));
    operands.push_back(vb.index(1));
    auto scratch = MemRefType::get({getKernelShape(kernel).scratchBytes},
                                   builder.getI8Type());
    operands.push_back(body.scratch
                           ? memref::ViewOp::create(builder, loc, scratch,
                                                    body.scratch, vb.index(0),
                                                    ValueRange())
                                 .getResult()
                           : memref::AllocaOp::create(builder, loc, scratch));
    func::CallOp::create(builder, loc, (kernel.getSymName() + ".body").str(),
                         TypeRange(), operands);
  }

  plan::RowLoopOp loop;
  KernelBody &body;
  OpBuilder &builder;
  Location loc;
  VectorBuilder vb;
  LLVMTypeConverter converter;
};

/// One iteration per part.
struct RowLoopKernel
    : KernelEmissionOpInterface::ExternalModel<RowLoopKernel, plan::RowLoopOp> {
  int64_t getIterations(Operation *op) const {
    return cast<plan::RowLoopOp>(op).getParts();
  }

  int64_t getScratchBytes(Operation *op) const {
    auto loop = cast<plan::RowLoopOp>(op);
    int64_t bytes =
        getKernelShape(findKernel(loop, loop.getChunkAttr())).scratchBytes;
    if (loop.getRest())
      bytes = std::max(
          bytes,
          getKernelShape(findKernel(loop, loop.getRestAttr())).scratchBytes);
    return bytes;
  }

  void emitKernel(Operation *op, KernelBody &body) const {
    Writer(cast<plan::RowLoopOp>(op), body).write();
  }
};

} // namespace

void tessera::cpu::registerRowLoop(MLIRContext *context) {
  plan::RowLoopOp::attachInterface<RowLoopKernel>(*context);
}
