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
#include "llvm/Support/ThreadPool.h"
#include <memory>

namespace tessera {

/// A context that has all dialects and the code of kernels, and writes
/// diagnostics to the standard error: one line for each and each of its notes.
class CommandContext {
public:
  CommandContext();

  mlir::MLIRContext &get() { return context; }

  /// Lets \p count threads share what there is to do of each kernel by itself;
  /// 0: as many as there are cores.
  void enableThreads(unsigned count);

private:
  std::unique_ptr<llvm::ThreadPoolInterface> threads;
  mlir::MLIRContext context;
  mlir::ScopedDiagnosticHandler diagnostics;
};

} // namespace tessera

#endif // TESSERA_DRIVER_COMMANDCONTEXT_H
