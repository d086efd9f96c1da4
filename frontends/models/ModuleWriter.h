//===- ModuleWriter.h - Writes modules of phase `model` ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_MODELS_MODULEWRITER_H
#define TESSERA_FRONTENDS_MODELS_MODULEWRITER_H

#include "dialects/nn/NN.h"
#include "frontends/Specification.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

namespace tessera {

/// How a parameter starts.
struct Initializer {
  nn::Init kind;
  double value;

  static Initializer normal(double std) { return {nn::Init::Normal, std}; }
  static Initializer uniform(double bound) {
    return {nn::Init::Uniform, bound};
  }
  static Initializer constant(double value) {
    return {nn::Init::Constant, value};
  }
};

/// A named argument or result of a function.
struct Port {
  llvm::StringRef name;
  mlir::Type type;
  /// An argument that the runtime fills once, before the first step.
  bool filledOnce = false;
};

/// Writes parameters and functions into a module; the values of a function
/// are activations of shape [rows, features] in fp32.
class ModuleWriter {
public:
  explicit ModuleWriter(mlir::ModuleOp module);

  mlir::OpBuilder &builder() { return ops; }
  mlir::Location loc() { return ops.getUnknownLoc(); }
  mlir::RankedTensorType f32(llvm::ArrayRef<int64_t> shape);
  mlir::RankedTensorType i32(llvm::ArrayRef<int64_t> shape);

  /// Declares parameter \p name in \p group. Matrices decay, vectors do not.
  void parameter(llvm::StringRef name, llvm::ArrayRef<int64_t> shape,
                 Initializer initializer, llvm::StringRef group);

  /// Begins function \p name; until it ends, operations are written into it.
  /// Returns its arguments.
  llvm::SmallVector<mlir::Value> begin(llvm::StringRef name,
                                       llvm::ArrayRef<Port> inputs,
                                       llvm::ArrayRef<Port> outputs);
  void end(mlir::ValueRange results);

  /// The value of parameter \p name.
  mlir::Value use(llvm::StringRef name);

  mlir::Value reshape(mlir::Value input, llvm::ArrayRef<int64_t> shape);
  /// \p input plus \p bias, the same for each row.
  mlir::Value addBias(mlir::Value input, mlir::Value bias);
  mlir::Value add(mlir::Value a, mlir::Value b);

  /// \p loss, a share of the objective, plus the same share of the
  /// specification's L2 penalty, so that all ranks' micro-batches add up to it.
  mlir::Value addPenalty(mlir::Value loss, const Specification &specification);

private:
  mlir::ModuleOp module;
  mlir::OpBuilder ops;
  mlir::SymbolTable symbols;
};

} // namespace tessera

#endif // TESSERA_FRONTENDS_MODELS_MODULEWRITER_H
