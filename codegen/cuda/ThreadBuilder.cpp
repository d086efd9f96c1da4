//===- ThreadBuilder.cpp - Writes the code of one thread --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/ThreadBuilder.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace tessera::cuda;

ThreadBuilder::ThreadBuilder(OpBuilder &builder, gpu::GPUFuncOp function,
                             int64_t lanes)
    : VectorBuilder(builder, function.getLoc()), function(function) {
  this->lanes = lanes;
  alignment = accessBytes;
  blockNumber = gpu::BlockIdOp::create(builder, loc, gpu::Dimension::x);
  threadNumber = gpu::ThreadIdOp::create(builder, loc, gpu::Dimension::x);
}

void ThreadBuilder::barrier() { gpu::BarrierOp::create(builder, loc); }

Value ThreadBuilder::shuffleXor(Value scalar, int64_t offset) {
  return gpu::ShuffleOp::create(builder, loc, scalar, offset, warpSize,
                                gpu::ShuffleMode::XOR)
      .getShuffleResult();
}

Value ThreadBuilder::shuffle(Value scalar, Value lane) {
  Value width = arith::ConstantOp::create(builder, loc,
                                          builder.getI32IntegerAttr(warpSize));
  return gpu::ShuffleOp::create(builder, loc, scalar, lane, width,
                                gpu::ShuffleMode::IDX)
      .getShuffleResult();
}

Value ThreadBuilder::combineWarp(Value scalar, int64_t size, Combine combine) {
  for (int64_t offset = size / 2; offset; offset /= 2)
    scalar = combine(scalar, shuffleXor(scalar, offset));
  return scalar;
}

Value ThreadBuilder::combineBlock(Value scalar, int64_t threads, Value neutral,
                                  Combine combine) {
  if (threads <= warpSize)
    return combineWarp(scalar, threads, combine);
  scalar = combineWarp(scalar, warpSize, combine);
  int64_t warps = threads / warpSize;
  Value partial = shared(warps, scalar.getType());
  Value lane = rem(thread(), warpSize);
  onlyIf(isEqual(lane, index(0)), [&] {
    memref::StoreOp::create(builder, loc, scalar, partial,
                            div(thread(), warpSize));
  });
  barrier();
  // Each group of `size` lanes holds one number per warp.
  int64_t size = llvm::PowerOf2Ceil(warps);
  Value warp = rem(lane, size);
  Value place = size == warps ? warp : min(warp, index(warps - 1));
  Value all = memref::LoadOp::create(builder, loc, partial, place);
  if (size != warps)
    all = select(isLess(warp, index(warps)), all, neutral);
  return combineWarp(all, size, combine);
}

ThreadBuilder::Spread ThreadBuilder::sumLanes(ValueRange numbers, int64_t high,
                                              int64_t low) {
  Spread spread = {SmallVector<Value>(numbers), index(0)};
  for (int64_t bit = high; bit >= low; bit /= 2) {
    SmallVector<Value> &own = spread.numbers;
    int64_t half = static_cast<int64_t>(own.size()) / 2;
    if (own.size() % 2) {
      for (Value &number : own)
        number = addf(number, shuffleXor(number, bit));
      continue;
    }
    Value digit = rem(div(thread(), bit), 2);
    Value isHigh = isEqual(digit, index(1));
    spread.first = add(spread.first, mul(digit, half));
    for (int64_t i = 0; i < half; ++i) {
      Value kept = select(isHigh, own[half + i], own[i]);
      Value given = select(isHigh, own[i], own[half + i]);
      own[i] = addf(kept, shuffleXor(given, bit));
    }
    own.resize(half);
  }
  return spread;
}

Value ThreadBuilder::shared(int64_t count, Type type) {
  auto space = gpu::AddressSpaceAttr::get(builder.getContext(),
                                          gpu::AddressSpace::Workgroup);
  BlockArgument memory = function.addWorkgroupAttribution(
      MemRefType::get({count}, type, MemRefLayoutAttrInterface(), space), loc);
  function.setWorkgroupAttributionAttr(function.getNumWorkgroupAttributions() -
                                           1,
                                       LLVM::LLVMDialect::getAlignAttrName(),
                                       builder.getI64IntegerAttr(accessBytes));
  return memory;
}

void ThreadBuilder::onlyIf(Value condition, function_ref<void()> body) {
  if (!condition)
    return body();
  auto branch = scf::IfOp::create(builder, loc, condition, /*withElse=*/false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  body();
}

Value ThreadBuilder::isLess(Value a, Value b) {
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, a, b);
}

Value ThreadBuilder::isEqual(Value a, Value b) {
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, a, b);
}

Value ThreadBuilder::both(Value a, Value b) {
  if (!a || !b)
    return a ? a : b;
  return arith::AndIOp::create(builder, loc, a, b);
}

Value ThreadBuilder::select(Value condition, Value a, Value b) {
  return arith::SelectOp::create(builder, loc, condition, a, b);
}
