//===- Interpreter.cpp - The general core -----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/passes/train/Interpreter.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace mlir;
using namespace tessera;
using namespace tessera::test;

Array::Array(Type type) : shape(cast<RankedTensorType>(type).getShape()) {
  data.resize(cast<RankedTensorType>(type).getNumElements());
}

LogicalResult Interpreter::run(func::FuncOp function,
                               ArrayRef<Array> arguments) {
  for (auto [value, array] : llvm::zip(function.getArguments(), arguments))
    values[value] = array;
  for (Operation &op : function.getBody().front())
    if (failed(visit(op)))
      return failure();
  return success();
}

LogicalResult Interpreter::visit(Operation &op) {
  // What follows the gradients has no part in them.
  if (isa<func::ReturnOp, nn::SectionOp, nn::SumSquaresOp,
          nn::PartialSumSquaresOp, nn::SumPartialsOp, nn::ClipScaleOp,
          graph::CSROp>(op))
    return success();
  if (auto read = dyn_cast<nn::GetParameterOp>(op)) {
    values[read.getResult()] = parameters.at(read.getParameter().str());
    return success();
  }
  if (auto update = dyn_cast<nn::UpdateOp>(op)) {
    gradients[update.getParameter().str()] = get(update.getGradient());
    return success();
  }
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    Array &result = define(constant.getResult());
    auto elements = cast<DenseElementsAttr>(constant.getValue());
    if (isa<FloatType>(elements.getElementType()))
      llvm::transform(elements.getValues<APFloat>(), result.data.begin(),
                      [](const APFloat &x) { return x.convertToDouble(); });
    else
      llvm::transform(elements.getValues<APInt>(), result.data.begin(),
                      [](const APInt &x) { return x.getSExtValue(); });
    return success();
  }
  if (visitElementwise(op) || visitShape(op) || visitComposite(op) ||
      visitGraphAttention(op) || visitGraphMax(op))
    return success();
  return op.emitError("the interpreter does not know this operation: "
                      "InterpretComposites.cpp has those of nn");
}

bool Interpreter::visitElementwise(Operation &op) {
  auto map = [&](auto function) {
    Array &result = define(op.getResult(0));
    for (size_t i = 0; i < result.data.size(); ++i)
      result.data[i] = function(i);
    return true;
  };
  auto unary = [&](auto function) {
    const Array &x = operand(op, 0);
    return map([&](size_t i) { return function(x.data[i]); });
  };
  auto binary = [&](auto function) {
    const Array &x = operand(op, 0), &y = operand(op, 1);
    return map([&](size_t i) { return function(x.data[i], y.data[i]); });
  };
  if (isa<arith::AddFOp>(op))
    return binary([](double x, double y) { return x + y; });
  if (isa<arith::SubFOp>(op))
    return binary([](double x, double y) { return x - y; });
  if (isa<arith::MulFOp>(op))
    return binary([](double x, double y) { return x * y; });
  if (isa<arith::DivFOp>(op))
    return binary([](double x, double y) { return x / y; });
  if (isa<arith::MinimumFOp>(op))
    return binary([](double x, double y) { return std::min(x, y); });
  if (isa<arith::MaximumFOp>(op))
    return binary([](double x, double y) { return std::max(x, y); });
  // In exact numbers nothing is rounded.
  if (isa<arith::ExtFOp, arith::TruncFOp>(op))
    return unary([](double x) { return x; });
  if (isa<arith::NegFOp>(op))
    return unary([](double x) { return -x; });
  if (isa<math::ExpOp>(op))
    return unary([](double x) { return std::exp(x); });
  if (isa<math::LogOp>(op))
    return unary([](double x) { return std::log(x); });
  if (isa<math::TanhOp>(op))
    return unary([](double x) { return std::tanh(x); });
  if (isa<math::SqrtOp>(op))
    return unary([](double x) { return std::sqrt(x); });
  if (isa<math::RsqrtOp>(op))
    return unary([](double x) { return 1 / std::sqrt(x); });
  if (isa<arith::SelectOp>(op)) {
    const Array &condition = operand(op, 0), &x = operand(op, 1),
                &y = operand(op, 2);
    return map([&](size_t i) {
      return condition.data[i] != 0 ? x.data[i] : y.data[i];
    });
  }
  if (auto compare = dyn_cast<arith::CmpFOp>(op)) {
    switch (compare.getPredicate()) {
    case arith::CmpFPredicate::OEQ:
      return binary([](double x, double y) { return x == y; });
    case arith::CmpFPredicate::OGE:
      return binary([](double x, double y) { return x >= y; });
    case arith::CmpFPredicate::OLT:
      return binary([](double x, double y) { return x < y; });
    case arith::CmpFPredicate::OGT:
      return binary([](double x, double y) { return x > y; });
    default:
      return false;
    }
  }
  if (auto compare = dyn_cast<arith::CmpIOp>(op)) {
    switch (compare.getPredicate()) {
    case arith::CmpIPredicate::eq:
      return binary([](double x, double y) { return x == y; });
    case arith::CmpIPredicate::slt:
      return binary([](double x, double y) { return x < y; });
    case arith::CmpIPredicate::uge:
      return binary([](double x, double y) {
        return static_cast<uint32_t>(static_cast<int32_t>(x)) >=
               static_cast<uint32_t>(static_cast<int32_t>(y));
      });
    case arith::CmpIPredicate::sge:
      return binary([](double x, double y) { return x >= y; });
    default:
      return false;
    }
  }
  return false;
}

/// The coordinates of element \p index of a tensor of \p shape.
static SmallVector<int64_t> coordinates(int64_t index,
                                        ArrayRef<int64_t> shape) {
  SmallVector<int64_t> result(shape.size());
  for (size_t dim = shape.size(); dim-- > 0; index /= shape[dim])
    result[dim] = index % shape[dim];
  return result;
}

/// The element of a tensor of \p shape at \p coordinates.
static int64_t linear(ArrayRef<int64_t> coordinates, ArrayRef<int64_t> shape) {
  int64_t index = 0;
  for (auto [coordinate, size] : llvm::zip_equal(coordinates, shape))
    index = index * size + coordinate;
  return index;
}

/// Fills \p result with the columns of \p input from \p offset on.
static void takeColumns(const Array &input, int64_t offset, Array &result) {
  int64_t width = result.shape.back();
  for (size_t i = 0; i < result.data.size(); ++i)
    result.data[i] =
        input.data[i / width * input.shape.back() + offset + i % width];
}

bool Interpreter::visitShape(Operation &op) {
  if (auto split = dyn_cast<nn::SplitColumnsOp>(op)) {
    int64_t offset = 0;
    for (Value part : split.getParts()) {
      Array &result = define(part);
      takeColumns(get(split.getInput()), offset, result);
      offset += result.shape.back();
    }
    return true;
  }
  if (!isa<nn::NNDialect>(op.getDialect()) || op.getNumResults() != 1)
    return false;
  if (auto broadcast = dyn_cast<nn::BroadcastOp>(op)) {
    const Array &input = operand(op, 0);
    Array &result = define(op.getResult(0));
    for (size_t i = 0; i < result.data.size(); ++i) {
      auto all = coordinates(i, result.shape);
      SmallVector<int64_t> own;
      for (int64_t dim : broadcast.getDims())
        own.push_back(all[dim]);
      result.data[i] = input.data[linear(own, input.shape)];
    }
    return true;
  }
  if (auto reduce = dyn_cast<nn::ReduceOp>(op)) {
    const Array &input = operand(op, 0);
    Array &result = define(op.getResult(0));
    bool sum = reduce.getKind() == nn::Reduction::Sum;
    if (!sum)
      llvm::fill(result.data, -std::numeric_limits<double>::infinity());
    for (size_t i = 0; i < input.data.size(); ++i) {
      SmallVector<int64_t> kept;
      for (auto [dim, x] : llvm::enumerate(coordinates(i, input.shape)))
        if (!llvm::is_contained(reduce.getDims(), static_cast<int64_t>(dim)))
          kept.push_back(x);
      double &target = result.data[linear(kept, result.shape)];
      target = sum ? target + input.data[i] : std::max(target, input.data[i]);
    }
    return true;
  }
  if (auto matmul = dyn_cast<nn::MatmulOp>(op)) {
    const Array &a = operand(op, 0), &b = operand(op, 1);
    Array &c = define(op.getResult(0));
    int64_t inner = a.shape[!matmul.getTransposeA()];
    for (int64_t i = 0; i < c.rows(); ++i)
      for (int64_t j = 0; j < c.columns(); ++j)
        for (int64_t k = 0; k < inner; ++k)
          c.at(i, j) += (matmul.getTransposeA() ? a.at(k, i) : a.at(i, k)) *
                        (matmul.getTransposeB() ? b.at(j, k) : b.at(k, j));
    return true;
  }
  if (isa<nn::ReshapeOp>(op)) {
    define(op.getResult(0)).data = operand(op, 0).data;
    return true;
  }
  if (auto slice = dyn_cast<nn::SliceColumnsOp>(op)) {
    takeColumns(operand(op, 0), slice.getOffset(), define(slice.getResult()));
    return true;
  }
  if (isa<nn::ConcatColumnsOp>(op)) {
    Array &result = define(op.getResult(0));
    int64_t parts = op.getNumOperands(), width = result.shape.back() / parts;
    for (size_t i = 0; i < result.data.size(); ++i)
      result.data[i] = operand(op, i / width % parts)
                           .data[i / (width * parts) * width + i % width];
    return true;
  }
  if (auto transpose = dyn_cast<nn::TransposeOp>(op)) {
    const Array &input = operand(op, 0);
    Array &result = define(op.getResult(0));
    for (size_t i = 0; i < result.data.size(); ++i) {
      SmallVector<int64_t> source(result.shape.size());
      for (auto [dim, x] : llvm::enumerate(coordinates(i, result.shape)))
        source[transpose.getPermutation()[dim]] = x;
      result.data[i] = input.data[linear(source, input.shape)];
    }
    return true;
  }
  if (auto slice = dyn_cast<nn::SliceOp>(op)) {
    const Array &input = operand(op, 0);
    Array &result = define(op.getResult(0));
    int64_t row = input.data.size() / input.shape[0];
    auto from = input.data.begin() + slice.getOffset() * row;
    std::copy_n(from, result.data.size(), result.data.begin());
    return true;
  }
  if (isa<nn::ConcatOp>(op)) {
    auto to = define(op.getResult(0)).data.begin();
    for (Value input : op.getOperands())
      to = llvm::copy(get(input).data, to);
    return true;
  }
  if (isa<nn::GatherOp>(op)) {
    const Array &table = operand(op, 0), &indices = operand(op, 1);
    Array &result = define(op.getResult(0));
    for (int64_t i = 0; i < result.rows(); ++i)
      for (int64_t j = 0; j < result.columns(); ++j)
        result.at(i, j) = table.at(indices.data[i], j);
    return true;
  }
  if (auto scatter = dyn_cast<nn::ScatterAddOp>(op)) {
    const Array &indices = get(scatter.getIndices()),
                &rows = get(scatter.getRows());
    Array &result = define(op.getResult(0));
    result = get(scatter.getInit());
    for (int64_t i = 0; i < rows.rows(); ++i)
      for (int64_t j = 0; j < rows.columns(); ++j)
        result.at(indices.data[i], j) += rows.at(i, j);
    return true;
  }
  if (auto iota = dyn_cast<nn::IotaOp>(op)) {
    Array &result = define(op.getResult(0));
    for (size_t i = 0; i < result.data.size(); ++i)
      result.data[i] = coordinates(i, result.shape)[iota.getDim()];
    return true;
  }
  return false;
}
