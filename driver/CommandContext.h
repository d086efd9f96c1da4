//===- CommandContext.h - What a command compiles in ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_COMMANDCONTEXT_H
#define TESSERA_DRIVER_COMMANDCONTEXT_H

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"

namespace tessera {

/// A context that has all dialects and the code of kernels, and writes
/// diagnostics to the standard error: one line for each and each of its notes.
class CommandContext {
public:
  CommandContext();

  mlir::MLIRContext &get() { return context; }

private:
  mlir::MLIRContext context;
  mlir::ScopedDiagnosticHandler diagnostics;
};

} // namespace tessera

#endif // TESSERA_DRIVER_COMMANDCONTEXT_H
