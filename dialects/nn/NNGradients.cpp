//===- NNGradients.cpp - Gradients of nn operations -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// How each operation of the dialect goes back.

#include "dialects/nn/NN.h"

using namespace mlir;
using namespace tessera::nn;

static RankedTensorType tensorType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// The dimensions of a tensor of \p rank that \p dims does not name.
static SmallVector<int64_t> complement(ArrayRef<int64_t> dims, int64_t rank) {
  SmallVector<int64_t> others;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (!llvm::is_contained(dims, dim))
      others.push_back(dim);
  return others;
}

namespace {
/// Writes formulas over tensors of one shape, in fp32 at least: what has fewer
/// bits is widened where it is read.
struct Math {
  OpBuilder &builder;
  Location loc;

  Value wide(Value a) { return widen(builder, loc, a); }
  /// \p a as a gradient of \p operand.
  Value as(Value operand, Value a) { return narrow(builder, loc, a, operand); }

  Value add(Value a, Value b) {
    return arith::AddFOp::create(builder, loc, wide(a), wide(b));
  }
  Value sub(Value a, Value b) {
    return arith::SubFOp::create(builder, loc, wide(a), wide(b));
  }
  Value mul(Value a, Value b) {
    return arith::MulFOp::create(builder, loc, wide(a), wide(b));
  }
  Value scale(Value a, double factor) {
    a = wide(a);
    return mul(a, createSplat(builder, loc, tensorType(a), factor));
  }
  Value offset(Value a, double term) {
    a = wide(a);
    return add(a, createSplat(builder, loc, tensorType(a), term));
  }
  /// The sum of each row.
  Value rowSum(Value a) {
    a = wide(a);
    auto type = tensorType(a);
    int64_t last = type.getRank() - 1;
    return ReduceOp::create(builder, loc,
                            type.clone(type.getShape().drop_back()),
                            Reduction::Sum, a, ArrayRef<int64_t>{last});
  }
  /// The sum of each column.
  Value columnSum(Value a) {
    a = wide(a);
    auto type = tensorType(a);
    auto dims = llvm::to_vector(llvm::seq<int64_t>(type.getRank() - 1));
    return ReduceOp::create(builder, loc,
                            type.clone(type.getShape().take_back()),
                            Reduction::Sum, a, dims);
  }
  /// One value a row, along all columns of \p type.
  Value alongColumns(Value a, RankedTensorType type) {
    auto dims = llvm::to_vector(llvm::seq<int64_t>(type.getRank() - 1));
    return createBroadcast(builder, loc, a, type.getShape(), dims);
  }
  /// One value a column, along all rows of \p type.
  Value alongRows(Value a, RankedTensorType type) {
    return createBroadcast(builder, loc, a, type.getShape(),
                           {type.getRank() - 1});
  }
  Value matmul(Value a, Value b, bool transposeA, bool transposeB) {
    auto typeA = tensorType(a), typeB = tensorType(b);
    int64_t m = typeA.getDimSize(transposeA), n = typeB.getDimSize(!transposeB);
    return MatmulOp::create(builder, loc, typeA.clone({m, n}), a, b, transposeA,
                            transposeB);
  }
};
} // namespace

void BroadcastOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                                 MutableArrayRef<Value> operands) {
  auto type = tensorType(getInput());
  if (!isa<FloatType>(type.getElementType()))
    return;
  auto dims = complement(getDims(), tensorType(getResult()).getRank());
  operands[0] = ReduceOp::create(builder, getLoc(), type, Reduction::Sum,
                                 gradients[0], dims);
}

void ReduceOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                              MutableArrayRef<Value> operands) {
  auto type = tensorType(getInput());
  auto kept = complement(getDims(), type.getRank());
  Value gradient =
      createBroadcast(builder, getLoc(), gradients[0], type.getShape(), kept);
  if (getKind() == Reduction::Max) {
    Value max =
        createBroadcast(builder, getLoc(), getResult(), type.getShape(), kept);
    Value hit = arith::CmpFOp::create(
        builder, getLoc(), arith::CmpFPredicate::OEQ,
        widen(builder, getLoc(), getInput()), widen(builder, getLoc(), max));
    Value zero = createSplat(builder, getLoc(), tensorType(gradient), 0);
    gradient = arith::SelectOp::create(builder, getLoc(), hit, gradient, zero);
  }
  operands[0] = narrow(builder, getLoc(), gradient, getInput());
}

void MatmulOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                              MutableArrayRef<Value> operands) {
  Math math{builder, getLoc()};
  Value a = getA(), b = getB(), dc = gradients[0];
  bool ta = getTransposeA(), tb = getTransposeB();
  // C = op(A) op(B): dop(A) = dC op(B)ᵀ, dop(B) = op(A)ᵀ dC; where an operand
  // was transposed, so is its gradient.
  operands[0] =
      ta ? math.matmul(b, dc, tb, true) : math.matmul(dc, b, false, !tb);
  operands[1] =
      tb ? math.matmul(dc, a, true, ta) : math.matmul(a, dc, !ta, false);
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
  auto type = tensorType(getInput());
  int64_t before = getOffset(), after = type.getDimSize(0) - before -
                                        tensorType(getResult()).getDimSize(0);
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
    offset += tensorType(input).getDimSize(0);
  }
}

void GatherOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                              MutableArrayRef<Value> operands) {
  Value zero = createSplat(builder, getLoc(), tensorType(getTable()), 0);
  operands[0] =
      ScatterAddOp::create(builder, getLoc(), zero, getIndices(), gradients[0]);
}

void LayerNormOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                                 MutableArrayRef<Value> operands) {
  Math math{builder, getLoc()};
  auto type = tensorType(getInput());
  Value dy = gradients[0];
  if (!dy)
    return;
  Value rstd = math.alongColumns(getRstd(), type);
  Value normalized =
      math.mul(math.sub(getInput(), math.alongColumns(getMean(), type)), rstd);
  operands[1] = math.as(getWeight(), math.columnSum(math.mul(dy, normalized)));
  operands[2] = math.as(getBias(), math.columnSum(dy));
  // With x̂ the normalised input and g = dy · weight:
  // dx = rstd (g - mean(g) - x̂ mean(g x̂)), means over the row.
  double inverse = 1.0 / type.getShape().back();
  Value g = math.mul(dy, math.alongRows(getWeight(), type));
  Value meanG = math.scale(math.rowSum(g), inverse);
  Value meanGX = math.scale(math.rowSum(math.mul(g, normalized)), inverse);
  Value centered = math.sub(g, math.alongColumns(meanG, type));
  Value dx =
      math.sub(centered, math.mul(normalized, math.alongColumns(meanGX, type)));
  operands[0] = math.as(getInput(), math.mul(dx, rstd));
}

void GeluOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                            MutableArrayRef<Value> operands) {
  operands[0] = GeluGradOp::create(builder, getLoc(), getInput(), gradients[0]);
}

void ReluOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                            MutableArrayRef<Value> operands) {
  // The result tells as much as the operand, and is alive anyway.
  Value zero = createSplat(builder, getLoc(), tensorType(getResult()), 0);
  Value positive = arith::CmpFOp::create(
      builder, getLoc(), arith::CmpFPredicate::OGT, getResult(), zero);
  operands[0] =
      arith::SelectOp::create(builder, getLoc(), positive, gradients[0], zero);
}

void SoftmaxOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                               MutableArrayRef<Value> operands) {
  Math math{builder, getLoc()};
  Value y = getResult(), dy = gradients[0];
  auto type = tensorType(y);
  Value dot = math.alongColumns(math.rowSum(math.mul(dy, y)), type);
  operands[0] = math.as(y, math.mul(y, math.sub(dy, dot)));
}

void AttentionOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                                 MutableArrayRef<Value> operands) {
  if (!gradients[0])
    return;
  operands[0] = AttentionGradOp::create(
      builder, getLoc(), getQkv().getType(), getQkv(), getResult(), getLse(),
      gradients[0], getBatch(), getHeads(), getLayout(), getCausal(),
      getAlibi(), getScale());
}

void CrossEntropyOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                                    MutableArrayRef<Value> operands) {
  // dlogits = (softmax(logits) - onehot(target)) · scale · dloss in rows whose
  // target counts.
  Math math{builder, getLoc()};
  Location loc = getLoc();
  Value logits = math.wide(getLogits());
  auto type = tensorType(logits);
  auto intType = type.clone(builder.getI32Type());
  Value p = SoftmaxOp::create(builder, loc, logits);
  Value target =
      createBroadcast(builder, loc, getTargets(), type.getShape(), {0});
  Value column = IotaOp::create(builder, loc, intType, 1);
  Value hit = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                    column, target);
  Value zero = createSplat(builder, loc, type, 0);
  Value one = createSplat(builder, loc, type, 1);
  Value onehot = arith::SelectOp::create(builder, loc, hit, one, zero);
  Value factor =
      broadcastScalar(builder, loc, math.mul(getScale(), gradients[0]), type);
  Value gradient = math.mul(math.sub(p, onehot), factor);
  Value none = arith::ConstantOp::create(
      builder, loc,
      DenseElementsAttr::get(intType, builder.getI32IntegerAttr(0)));
  Value counts = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sge,
                                       target, none);
  operands[0] =
      math.as(getLogits(),
              arith::SelectOp::create(builder, loc, counts, gradient, zero));
}

void LinearCrossEntropyOp::buildGradients(OpBuilder &builder,
                                          ValueRange gradients,
                                          MutableArrayRef<Value> operands) {
  if (!gradients[0])
    return;
  Math math{builder, getLoc()};
  // The objective's own gradient is the constant 1: nothing is left to scale.
  auto scaled = [&](Value gradient) {
    if (isSplat(gradients[0], 1))
      return gradient;
    return math.as(
        gradient,
        math.mul(gradient, broadcastScalar(builder, getLoc(), gradients[0],
                                           tensorType(gradient))));
  };
  operands[0] = scaled(getInputGradient());
  operands[1] = scaled(getWeightGradient());
}
