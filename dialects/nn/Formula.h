//===- Formula.h - Arithmetic on tensors, written as formulas ---*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_NN_FORMULA_H
#define TESSERA_DIALECTS_NN_FORMULA_H

#include "dialects/nn/NN.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace tessera::nn {

/// Writes gradients and decompositions as formulas over tensors of rows and
/// columns, and over values per row or per column. All is computed in fp32 at
/// least: what has fewer bits is widened where it is read.
struct Formula {
  using Value = mlir::Value;
  using RankedTensorType = mlir::RankedTensorType;

  mlir::OpBuilder &builder;
  mlir::Location loc;

  static RankedTensorType typeOf(Value value) {
    return llvm::cast<RankedTensorType>(value.getType());
  }
  Value wide(Value a) { return widen(builder, loc, a); }
  /// \p a rounded to the element type of \p like.
  Value as(Value like, Value a) { return narrow(builder, loc, a, like); }

  Value add(Value a, Value b) { return apply<mlir::arith::AddFOp>(a, b); }
  Value sub(Value a, Value b) { return apply<mlir::arith::SubFOp>(a, b); }
  Value mul(Value a, Value b) { return apply<mlir::arith::MulFOp>(a, b); }
  Value div(Value a, Value b) { return apply<mlir::arith::DivFOp>(a, b); }
  Value exp(Value a) { return apply<mlir::math::ExpOp>(a); }
  Value log(Value a) { return apply<mlir::math::LogOp>(a); }
  Value sqrt(Value a) { return apply<mlir::math::SqrtOp>(a); }
  /// 1 / sqrt(a), rounded twice.
  Value rsqrt(Value a) {
    Value root = sqrt(a);
    return div(splat(typeOf(root), 1), root);
  }
  Value tanh(Value a) { return apply<mlir::math::TanhOp>(a); }
  /// \p a times a number, and \p a plus a number.
  Value scale(Value a, double factor) {
    a = wide(a);
    return mul(a, splat(typeOf(a), factor));
  }
  Value offset(Value a, double term) {
    a = wide(a);
    return add(a, splat(typeOf(a), term));
  }
  Value select(Value condition, Value a, Value b) {
    return mlir::arith::SelectOp::create(builder, loc, condition, a, b);
  }
  Value compare(mlir::arith::CmpFPredicate relation, Value a, Value b) {
    return mlir::arith::CmpFOp::create(builder, loc, relation, a, b);
  }
  Value compare(mlir::arith::CmpIPredicate relation, Value a, Value b) {
    return mlir::arith::CmpIOp::create(builder, loc, relation, a, b);
  }
  /// The same number everywhere; of an integer type the whole number.
  Value splat(RankedTensorType type, double value) {
    return createSplat(builder, loc, type, value);
  }

  /// The sum or the maximum of each row, the sum of each column.
  Value rowSum(Value a) { return reduceRows(Reduction::Sum, a); }
  Value rowMax(Value a) { return reduceRows(Reduction::Max, a); }
  Value columnSum(Value a) {
    a = wide(a);
    auto type = typeOf(a);
    auto dims = llvm::to_vector(llvm::seq<int64_t>(type.getRank() - 1));
    return ReduceOp::create(builder, loc,
                            type.clone(type.getShape().take_back()),
                            Reduction::Sum, a, dims);
  }
  /// One value per row, along all columns of \p type.
  Value alongColumns(Value a, RankedTensorType type) {
    auto dims = llvm::to_vector(llvm::seq<int64_t>(type.getRank() - 1));
    return createBroadcast(builder, loc, a, type.getShape(), dims);
  }
  /// One value per column, along all rows of \p type.
  Value alongRows(Value a, RankedTensorType type) {
    return createBroadcast(builder, loc, a, type.getShape(),
                           {type.getRank() - 1});
  }
  /// op(a) · op(b), op being the transpose where it is said.
  Value matmul(Value a, Value b, bool transposeA, bool transposeB) {
    int64_t rows = typeOf(a).getDimSize(transposeA),
            columns = typeOf(b).getDimSize(!transposeB);
    return MatmulOp::create(builder, loc, typeOf(a).clone({rows, columns}), a,
                            b, transposeA, transposeB);
  }

private:
  template <typename Op> Value apply(Value a) {
    return Op::create(builder, loc, wide(a));
  }
  template <typename Op> Value apply(Value a, Value b) {
    a = wide(a);
    return Op::create(builder, loc, a, wide(b));
  }
  Value reduceRows(Reduction kind, Value a) {
    a = wide(a);
    auto type = typeOf(a);
    return ReduceOp::create(builder, loc,
                            type.clone(type.getShape().drop_back()), kind, a,
                            llvm::ArrayRef<int64_t>{type.getRank() - 1});
  }
};

} // namespace tessera::nn

#endif // TESSERA_DIALECTS_NN_FORMULA_H
