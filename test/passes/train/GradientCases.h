//===- GradientCases.h - One small model an operation -----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_PASSES_TRAIN_GRADIENTCASES_H
#define TESSERA_TEST_PASSES_TRAIN_GRADIENTCASES_H

#include <string>
#include <vector>

namespace tessera::test {

/// A parameter %name of the shape `shape`, such as "3x4x" ("" for a scalar).
struct Operand {
  std::string name, shape;
};

/// A model around one operation.
struct GradientCase {
  /// The operation, such as "nn.matmul", and what is particular.
  std::string op, variant;
  std::vector<Operand> parameters;
  /// Operations that make %r from the parameters.
  std::string body;
  /// The shape of %r, as that of a parameter.
  std::string result;
  /// The parameters' values are to be positive.
  bool positive = false;
  /// %r itself is the loss.
  bool isLoss = false;

  /// The model as text: the loss is the sum of %r times the argument.
  std::string source() const;
};

/// All cases; every differentiable operation has at least one.
std::vector<GradientCase> getGradientCases();

} // namespace tessera::test

#endif // TESSERA_TEST_PASSES_TRAIN_GRADIENTCASES_H
