//===- CoreGradients.cpp - Gradients of the general core --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/nn/Formula.h"

using namespace mlir;
using namespace tessera::nn;

/// The dimensions of a tensor of \p rank that \p dims does not name.
static SmallVector<int64_t> complement(ArrayRef<int64_t> dims, int64_t rank) {
  SmallVector<int64_t> others;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (!llvm::is_contained(dims, dim))
      others.push_back(dim);
  return others;
}

void BroadcastOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                                 MutableArrayRef<Value> operands) {
  auto type = Formula::typeOf(getInput());
  if (!isa<FloatType>(type.getElementType()))
    return;
  auto dims = complement(getDims(), Formula::typeOf(getResult()).getRank());
  operands[0] = ReduceOp::create(builder, getLoc(), type, Reduction::Sum,
                                 gradients[0], dims);
}

void ReduceOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                              MutableArrayRef<Value> operands) {
  auto type = Formula::typeOf(getInput());
  auto kept = complement(getDims(), type.getRank());
  Value gradient =
      createBroadcast(builder, getLoc(), gradients[0], type.getShape(), kept);
  if (getKind() == Reduction::Max) {
    Value max =
        createBroadcast(builder, getLoc(), getResult(), type.getShape(), kept);
    Value hit = arith::CmpFOp::create(
        builder, getLoc(), arith::CmpFPredicate::OEQ,
        widen(builder, getLoc(), getInput()), widen(builder, getLoc(), max));
    Value zero = createSplat(builder, getLoc(), Formula::typeOf(gradient), 0);
    gradient = arith::SelectOp::create(builder, getLoc(), hit, gradient, zero);
  }
  operands[0] = narrow(builder, getLoc(), gradient, getInput());
}

void MatmulOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                              MutableArrayRef<Value> operands) {
  Formula f{builder, getLoc()};
  Value a = getA(), b = getB(), dc = gradients[0];
  bool ta = getTransposeA(), tb = getTransposeB();
  // C = op(A) op(B): dop(A) = dC op(B)ᵀ, dop(B) = op(A)ᵀ dC; where an operand
  // was transposed, so is its gradient.
  operands[0] = ta ? f.matmul(b, dc, tb, true) : f.matmul(dc, b, false, !tb);
  operands[1] = tb ? f.matmul(dc, a, true, ta) : f.matmul(a, dc, !ta, false);
}

void ReshapeOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                               MutableArrayRef<Value> operands) {
  operands[0] =
      ReshapeOp::create(builder, getLoc(), getInput().getType(), gradients[0]);
}

void TransposeOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                                 MutableArrayRef<Value> operands) {
  SmallVector<int64_t> inverse(getPermutation().size());
  for (auto [i, dim] : llvm::enumerate(getPermutation()))
    inverse[dim] = i;
  operands[0] = TransposeOp::create(builder, getLoc(), getInput().getType(),
                                    gradients[0], inverse);
}

void SliceOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                             MutableArrayRef<Value> operands) {
  auto type = Formula::typeOf(getInput());
  int64_t before = getOffset(),
          after = type.getDimSize(0) - before -
                  Formula::typeOf(getResult()).getDimSize(0);
  auto zeros = [&](int64_t rows) {
    SmallVector<int64_t> shape(type.getShape());
    shape[0] = rows;
    return createSplat(builder, getLoc(), type.clone(shape), 0);
  };
  SmallVector<Value> parts;
  if (before)
    parts.push_back(zeros(before));
  parts.push_back(gradients[0]);
  if (after)
    parts.push_back(zeros(after));
  operands[0] = ConcatOp::create(builder, getLoc(), type, parts);
}

void ConcatOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                              MutableArrayRef<Value> operands) {
  int64_t offset = 0;
  for (auto [input, gradient] : llvm::zip(getInputs(), operands)) {
    gradient = SliceOp::create(builder, getLoc(), input.getType(), gradients[0],
                               offset);
    offset += Formula::typeOf(input).getDimSize(0);
  }
}

void SplitColumnsOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                                    MutableArrayRef<Value> operands) {
  SmallVector<Value> parts;
  for (auto [part, gradient] : llvm::zip(getParts(), gradients))
    parts.push_back(
        gradient ? gradient
                 : createSplat(builder, getLoc(), Formula::typeOf(part), 0));
  operands[0] =
      ConcatColumnsOp::create(builder, getLoc(), getInput().getType(), parts);
}

SmallVector<Value> SplitColumnsOp::decompose(OpBuilder &builder) {
  SmallVector<Value> slices;
  for (auto [i, part] : llvm::enumerate(getParts())) {
    int64_t width = Formula::typeOf(part).getShape().back();
    slices.push_back(SliceColumnsOp::create(builder, getLoc(), part.getType(),
                                            getInput(), i * width));
  }
  return slices;
}

void ConcatColumnsOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                                     MutableArrayRef<Value> operands) {
  auto split = SplitColumnsOp::create(builder, getLoc(), getInputs().getTypes(),
                                      gradients[0]);
  llvm::copy(split.getParts(), operands.begin());
}

void GatherOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                              MutableArrayRef<Value> operands) {
  Value zero = createSplat(builder, getLoc(), Formula::typeOf(getTable()), 0);
  operands[0] =
      ScatterAddOp::create(builder, getLoc(), zero, getIndices(), gradients[0]);
}
