//===- EmulatedKernel.cpp - Device kernels run in memory --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/codegen/cuda/EmulatedKernel.h"

#include "test/codegen/cuda/Emulation.h"
#include <cstdlib>
#include <cstring>

using namespace mlir;
using namespace tessera::test;

static void check(bool good, const char *message) {
  if (good)
    return;
  llvm::errs() << "kernel under test: " << message << "\n";
  std::exit(1);
}

DeviceKernel::DeviceKernel(const std::string &source) {
  DialectRegistry registry;
  cuda::registerKernels(registry);
  module.getContext().appendDialectRegistry(registry);
  ModuleOp parsed = module.parse(source);
  func::FuncOp kernel;
  parsed.walk([&](func::FuncOp function) { kernel = function; });
  std::string name = kernel.getSymName().str();
  grids = cuda::getGrids(kernel);
  scratchBytes = cuda::getScratchBytes(kernel);
  auto builder = OpBuilder::atBlockEnd(parsed.getBody());
  auto device = gpu::GPUModuleOp::create(builder, parsed.getLoc(),
                                         plan::PlanDialect::deviceModuleName);
  check(succeeded(cuda::buildDeviceKernel(kernel, device)), "has no code");
  check(succeeded(lowerToEmulation(parsed)), "cannot be emulated");
  module.load(
      {{"tessera_emulated_barrier",
        reinterpret_cast<void *>(tessera_emulated_barrier)},
       {"tessera_emulated_shuffle",
        reinterpret_cast<void *>(tessera_emulated_shuffle)},
       {"tessera_emulated_mma", reinterpret_cast<void *>(tessera_emulated_mma)},
       {"tessera_emulated_ldmatrix",
        reinterpret_cast<void *>(tessera_emulated_ldmatrix)}});
  for (unsigned i = 0; i < grids.size(); ++i)
    functions.push_back(reinterpret_cast<EmulatedKernel>(
        module.lookup(cuda::getDeviceName(name, i))));
}

void DeviceKernel::run(std::vector<void *> buffers, ThreadOrder order) {
  size_t bytes = std::max<size_t>(64, scratchBytes);
  void *scratch = std::aligned_alloc(64, bytes);
  std::memset(scratch, 0xff, bytes);
  buffers.push_back(scratch);
  auto *args = reinterpret_cast<char *const *>(buffers.data());
  for (auto [function, grid] : llvm::zip(functions, grids))
    emulate(function, args, grid.blocks, grid.threads, order);
  std::free(scratch);
}
