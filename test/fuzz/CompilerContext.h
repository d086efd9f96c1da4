//===- CompilerContext.h - The compiler in a fuzz target --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_FUZZ_COMPILERCONTEXT_H
#define TESSERA_TEST_FUZZ_COMPILERCONTEXT_H

#include "driver/Phases.h"
#include "frontends/Specification.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OwningOpRef.h"

namespace tessera::fuzz {

/// What the compiler does to one input, and the promises that it keeps: what
/// fails says why, and what does not verifies and says no error.
class CompilerContext {
public:
  CompilerContext();

  mlir::MLIRContext &context() { return *shared; }

  /// The specification of \p text, with overrides from its comments.
  std::optional<Specification> specification(llvm::StringRef text);
  /// The module of phase `model`; null for one of more layers than it is worth
  /// to build, and where groups of the optimizer match no parameter.
  mlir::OwningOpRef<mlir::ModuleOp> build(const Specification &specification);
  /// Parses a module. Null where it is refused.
  mlir::OwningOpRef<mlir::ModuleOp> parse(llvm::StringRef text);
  /// Goes on from \p module, which says that it is as \p from leaves it, as
  /// --compile-from does: with the verifier of that phase first.
  void enter(mlir::ModuleOp module, Phase from);
  /// Runs the phases behind \p from, up to `target`. A null \p module is left.
  void compile(mlir::ModuleOp module, Phase from);
  /// What phases need in the context.
  void loadKernels();

private:
  /// Requires an error where \p isDone is false, and none where it is true.
  void requireReason(bool isDone);

  /// Made anew now and then, since it keeps all types and attributes.
  static std::unique_ptr<mlir::MLIRContext> shared;
  std::unique_ptr<mlir::ScopedDiagnosticHandler> handler;
  unsigned errors = 0;
};

} // namespace tessera::fuzz

#endif // TESSERA_TEST_FUZZ_COMPILERCONTEXT_H
