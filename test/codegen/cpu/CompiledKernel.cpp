//===- CompiledKernel.cpp - Kernels compiled in memory ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/codegen/cpu/CompiledKernel.h"
#include "codegen/cpu/Passes.h"
#include "dialects/AllDialects.h"
#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/ExecutionEngine/OptUtils.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include <cstdlib>
#include <cstring>

using namespace mlir;
using namespace tessera::test;

struct CompiledKernel::State {
  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  std::unique_ptr<llvm::TargetMachine> machine;
  std::unique_ptr<ExecutionEngine> engine;
};

static void check(bool good, const char *message) {
  if (good)
    return;
  llvm::errs() << "kernel under test: " << message << "\n";
  std::exit(1);
}

CompiledKernel::CompiledKernel(const std::string &source)
    : state(std::make_unique<State>()) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  DialectRegistry registry;
  tessera::registerAllDialects(registry);
  cpu::registerKernels(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  state->context.appendDialectRegistry(registry);
  state->module = parseSourceString<ModuleOp>(source, &state->context);
  check(bool(state->module), "does not parse");

  func::FuncOp kernel;
  state->module->walk([&](func::FuncOp function) { kernel = function; });
  std::string name = kernel.getSymName().str();
  shape = cpu::getKernelShape(kernel);
  check(succeeded(cpu::buildKernelFunction(kernel)), "has no code");
  check(succeeded(verify(*state->module)), "is not valid");

  PassManager manager(&state->context);
  cpu::addLowerToLLVMPasses(manager);
  check(succeeded(manager.run(*state->module)), "does not lower to LLVM");

  auto host = llvm::orc::JITTargetMachineBuilder::detectHost();
  check(bool(host), "knows no host");
  host->setCodeGenOptLevel(llvm::CodeGenOptLevel::Aggressive);
  auto machine = host->createTargetMachine();
  auto forEngine = host->createTargetMachine();
  check(machine && forEngine, "has no target machine");
  state->machine = std::move(*machine);
  ExecutionEngineOptions options;
  auto optimize = makeOptimizingTransformer(3, 0, state->machine.get());
  options.transformer = optimize;
  options.jitCodeGenOptLevel = llvm::CodeGenOptLevel::Aggressive;
  options.enableObjectDump = true;
  auto engine =
      ExecutionEngine::create(*state->module, options, std::move(*forEngine));
  check(bool(engine), "has no machine code");
  state->engine = std::move(*engine);
  auto address = state->engine->lookup(name);
  check(bool(address), "is not found");
  function = reinterpret_cast<tsr_kernel>(*address);
  if (const char *path = std::getenv("TESSERA_DUMP_KERNEL"))
    state->engine->dumpToObjectFile(path);
}

CompiledKernel::~CompiledKernel() = default;

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
