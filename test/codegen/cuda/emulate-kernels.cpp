//===- emulate-kernels.cpp - Device kernels as a shared library -*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// emulate-kernels MODULE LIBRARY [MODEL] maps the kernels of a module in the
// phase `plan`, or of one of the models that it has, to grids and writes their
// functions, compiled for this CPU, and the emulator that runs them into a
// shared library. The driver that stands in for CUDA's in tests runs an
// executable's kernels by it.
//
//===----------------------------------------------------------------------===//

#include "codegen/ObjectEmission.h"
#include "codegen/cpu/KernelEmission.h"
#include "codegen/cuda/DeviceKernel.h"
#include "codegen/cuda/Passes.h"
#include "codegen/kernels/Arithmetic.h"
#include "dialects/AllDialects.h"
#include "dialects/spec/Spec.h"
#include "test/codegen/cuda/Emulation.h"

#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Program.h"

using namespace mlir;
using namespace tessera;

/// Leaves the device's functions alone.
static LogicalResult buildDeviceFunctions(ModuleOp module) {
  PassManager manager(module.getContext());
  manager.addPass(cuda::createBuildKernels());
  if (failed(manager.run(module)))
    return failure();
  for (Operation &op : llvm::make_early_inc_range(*module.getBody()))
    if (!isa<gpu::GPUModuleOp>(op))
      op.erase();
  // The object is for this CPU, whatever the executable's is.
  module->removeAttr(spec::SpecificationAttr::attributeName);
  return success();
}

static LogicalResult link(StringRef object, StringRef library) {
  auto driver = llvm::sys::findProgramByName("c++");
  if (!driver) {
    llvm::errs() << "emulate-kernels: no C++ compiler 'c++' on the path\n";
    return failure();
  }
  StringRef arguments[] = {*driver,
                           "-shared",
                           "-o",
                           library,
                           object,
                           "-Wl,--whole-archive",
                           TESSERA_EMULATOR,
                           "-Wl,--no-whole-archive"};
  return success(llvm::sys::ExecuteAndWait(*driver, arguments) == 0);
}

/// Makes \p module the model of it that is called \p name.
static LogicalResult takeModel(OwningOpRef<ModuleOp> &module, StringRef name) {
  for (ModuleOp model : spec::getModels(*module))
    if (model.getSymName() == name) {
      model->remove();
      module = model;
      return success();
    }
  llvm::errs() << "emulate-kernels: no model is called '" << name << "'\n";
  return failure();
}

int main(int argc, char **argv) {
  if (argc != 3 && argc != 4) {
    llvm::errs() << "emulate-kernels: give a module in phase plan, the library "
                    "to write and, of several models, one\n";
    return 1;
  }
  DialectRegistry registry;
  registerAllDialects(registry);
  codegen::registerKernels(registry);
  cpu::registerKernels(registry);
  cuda::registerKernels(registry);
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  OwningOpRef<ModuleOp> module =
      parseSourceFile<ModuleOp>(argv[1], ParserConfig(&context));
  if (!module || (argc == 4 && failed(takeModel(module, argv[3]))) ||
      failed(buildDeviceFunctions(*module)) ||
      failed(test::lowerToEmulation(*module)))
    return 1;
  llvm::SmallString<128> object;
  if (llvm::sys::fs::createTemporaryFile("emulated", "o", object)) {
    llvm::errs() << "emulate-kernels: cannot make a temporary file\n";
    return 1;
  }
  llvm::FileRemover remover(object);
  auto objects = codegen::emitObjects(*module, /*inOne=*/true);
  if (failed(objects))
    return 1;
  std::error_code error;
  llvm::raw_fd_ostream stream(object, error);
  if (!error)
    stream << objects->front();
  stream.close();
  if (error || stream.has_error()) {
    llvm::errs() << "emulate-kernels: cannot write " << object << "\n";
    return 1;
  }
  return failed(link(object, argv[2]));
}
