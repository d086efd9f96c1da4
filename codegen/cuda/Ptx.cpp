//===- Ptx.cpp - Device functions as PTX ------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Optimize.h"
#include "codegen/cuda/DeviceImage.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace tessera;

StringRef cuda::getBaseArchitecture(StringRef architecture) {
  return architecture.rtrim("af");
}

std::vector<std::string> cuda::splitArchitectures(StringRef text) {
  SmallVector<StringRef> parts;
  text.split(parts, ',', -1, /*KeepEmpty=*/false);
  std::vector<std::string> result;
  for (StringRef part : parts)
    result.push_back(part.trim().str());
  return result;
}

/// The oldest version of PTX that knows \p architecture: drivers take code of
/// the versions up to their own.
static StringRef getPtxFeature(StringRef architecture) {
  int64_t number = 0;
  cuda::getBaseArchitecture(architecture)
      .drop_front(StringRef("sm_").size())
      .getAsInteger(10, number);
  if (number >= 100)
    return number <= 101 ? "+ptx86" : "+ptx88";
  return number >= 90 ? "+ptx80" : number >= 89 ? "+ptx78" : "+ptx71";
}

static FailureOr<std::unique_ptr<llvm::TargetMachine>>
createMachine(gpu::GPUModuleOp module, StringRef architecture) {
  // Once, whichever thread comes first.
  [[maybe_unused]] static const bool isInitialized = [] {
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
    return true;
  }();
  llvm::Triple triple("nvptx64-nvidia-cuda");
  std::string error;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return module.emitError("this LLVM has no code generator for NVIDIA GPUs: ")
           << error;
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, architecture, getPtxFeature(architecture), llvm::TargetOptions(),
      llvm::Reloc::PIC_, std::nullopt, llvm::CodeGenOptLevel::Aggressive));
}

FailureOr<cuda::DeviceCode> cuda::optimizeDeviceCode(gpu::GPUModuleOp module,
                                                     StringRef architecture) {
  auto machine = createMachine(module, architecture);
  if (failed(machine))
    return failure();
  DialectRegistry translations;
  registerBuiltinDialectTranslation(translations);
  registerGPUDialectTranslation(translations);
  registerLLVMDialectTranslation(translations);
  registerNVVMDialectTranslation(translations);
  module.getContext()->appendDialectRegistry(translations);
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> ir = translateModuleToLLVMIR(module, context);
  if (!ir)
    return module.emitError("cannot be translated to LLVM IR");
  ir->setTargetTriple((*machine)->getTargetTriple());
  ir->setDataLayout((*machine)->createDataLayout());
  optimizeModule(*ir, **machine);
  DeviceCode code;
  llvm::raw_svector_ostream stream(code.bitcode);
  llvm::WriteBitcodeToFile(*ir, stream);
  return code;
}

FailureOr<std::string> cuda::emitPtx(gpu::GPUModuleOp module,
                                     const DeviceCode &code,
                                     StringRef architecture) {
  auto machine = createMachine(module, architecture);
  if (failed(machine))
    return failure();
  llvm::LLVMContext context;
  auto ir = llvm::parseBitcodeFile({code.bitcode, "device code"}, context);
  if (!ir)
    return module.emitError("cannot be read again: ")
           << llvm::toString(ir.takeError());
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager emission;
  if ((*machine)->addPassesToEmitFile(emission, stream, nullptr,
                                      llvm::CodeGenFileType::AssemblyFile))
    return module.emitError("cannot be emitted as PTX");
  emission.run(**ir);
  return std::string(text);
}
