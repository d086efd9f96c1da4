//===- ExtensionTest.h - Modules with parts from outside --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_EXTENSION_EXTENSIONTEST_H
#define TESSERA_TEST_EXTENSION_EXTENSIONTEST_H

#include "frontends/ModelBuilder.h"
#include "test/passes/train/Interpreter.h"
#include "gtest/gtest.h"

namespace tessera::extension {

class ExtensionTest : public testing::Test {
protected:
  static void SetUpTestSuite();
  ExtensionTest();

  /// The specification \p text, which must be right.
  static Specification parse(llvm::StringRef text);

  /// Takes \p module through the phases from train to plan, and then to
  /// target; whether no pass failed.
  bool plan(mlir::ModuleOp module);
  bool lower(mlir::ModuleOp module);

  /// Holds the gradients that `@train` of \p module, after phase train, gives
  /// its updates against finite differences of the first result of `@objective`
  /// or `@eval`, for the arguments \p inputs and random parameters. All is
  /// computed in double precision.
  void checkGradients(mlir::ModuleOp module,
                      llvm::ArrayRef<test::Array> inputs);

  mlir::MLIRContext context;
};

} // namespace tessera::extension

#endif // TESSERA_TEST_EXTENSION_EXTENSIONTEST_H
