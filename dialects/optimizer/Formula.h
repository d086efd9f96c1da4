//===- Formula.h - Arithmetic of an optimizer's step ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_OPTIMIZER_FORMULA_H
#define TESSERA_DIALECTS_OPTIMIZER_FORMULA_H

#include "mlir/IR/Builders.h"
#include "llvm/ADT/SmallVector.h"

namespace tessera::optimizer {

/// What a group keeps of each element from step to step beside the parameter.
struct State {
  /// Its name in modules, plans and manifests: letters, digits and underscores.
  llvm::StringRef name;
  /// Its name in checkpoints: PyTorch's.
  llvm::StringRef savedAs;
};

/// A number of a step.
struct Scalar {
  enum Kind {
    LearningRate, ///< by the schedule
    Correction,   ///< 1 - base^t
    Step          ///< t, the number of this update, counted from 1
  };
  Kind kind;
  double base = 0;
};

/// "learning_rate", "correction" or "step".
llvm::StringRef getName(Scalar::Kind kind);

/// What differs between the classes of parameters.
struct ClassParameters {
  /// The factor of the schedule's learning rate.
  double lrScale = 1;
  double weightDecay = 0;

  bool operator==(const ClassParameters &other) const = default;
};

/// What the step of an element reads: values of one type.
struct Element {
  mlir::Value parameter;
  mlir::Value gradient; ///< clipped
  llvm::SmallVector<mlir::Value> states;
  llvm::SmallVector<mlir::Value> numbers; ///< of the element's class
};

/// Writes arithmetic on floating-point scalars, vectors or tensors. Each method
/// rounds once.
class Formula {
public:
  Formula(mlir::OpBuilder &builder, mlir::Location loc)
      : builder(builder), loc(loc) {}

  /// \p value in the type of \p like.
  mlir::Value constant(mlir::Value like, double value);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value sub(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, double b) { return mul(a, constant(a, b)); }
  mlir::Value div(mlir::Value a, mlir::Value b);
  mlir::Value neg(mlir::Value a);
  mlir::Value sqrt(mlir::Value a);
  /// a * b + c.
  mlir::Value fma(mlir::Value a, mlir::Value b, mlir::Value c);
  mlir::Value fma(mlir::Value a, double b, mlir::Value c) {
    return fma(a, constant(a, b), c);
  }
  /// 1, 0 or -1; 0 of NaN.
  mlir::Value sign(mlir::Value a);

private:
  mlir::OpBuilder &builder;
  mlir::Location loc;
};

} // namespace tessera::optimizer

#endif // TESSERA_DIALECTS_OPTIMIZER_FORMULA_H
