//===- Emulation.cpp - Device functions as a CPU's --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/codegen/cuda/Emulation.h"

#include "codegen/cpu/Passes.h"
#include "codegen/cuda/DeviceKernel.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"

using namespace mlir;
using namespace tessera;

namespace {

/// Writes one device function as a CPU's.
class Writer {
public:
  Writer(gpu::GPUFuncOp device, ModuleOp module)
      : device(device), module(module),
        builder(OpBuilder::atBlockEnd(module.getBody())), loc(device.getLoc()),
        pointer(LLVM::LLVMPointerType::get(module.getContext())) {}

  LogicalResult write();

private:
  LLVM::LLVMFuncOp declare(StringRef name, Type result, ArrayRef<Type> types);
  Value toBuffer(Value address, Type type);
  Value loadField(Type type, int64_t bytes);
  LogicalResult placeShared(ArrayRef<BlockArgument> buffers);
  LogicalResult replace(Operation *op);
  Value writeShuffle(gpu::ShuffleOp shuffle);
  Value makePlace(int64_t bytes);
  Value writeMatmul(NVVM::MmaOp matmul);
  Value writeLoad(nvgpu::LdMatrixOp load);
  void writeEntry(func::FuncOp body);

  gpu::GPUFuncOp device;
  ModuleOp module;
  OpBuilder builder;
  Location loc;
  LLVM::LLVMPointerType pointer;
  Value thread;
  /// The function's memory for fragments.
  Value stack;
};

} // namespace

LLVM::LLVMFuncOp Writer::declare(StringRef name, Type result,
                                 ArrayRef<Type> types) {
  if (auto known = module.lookupSymbol<LLVM::LLVMFuncOp>(name))
    return known;
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(module.getBody());
  return LLVM::LLVMFuncOp::create(
      builder, loc, name,
      LLVM::LLVMFunctionType::get(
          result ? result : LLVM::LLVMVoidType::get(module.getContext()),
          types));
}

/// \p address as a buffer of \p type in the memory of the CPU.
Value Writer::toBuffer(Value address, Type type) {
  auto buffer = cast<MemRefType>(type);
  buffer = MemRefType::get(buffer.getShape(), buffer.getElementType());
  LLVMTypeConverter converter(module.getContext());
  Value descriptor = MemRefDescriptor::fromStaticShape(builder, loc, converter,
                                                       buffer, address);
  return UnrealizedConversionCastOp::create(builder, loc, Type(buffer),
                                            descriptor)
      .getResult(0);
}

/// The field at \p bytes of tessera_emulated_thread.
Value Writer::loadField(Type type, int64_t bytes) {
  Value place =
      LLVM::GEPOp::create(builder, loc, pointer, builder.getI8Type(), thread,
                          ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(bytes)});
  return LLVM::LoadOp::create(builder, loc, type, place);
}

/// Gives each buffer of shared memory its place.
LogicalResult Writer::placeShared(ArrayRef<BlockArgument> buffers) {
  int64_t offset = 0;
  Value shared = loadField(pointer, 16);
  for (BlockArgument memory : buffers) {
    auto type = cast<MemRefType>(memory.getType());
    Value address = LLVM::GEPOp::create(
        builder, loc, pointer, builder.getI8Type(), shared,
        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(offset)});
    memory.replaceAllUsesWith(toBuffer(address, type));
    offset +=
        llvm::alignTo(type.getNumElements() *
                          llvm::divideCeil(type.getElementTypeBitWidth(), 8),
                      16);
  }
  if (offset > (48 << 10))
    return device.emitError("has more than 48 KiB of shared memory");
  return success();
}

Value Writer::writeShuffle(gpu::ShuffleOp shuffle) {
  Type i32 = builder.getI32Type(), i64 = builder.getI64Type();
  Type type = shuffle.getValue().getType();
  auto bits = builder.getIntegerType(type.getIntOrFloatBitWidth());
  Value value = shuffle.getValue();
  if (type != bits)
    value = arith::BitcastOp::create(builder, loc, bits, value);
  if (bits != i64)
    value = arith::ExtUIOp::create(builder, loc, i64, value);
  Value lane = shuffle.getOffset();
  if (shuffle.getMode() == gpu::ShuffleMode::XOR) {
    Value own = arith::TruncIOp::create(builder, loc, i32, loadField(i64, 8));
    Value mask =
        arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(31));
    own = arith::AndIOp::create(builder, loc, own, mask);
    lane = arith::XOrIOp::create(builder, loc, own, lane);
  }
  auto function = declare("tessera_emulated_shuffle", i64, {pointer, i64, i32});
  Value result = LLVM::CallOp::create(builder, loc, function,
                                      ValueRange{thread, value, lane})
                     .getResult();
  if (bits != i64)
    result = arith::TruncIOp::create(builder, loc, bits, result);
  if (type != bits)
    result = arith::BitcastOp::create(builder, loc, type, result);
  return result;
}

/// Memory of the function, \p bytes behind its beginning.
Value Writer::makePlace(int64_t bytes) {
  if (!stack) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointAfterValue(thread);
    Value size =
        LLVM::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(64));
    stack = LLVM::AllocaOp::create(builder, loc, pointer, builder.getI8Type(),
                                   size, /*alignment=*/16);
  }
  return LLVM::GEPOp::create(
      builder, loc, pointer, builder.getI8Type(), stack,
      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(bytes)});
}

Value Writer::writeMatmul(NVVM::MmaOp matmul) {
  Value a = makePlace(0), b = makePlace(16), c = makePlace(32);
  auto store = [&](ValueRange registers, int64_t bytes) {
    for (auto [i, value] : llvm::enumerate(registers))
      LLVM::StoreOp::create(builder, loc, value, makePlace(bytes + 4 * i));
  };
  store(matmul.getOperandA(), 0);
  store(matmul.getOperandB(), 16);
  store(matmul.getOperandC(), 32);
  bool isBFloat = matmul.getMultiplicandAPtxType() == NVVM::MMATypes::bf16;
  Value which = arith::ConstantOp::create(builder, loc,
                                          builder.getI32IntegerAttr(isBFloat));
  LLVM::CallOp::create(
      builder, loc,
      declare("tessera_emulated_mma", {},
              {pointer, pointer, pointer, pointer, builder.getI32Type()}),
      ValueRange{thread, a, b, c, which});
  return LLVM::LoadOp::create(builder, loc, matmul.getType(), c);
}

Value Writer::writeLoad(nvgpu::LdMatrixOp load) {
  Type i32 = builder.getI32Type(), i64 = builder.getI64Type();
  Value start = memref::ExtractAlignedPointerAsIndexOp::create(
      builder, loc, load.getSrcMemref());
  Value size = arith::ConstantIndexOp::create(builder, loc, 2);
  Value offset =
      arith::MulIOp::create(builder, loc, load.getIndices().front(), size);
  Value address = arith::IndexCastOp::create(
      builder, loc, i64, arith::AddIOp::create(builder, loc, start, offset));
  Value row = LLVM::IntToPtrOp::create(builder, loc, pointer, address);
  Value result = makePlace(0);
  Value transpose = arith::ConstantOp::create(
      builder, loc, builder.getI32IntegerAttr(load.getTranspose()));
  LLVM::CallOp::create(builder, loc,
                       declare("tessera_emulated_ldmatrix", {},
                               {pointer, pointer, i32, pointer}),
                       ValueRange{thread, row, transpose, result});
  VectorType type = load.getRes().getType();
  auto flat = VectorType::get({type.getNumElements()}, type.getElementType());
  return vector::ShapeCastOp::create(
      builder, loc, type, LLVM::LoadOp::create(builder, loc, flat, result));
}

/// Replaces \p op where it is the device's.
LogicalResult Writer::replace(Operation *op) {
  builder.setInsertionPoint(op);
  Type i64 = builder.getI64Type();
  auto asIndex = [&](Value value) -> Value {
    return arith::IndexCastOp::create(builder, loc, builder.getIndexType(),
                                      value);
  };
  if (isa<gpu::BlockIdOp>(op)) {
    op->getResult(0).replaceAllUsesWith(asIndex(loadField(i64, 0)));
  } else if (isa<gpu::ThreadIdOp>(op)) {
    op->getResult(0).replaceAllUsesWith(asIndex(loadField(i64, 8)));
  } else if (isa<gpu::BarrierOp>(op)) {
    LLVM::CallOp::create(builder, loc,
                         declare("tessera_emulated_barrier", {}, {pointer}),
                         ValueRange{thread});
  } else if (auto shuffle = dyn_cast<gpu::ShuffleOp>(op)) {
    if (shuffle.getMode() != gpu::ShuffleMode::XOR &&
        shuffle.getMode() != gpu::ShuffleMode::IDX)
      return op->emitError("cannot be emulated: exchange by xor or idx");
    shuffle.getShuffleResult().replaceAllUsesWith(writeShuffle(shuffle));
  } else if (auto matmul = dyn_cast<NVVM::MmaOp>(op)) {
    matmul.getRes().replaceAllUsesWith(writeMatmul(matmul));
  } else if (auto load = dyn_cast<nvgpu::LdMatrixOp>(op)) {
    load.getRes().replaceAllUsesWith(writeLoad(load));
  } else if (isa<gpu::ReturnOp>(op)) {
    func::ReturnOp::create(builder, loc);
  } else if (isa<gpu::GPUDialect, nvgpu::NVGPUDialect, NVVM::NVVMDialect>(
                 op->getDialect())) {
    return op->emitError("cannot be emulated");
  } else {
    return success();
  }
  op->erase();
  return success();
}

/// Writes the function that loads the parameters' values and calls \p body.
void Writer::writeEntry(func::FuncOp body) {
  builder.setInsertionPointToEnd(module.getBody());
  auto entry = LLVM::LLVMFuncOp::create(
      builder, loc, device.getName(),
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(module.getContext()),
                                  {pointer, pointer}));
  Block *block = entry.addEntryBlock(builder);
  builder.setInsertionPointToStart(block);
  SmallVector<Value> operands;
  for (auto [i, type] : llvm::enumerate(body.getArgumentTypes().drop_back())) {
    Value slot = LLVM::GEPOp::create(
        builder, loc, pointer, pointer, block->getArgument(0),
        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(i)});
    operands.push_back(
        toBuffer(LLVM::LoadOp::create(builder, loc, pointer, slot), type));
  }
  operands.push_back(block->getArgument(1));
  func::CallOp::create(builder, loc, body, operands);
  LLVM::ReturnOp::create(builder, loc, ValueRange());
}

LogicalResult Writer::write() {
  SmallVector<Type> types(device.getArgumentTypes());
  unsigned arguments = types.size();
  types.push_back(pointer);
  auto body =
      func::FuncOp::create(builder, loc, (device.getName() + ".body").str(),
                           builder.getFunctionType(types, {}));
  body.setPrivate();
  body->setAttr(
      "llvm.linkage",
      LLVM::LinkageAttr::get(module.getContext(), LLVM::Linkage::Internal));
  Block &code = device.getBody().front();
  thread = code.insertArgument(arguments, pointer, loc);
  builder.setInsertionPointToStart(&code);
  // The new argument stands before those of shared memory.
  SmallVector<BlockArgument> shared(
      code.getArguments().drop_front(arguments + 1));
  if (failed(placeShared(shared)))
    return failure();
  code.eraseArguments(arguments + 1, shared.size());
  SmallVector<Operation *> all;
  code.walk([&](Operation *op) { all.push_back(op); });
  for (Operation *op : all)
    if (failed(replace(op)))
      return failure();
  body.getBody().takeBody(device.getBody());
  writeEntry(body);
  return success();
}

LogicalResult tessera::test::lowerToEmulation(ModuleOp module) {
  module.getContext()->loadDialect<LLVM::LLVMDialect>();
  auto device = module.lookupSymbol<gpu::GPUModuleOp>(
      plan::PlanDialect::deviceModuleName);
  if (!device)
    return module.emitError("has no device functions: run cuda-build-kernels");
  for (auto function :
       llvm::make_early_inc_range(device.getOps<gpu::GPUFuncOp>()))
    if (failed(Writer(function, module).write()))
      return failure();
  device.erase();
  PassManager manager(module.getContext());
  cpu::addLowerToLLVMPasses(manager);
  manager.addPass(createUBToLLVMConversionPass());
  return manager.run(module);
}
