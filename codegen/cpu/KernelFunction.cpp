//===- KernelFunction.cpp - Kernels as functions on memory ------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/KernelFunction.h"
#include "codegen/cpu/ComposedKernel.h"
#include "codegen/cpu/GeneralKernel.h"
#include "codegen/kernels/Buffers.h"
#include "dialects/AttributeNames.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "target/KernelInterface.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;
using namespace tessera::cpu;

/// The number that \p attribute, of the last argument, gives; 0 where the
/// argument does not have it.
static int64_t getRoom(func::FuncOp kernel, StringRef attribute) {
  unsigned arguments = kernel.getNumArguments();
  auto room =
      arguments ? kernel.getArgAttrOfType<IntegerAttr>(arguments - 1, attribute)
                : IntegerAttr();
  return room ? room.getInt() : 0;
}

KernelShape tessera::cpu::getKernelShape(func::FuncOp kernel) {
  int64_t room = getRoom(kernel, countsRowsAttrName);
  KernelShape shape;
  std::optional<CountedIterations> counted;
  if (auto op = getKernelOp<KernelEmissionOpInterface>(kernel)) {
    shape = {op.getIterations(), op.getScratchBytes()};
    if (room && shape.iterations % room == 0)
      counted = CountedIterations{shape.iterations / room, 1};
  } else if (isComposed(kernel)) {
    shape = getComposedShape(kernel);
  } else {
    shape = {getGeneralIterations(kernel), 0};
    if (room)
      counted = getCountedIterations(kernel, room);
  }
  if (counted)
    shape.counted = {kernel.getNumArguments() - 1, counted->numerator,
                     counted->denominator};
  return shape;
}

/// How many rows the last argument of \p kernel counts, whose buffer is \p
/// buffer: of \p room, whatever it holds.
static Value loadCount(OpBuilder &builder, Location loc, Value buffer,
                       int64_t room) {
  VectorBuilder vb(builder, loc);
  Value count = vb.toIndex(vb.loadScalar(vb.flatten(buffer), vb.index(0)));
  return vb.min(vb.max(count, vb.index(0)), vb.index(room));
}

/// Declares @k.body with its entry block.
static func::FuncOp declareBody(func::FuncOp kernel, OpBuilder &builder,
                                int64_t scratchBytes) {
  SmallVector<Type> types;
  for (Type type : kernel.getArgumentTypes())
    types.push_back(getBufferType(type));
  for (Type type : kernel.getResultTypes())
    types.push_back(getBufferType(type));
  types.append(2, builder.getIndexType());
  types.push_back(MemRefType::get({scratchBytes}, builder.getI8Type()));
  auto body = func::FuncOp::create(builder, kernel.getLoc(),
                                   (kernel.getSymName() + ".body").str(),
                                   builder.getFunctionType(types, {}));
  body.setPrivate();
  // Once it is part of its entry, nothing is left of it.
  body->setAttr(
      "llvm.linkage",
      LLVM::LinkageAttr::get(builder.getContext(), LLVM::Linkage::Internal));
  body->setAttr("passthrough", builder.getStrArrayAttr({"alwaysinline"}));
  auto setNoAlias = [&](unsigned argument) {
    body.setArgAttr(argument, LLVM::LLVMDialect::getNoAliasAttrName(),
                    builder.getUnitAttr());
  };
  for (auto [i, mayAlias] : llvm::enumerate(getMayAlias(kernel)))
    if (!mayAlias)
      setNoAlias(i);
  setNoAlias(types.size() - 1);
  body.addEntryBlock();
  return body;
}

/// Writes @k, which unpacks the addresses and calls \p body.
static void buildEntry(func::FuncOp body, StringRef name, OpBuilder &builder) {
  Location loc = body.getLoc();
  MLIRContext *context = builder.getContext();
  auto pointer = LLVM::LLVMPointerType::get(context);
  Type i64 = builder.getI64Type();
  auto entry = LLVM::LLVMFuncOp::create(
      builder, loc, name,
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(context),
                                  {pointer, i64, i64, pointer}));
  Block *block = entry.addEntryBlock(builder);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(block);
  LLVMTypeConverter converter(context);
  auto toBuffer = [&](Value address, Type type) -> Value {
    Value descriptor = MemRefDescriptor::fromStaticShape(
        builder, loc, converter, cast<MemRefType>(type), address);
    return UnrealizedConversionCastOp::create(builder, loc, type, descriptor)
        .getResult(0);
  };
  ArrayRef<Type> types = body.getArgumentTypes();
  SmallVector<Value> operands;
  for (auto [i, type] : llvm::enumerate(types.drop_back(3))) {
    Value slot = LLVM::GEPOp::create(
        builder, loc, pointer, pointer, block->getArgument(0),
        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(i)});
    operands.push_back(
        toBuffer(LLVM::LoadOp::create(builder, loc, pointer, slot), type));
  }
  for (unsigned i : {1, 2})
    operands.push_back(UnrealizedConversionCastOp::create(
                           builder, loc, Type(builder.getIndexType()),
                           ValueRange(block->getArgument(i)))
                           .getResult(0));
  operands.push_back(toBuffer(block->getArgument(3), types.back()));
  func::CallOp::create(builder, loc, body, operands);
  LLVM::ReturnOp::create(builder, loc, ValueRange());
}

LogicalResult tessera::cpu::buildKernelFunction(func::FuncOp kernel) {
  kernel.getContext()->loadDialect<LLVM::LLVMDialect>();
  KernelShape shape = getKernelShape(kernel);
  auto op = getKernelOp<KernelEmissionOpInterface>(kernel);
  OpBuilder builder(kernel);
  func::FuncOp body = declareBody(kernel, builder, shape.scratchBytes);
  Block &block = body.getBody().front();
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&block);
    unsigned buffers = block.getNumArguments() - 3;
    KernelBody parts{builder,
                     kernel.getLoc(),
                     {},
                     {},
                     block.getArgument(buffers),
                     block.getArgument(buffers + 1),
                     shape.scratchBytes ? block.getArgument(buffers + 2)
                                        : BlockArgument(),
                     shape.iterations};
    // The plan may come from a machine with other threads than this one.
    if (auto planned = kernel->getAttrOfType<IntegerAttr>(iterationsAttrName))
      parts.iterations = planned.getInt();
    ValueRange arguments(block.getArguments());
    if (failed(collectBuffers(kernel, op, arguments.take_front(buffers),
                              parts.inputs, parts.outputs)))
      return failure();
    if (int64_t room = getRoom(kernel, countsSumsAttrName)) {
      parts.room = room;
      parts.count = loadCount(builder, kernel.getLoc(),
                              arguments[kernel.getNumArguments() - 1], room);
    }
    if (op)
      op.emitKernel(parts);
    else if (isComposed(kernel))
      emitComposed(kernel, parts);
    else
      emitGeneralKernel(kernel, parts);
    func::ReturnOp::create(builder, kernel.getLoc());
  }
  std::string name = kernel.getSymName().str();
  kernel.erase();
  builder.setInsertionPointAfter(body);
  buildEntry(body, name, builder);
  return success();
}
