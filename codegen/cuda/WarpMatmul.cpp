//===- WarpMatmul.cpp - Matrix products of a warp ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/WarpMatmul.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;
using namespace tessera::cuda;

/// Numbers of a vector of fp32.
static constexpr int64_t vectorSize = 4;

WarpMatmul::WarpMatmul(ThreadBuilder &tb, Type element, int64_t dim)
    : dim(dim), stride(getStride(element, dim)), tb(tb), element(element) {
  lane = tb.rem(tb.thread(), warpSize);
  group = tb.div(lane, 4);
  member = tb.rem(lane, 4);
}

int64_t WarpMatmul::getStride(Type element, int64_t dim) {
  return dim + accessBytes * 8 / element.getIntOrFloatBitWidth();
}

WarpMatmul::Fragments WarpMatmul::zero(int64_t columns) {
  return Fragments(columns / blockColumns * blockNumbers, tb.number(0));
}

Value WarpMatmul::getSumColumn(int64_t block) {
  if (usesTensorCores())
    return getColumn(block);
  // A lane's columns of two blocks are one vector of memory.
  return tb.add(tb.mul(member, vectorSize),
                block / 2 * (2 * blockColumns) + block % 2 * 2);
}

//===----------------------------------------------------------------------===//
// Matmuls in fp32
//===----------------------------------------------------------------------===//

/// The \p i-th number of \p vector.
static Value extract(ThreadBuilder &tb, Value vector, int64_t i) {
  return vector::ExtractOp::create(tb.builder, tb.loc, vector, i);
}

WarpMatmul::Fragments WarpMatmul::multiplyByFMA(Value a, Value row, Value b,
                                                int64_t columns) {
  llvm::SaveAndRestore restore(tb.lanes, vectorSize);
  Value rows[2], columnRow = tb.mul(tb.mul(member, 2), stride);
  for (int64_t i : {0, 1})
    rows[i] = tb.mul(tb.add(row, getRow(i)), stride);
  return tb.loop(
      tb.index(0), tb.index(dim), vectorSize, zero(columns),
      [&](Value d, ValueRange carried) {
        SmallVector<Value> sums(carried), left, right;
        for (Value start : rows)
          left.push_back(tb.load(a, tb.add(start, d)));
        Value start = tb.add(columnRow, d);
        for (int64_t c = 0; c < columns; c += blockColumns)
          for (int64_t j : {0, 1})
            right.push_back(tb.load(b, tb.add(start, (c + j) * stride)));
        for (int64_t k = 0; k < vectorSize; ++k)
          for (auto [n, sum] : llvm::enumerate(sums)) {
            Value x = extract(tb, left[n % blockNumbers / 2], k);
            Value y = extract(tb, right[n / blockNumbers * 2 + n % 2], k);
            sum = tb.fma(x, y, sum);
          }
        return sums;
      });
}

void WarpMatmul::accumulateByFMA(ArrayRef<Value> weights, Value b,
                                 Fragments &sums) {
  llvm::SaveAndRestore restore(tb.lanes, vectorSize);
  Value start = tb.mul(member, vectorSize);
  Value first = tb.mul(group, 4);
  int64_t columns = weights.size() / blockNumbers * blockColumns;
  for (int64_t k = 0; k < columns; ++k) {
    // Column k of W is with one lane of the four that have its rows.
    Value source = tb.toI32(tb.add(first, k % blockColumns / 2));
    Value weight[2];
    for (int64_t i : {0, 1})
      weight[i] = tb.shuffle(
          weights[k / blockColumns * blockNumbers + 2 * i + k % 2], source);
    for (int64_t d = 0; d < dim; d += 2 * blockColumns) {
      Value row = tb.load(b, tb.add(start, k * stride + d));
      for (int64_t c = 0; c < vectorSize; ++c) {
        Value number = extract(tb, row, c);
        for (int64_t i : {0, 1}) {
          Value &sum =
              sums[(d / blockColumns + c / 2) * blockNumbers + 2 * i + c % 2];
          sum = tb.fma(weight[i], number, sum);
        }
      }
    }
  }
}

//===----------------------------------------------------------------------===//
// Matmuls by tensor cores
//===----------------------------------------------------------------------===//

void tessera::cuda::addByTensorCores(ThreadBuilder &tb, ArrayRef<Value> a,
                                     ArrayRef<Value> b,
                                     MutableArrayRef<Value> sums) {
  OpBuilder &builder = tb.builder;
  bool isHalf = getElementTypeOrSelf(a.front()).isF16();
  auto toRegisters = [&](ArrayRef<Value> pairs) {
    SmallVector<Value> registers(pairs);
    if (!isHalf)
      for (Value &pair : registers)
        pair = LLVM::BitcastOp::create(builder, tb.loc, builder.getI32Type(),
                                       pair);
    return registers;
  };
  auto type = LLVM::LLVMStructType::getLiteral(
      builder.getContext(),
      SmallVector<Type>(WarpMatmul::blockNumbers, builder.getF32Type()));
  NVVM::MMATypes number = isHalf ? NVVM::MMATypes::f16 : NVVM::MMATypes::bf16;
  Value sum = NVVM::MmaOp::create(
      builder, tb.loc, type, toRegisters(a), toRegisters(b), ValueRange(sums),
      ArrayRef<int64_t>{WarpMatmul::matrixRows, WarpMatmul::blockColumns,
                        WarpMatmul::matrixRows},
      std::nullopt, std::nullopt, std::array{number, number},
      std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
  for (auto [i, result] : llvm::enumerate(sums))
    result = LLVM::ExtractValueOp::create(builder, tb.loc, sum, i);
}

SmallVector<Value> WarpMatmul::loadMatrices(Value buffer, Value position,
                                            bool byRows, bool transpose) {
  // Lane 8 m + r says where row r of matrix m is.
  Value low = tb.rem(lane, 2 * blockColumns),
        high = tb.div(lane, 2 * blockColumns);
  Value row = low, column = tb.mul(high, blockColumns);
  if (byRows) {
    row = tb.add(tb.rem(lane, blockColumns), tb.mul(high, blockColumns));
    column = tb.mul(tb.div(low, blockColumns), blockColumns);
  }
  Value place = tb.add(tb.add(tb.mul(row, stride), column), position);
  Value all = nvgpu::LdMatrixOp::create(
      tb.builder, tb.loc, VectorType::get({4, 2}, element), buffer, place,
      tb.builder.getBoolAttr(transpose), tb.builder.getI32IntegerAttr(4));
  SmallVector<Value> pairs;
  for (int64_t i = 0; i < 4; ++i)
    pairs.push_back(extract(tb, all, i));
  return pairs;
}

void WarpMatmul::addMatmul(ArrayRef<Value> a, ArrayRef<Value> b,
                           MutableArrayRef<Value> sums) {
  for (int64_t block : {0, 1})
    addByTensorCores(tb, a, b.slice(2 * block, 2),
                     sums.slice(block * blockNumbers, blockNumbers));
}

WarpMatmul::Fragments WarpMatmul::multiply(Value a, Value row, Value b,
                                           int64_t columns) {
  if (!usesTensorCores())
    return multiplyByFMA(a, row, b, columns);
  Fragments sums = zero(columns);
  for (int64_t k = 0; k < dim; k += matrixRows) {
    SmallVector<Value> left = loadMatrices(a, tb.add(tb.mul(row, stride), k),
                                           /*byRows=*/false,
                                           /*transpose=*/false);
    for (int64_t c = 0; c < columns; c += matrixRows)
      addMatmul(left,
                loadMatrices(b, tb.index(c * stride + k), /*byRows=*/true,
                             /*transpose=*/false),
                MutableArrayRef(sums).slice(c / blockColumns * blockNumbers,
                                            2 * blockNumbers));
  }
  return sums;
}

WarpMatmul::Fragments WarpMatmul::accumulate(ArrayRef<Value> weights, Value b,
                                             ValueRange previous) {
  Fragments sums(previous);
  if (!usesTensorCores()) {
    accumulateByFMA(weights, b, sums);
    return sums;
  }
  llvm::SaveAndRestore<int64_t> restore(tb.lanes, 2);
  for (size_t k = 0; k < weights.size(); k += 2 * blockNumbers) {
    SmallVector<Value> left;
    for (int64_t i = 0; i < 4; ++i) {
      Value pair = vector::FromElementsOp::create(
          tb.builder, tb.loc, tb.vectorType(), weights.slice(k + 2 * i, 2));
      left.push_back(tb.narrow(pair, element));
    }
    int64_t row = k / blockNumbers * blockColumns;
    for (int64_t d = 0; d < dim; d += matrixRows)
      addMatmul(left,
                loadMatrices(b, tb.index(row * stride + d), /*byRows=*/false,
                             /*transpose=*/true),
                MutableArrayRef(sums).slice(d / blockColumns * blockNumbers,
                                            2 * blockNumbers));
  }
  return sums;
}
