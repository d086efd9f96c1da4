//===- EmulatedKernel.h - Device kernels run in memory ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_CODEGEN_CUDA_EMULATEDKERNEL_H
#define TESSERA_TEST_CODEGEN_CUDA_EMULATEDKERNEL_H

#include "codegen/cuda/DeviceKernel.h"
#include "test/codegen/cpu/CompiledKernel.h"
#include "test/codegen/cuda/Emulator.h"

namespace tessera::test {

/// A kernel mapped to grids, from its text to runs of all its threads on this
/// CPU.
class DeviceKernel {
public:
  /// \p source holds one function from tensors to tensors with the attribute
  /// `plan.kernel`.
  explicit DeviceKernel(const std::string &source);

  /// Runs all grids on \p buffers, the arguments' and then the results', each
  /// aligned to 16 bytes. Scratch memory starts as NaN.
  void run(std::vector<void *> buffers,
           ThreadOrder order = ThreadOrder::Ascending);

  llvm::ArrayRef<cuda::Grid> getGrids() const { return grids; }
  int64_t getScratchBytes() const { return scratchBytes; }

private:
  CompiledModule module;
  llvm::SmallVector<cuda::Grid> grids;
  std::vector<EmulatedKernel> functions;
  int64_t scratchBytes;
};

} // namespace tessera::test

#endif // TESSERA_TEST_CODEGEN_CUDA_EMULATEDKERNEL_H
