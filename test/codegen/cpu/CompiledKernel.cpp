//===- CompiledKernel.cpp - Kernels compiled in memory ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/codegen/cpu/CompiledKernel.h"

#include "codegen/ObjectEmission.h"
#include "codegen/cpu/Passes.h"
#include "codegen/kernels/Arithmetic.h"
#include "dialects/AllDialects.h"
#include "dialects/nn/NN.h"
#include "dialects/zero/Zero.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cstdlib>
#include <cstring>

using namespace mlir;
using namespace tessera;
using namespace tessera::test;

struct CompiledModule::State {
  /// Until there is machine code.
  std::unique_ptr<MLIRContext> context =
      std::make_unique<MLIRContext>(MLIRContext::Threading::DISABLED);
  OwningOpRef<ModuleOp> module;
  std::unique_ptr<llvm::orc::LLJIT> loader;
};

static void check(bool good, const char *message) {
  if (good)
    return;
  llvm::errs() << "module under test: " << message << "\n";
  std::exit(1);
}

CompiledModule::CompiledModule(Extend extend)
    : state(std::make_unique<State>()) {
  DialectRegistry registry;
  tessera::registerAllDialects(registry);
  codegen::registerKernels(registry);
  cpu::registerKernels(registry);
  if (extend)
    extend(registry);
  state->context->appendDialectRegistry(registry);
  state->context->loadAllAvailableDialects();
}

CompiledModule::~CompiledModule() = default;

MLIRContext &CompiledModule::getContext() { return *state->context; }

ModuleOp CompiledModule::parse(const std::string &source) {
  state->module = parseSourceString<ModuleOp>(source, state->context.get());
  check(bool(state->module), "does not parse");
  return *state->module;
}

void CompiledModule::compile() {
  check(succeeded(verify(*state->module)), "is not valid");
  PassManager manager(state->context.get());
  cpu::addLowerToLLVMPasses(manager);
  check(succeeded(manager.run(*state->module)), "does not lower to LLVM");
  load({});
}

void CompiledModule::load(const std::map<std::string, void *> &functions) {
  // What kernels refer to by name has no code.
  for (Operation &op : llvm::make_early_inc_range(*state->module->getBody()))
    if (isa<nn::ParameterOp, zero::GroupOp>(op))
      op.erase();
  auto objects = codegen::emitObjects(*state->module, /*inOne=*/true);
  check(succeeded(objects), "has no object file");
  auto loader = llvm::orc::LLJITBuilder().create();
  check(static_cast<bool>(loader), "cannot be loaded");
  state->loader = std::move(*loader);
  llvm::orc::SymbolMap symbols;
  for (auto &[name, address] : functions)
    symbols[state->loader->mangleAndIntern(name)] = {
        llvm::orc::ExecutorAddr::fromPtr(address),
        llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable};
  check(!state->loader->getMainJITDylib().define(
            llvm::orc::absoluteSymbols(std::move(symbols))),
        "cannot be given functions");
  check(!state->loader->addObjectFile(
            llvm::MemoryBuffer::getMemBufferCopy(objects->front())),
        "does not link");
  state->module = {};
  state->context.reset();
}

void *CompiledModule::lookup(const std::string &name) {
  auto address = state->loader->lookup(name);
  if (!address) {
    llvm::errs() << "module under test: " << llvm::toString(address.takeError())
                 << "\n";
    std::exit(1);
  }
  return address->toPtr<void *>();
}

CompiledKernel::CompiledKernel(const std::string &source,
                               CompiledModule::Extend extend)
    : module(extend) {
  func::FuncOp kernel;
  module.parse(source).walk([&](func::FuncOp function) { kernel = function; });
  std::string name = kernel.getSymName().str();
  shape = cpu::getKernelShape(kernel);
  check(succeeded(cpu::buildKernelFunction(kernel)), "has no code");
  module.compile();
  function = reinterpret_cast<tessera_kernel>(module.lookup(name));
}

void CompiledKernel::run(std::vector<void *> buffers, int64_t pieces) {
  size_t bytes = std::max<size_t>(64, shape.scratchBytes);
  auto *scratch = static_cast<char *>(std::aligned_alloc(64, bytes));
  auto *args = reinterpret_cast<char *const *>(buffers.data());
  for (int64_t piece = pieces; piece--;) {
    std::memset(scratch, 0xff, bytes);
    function(args, shape.iterations * piece / pieces,
             shape.iterations * (piece + 1) / pieces, scratch);
  }
  std::free(scratch);
}
