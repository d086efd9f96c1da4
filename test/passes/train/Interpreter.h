//===- Interpreter.h - Programs in double precision -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Evaluates straight-line functions by the definitions of their operations,
// with no regard to speed: what the compiler's gradients are tested against.

#ifndef TESSERA_TEST_PASSES_TRAIN_INTERPRETER_H
#define TESSERA_TEST_PASSES_TRAIN_INTERPRETER_H

#include "dialects/graph/Graph.h"
#include "dialects/nn/NN.h"
#include <map>
#include <string>
#include <vector>

namespace tessera::test {

/// A tensor, row by row. Integers and truth values are held as doubles too.
struct Array {
  llvm::SmallVector<int64_t> shape;
  std::vector<double> data;

  Array() = default;
  /// Zeros of the shape of \p type, a ranked tensor.
  explicit Array(mlir::Type type);

  /// Elements of the last dimension (1 for a scalar), and how many such rows.
  int64_t columns() const { return shape.empty() ? 1 : shape.back(); }
  int64_t rows() const { return data.size() / columns(); }
  double &at(int64_t row, int64_t column) {
    return data[row * columns() + column];
  }
  double at(int64_t row, int64_t column) const {
    return data[row * columns() + column];
  }
};

/// Values by name.
using Arrays = std::map<std::string, Array>;

/// Runs one function.
class Interpreter {
public:
  explicit Interpreter(const Arrays &parameters) : parameters(parameters) {}

  /// Evaluates all operations of \p function for \p arguments, which may be
  /// fewer than its own if no value that counts depends on the others. Emits
  /// an error for an operation that it does not know.
  mlir::LogicalResult run(mlir::func::FuncOp function,
                          llvm::ArrayRef<Array> arguments);

  /// The value of a result or argument; it must have been evaluated.
  const Array &get(mlir::Value value) const { return values.at(value); }

  /// The gradients that the function's `nn.update` operations received, by
  /// parameter.
  const Arrays &getGradients() const { return gradients; }

private:
  mlir::LogicalResult visit(mlir::Operation &op);
  bool visitElementwise(mlir::Operation &op);
  bool visitShape(mlir::Operation &op);
  bool visitComposite(mlir::Operation &op);
  bool visitGraphAttention(mlir::Operation &op);
  bool visitGraphMax(mlir::Operation &op);

  const Array &operand(mlir::Operation &op, unsigned i) const {
    return values.at(op.getOperand(i));
  }
  std::vector<Array> getAll(mlir::ValueRange some) const {
    std::vector<Array> all;
    for (mlir::Value value : some)
      all.push_back(get(value));
    return all;
  }
  Array &define(mlir::Value value) {
    return values.insert_or_assign(value, Array(value.getType())).first->second;
  }

  struct Order {
    bool operator()(mlir::Value a, mlir::Value b) const {
      return a.getAsOpaquePointer() < b.getAsOpaquePointer();
    }
  };

  const Arrays &parameters;
  /// A map whose references stay valid as it grows.
  std::map<mlir::Value, Array, Order> values;
  Arrays gradients;
};

} // namespace tessera::test

#endif // TESSERA_TEST_PASSES_TRAIN_INTERPRETER_H
