//===- CompilerContext.h - The compiler in a fuzz target --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_FUZZ_COMPILERCONTEXT_H
#define TESSERA_TEST_FUZZ_COMPILERCONTEXT_H

#include "frontends/Specification.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OwningOpRef.h"

namespace tessera::fuzz {

/// What the compiler does to one input, and the promises that it keeps: what is
/// refused has an error, and what is not verifies.
class CompilerContext {
public:
  CompilerContext();

  mlir::MLIRContext &context() { return *shared; }

  /// The specification of \p text, with overrides from its comments.
  std::optional<Specification> specification(llvm::StringRef text);
  /// The module of phase `model`; null for one of more layers than it is worth
  /// to build.
  mlir::OwningOpRef<mlir::ModuleOp> build(const Specification &specification);

private:
  /// Made anew now and then, since it keeps all types and attributes.
  static std::unique_ptr<mlir::MLIRContext> shared;
  std::unique_ptr<mlir::ScopedDiagnosticHandler> silence;
};

} // namespace tessera::fuzz

#endif // TESSERA_TEST_FUZZ_COMPILERCONTEXT_H
