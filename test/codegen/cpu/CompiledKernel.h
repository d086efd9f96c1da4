//===- CompiledKernel.h - Kernels compiled in memory ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_CODEGEN_CPU_COMPILEDKERNEL_H
#define TESSERA_TEST_CODEGEN_CPU_COMPILEDKERNEL_H

#include "codegen/cpu/KernelFunction.h"
#include "runtime/abi.h"
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tessera::test {

/// A module of functions on memory, compiled to machine code for this
/// CPU and loaded into this process. Whatever fails ends the process
/// with a message.
class CompiledModule {
public:
  /// Registers dialects beyond those of the compiler.
  using Extend = void (*)(mlir::DialectRegistry &);
  explicit CompiledModule(Extend extend = nullptr);
  ~CompiledModule();

  /// Until machine code is made.
  mlir::MLIRContext &getContext();
  /// Starts from \p source, or from an empty module.
  mlir::ModuleOp parse(const std::string &source = "module {}");
  /// Runs the passes and the emission of executables.
  void compile();
  /// The same for a module in the LLVM dialect, which may call \p functions.
  void load(const std::map<std::string, void *> &functions);
  void *lookup(const std::string &name);

private:
  struct State;
  std::unique_ptr<State> state;
};

/// A kernel, from its text to machine code.
class CompiledKernel {
public:
  /// \p source holds one function from tensors to tensors with the attribute
  /// `plan.kernel`.
  explicit CompiledKernel(const std::string &source,
                          CompiledModule::Extend extend = nullptr);

  /// Runs all iterations on \p buffers, the arguments' and then the results'.
  /// \p pieces cuts the parallel loop; the pieces run last to first, each with
  /// scratch memory that starts as NaN.
  void run(std::vector<void *> buffers, int64_t pieces = 1);

  int64_t getIterations() const { return shape.iterations; }
  int64_t getScratchBytes() const { return shape.scratchBytes; }
  /// The argument, numerator and denominator of counted iterations; else empty.
  llvm::ArrayRef<int64_t> getCounted() const { return shape.counted; }
  tessera_kernel getFunction() const { return function; }

private:
  CompiledModule module;
  cpu::KernelShape shape;
  tessera_kernel function;
};

} // namespace tessera::test

#endif // TESSERA_TEST_CODEGEN_CPU_COMPILEDKERNEL_H
