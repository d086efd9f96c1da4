//===- ObjectEmission.cpp - Object files for a CPU --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/ObjectEmission.h"
#include "codegen/Optimize.h"
#include "dialects/spec/Spec.h"
#include "runtime/core/CpuFeatures.h"
#include "runtime/tokenizer/TokenizerConfig.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;
using namespace tessera;

/// The machine that the module's specification names.
static FailureOr<std::unique_ptr<llvm::TargetMachine>>
createMachine(ModuleOp module) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  llvm::Triple triple(llvm::sys::getDefaultTargetTriple());
  std::string error;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return module.emitError("no code generator for ")
           << triple.str() << ": " << error;
  spec::SpecificationAttr specification = spec::getSpecification(module);
  std::string cpu =
      specification ? specification.getTarget().getHostCpu().str() : "native";
  std::string features;
  if (cpu == "native") {
    cpu = llvm::sys::getHostCPUName();
    // A virtual machine may hide what its CPU's name promises.
    for (auto &[feature, enabled] : llvm::sys::getHostCPUFeatures())
      features += (features.empty() ? "" : ",") +
                  std::string(enabled ? "+" : "-") + feature.str();
  }
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(
      triple, cpu, features, llvm::TargetOptions(), llvm::Reloc::PIC_,
      std::nullopt, llvm::CodeGenOptLevel::Aggressive));
  if (!machine->getMCSubtargetInfo()->isCPUStringValid(cpu))
    return module.emitError("target.cpu.name: no CPU is named '")
           << cpu << "'; 'native' is this machine's, and llc-22 -mcpu=help "
           << "lists the others";
  return machine;
}

bool codegen::hasCpuFeature(ModuleOp module, StringRef name) {
  FailureOr<std::unique_ptr<llvm::TargetMachine>> machine =
      createMachine(module);
  return succeeded(machine) &&
         (*machine)->getMCSubtargetInfo()->checkFeatures(("+" + name).str());
}

/// Generated vectors have 512 bits; LLVM's tuning would rather halve them.
static void preferWideVectors(llvm::Module &module) {
  for (llvm::Function &function : module)
    if (!function.isDeclaration()) {
      function.addFnAttr("prefer-vector-width", "512");
      function.addFnAttr("min-legal-vector-width", "512");
    }
}

/// Puts \p image into \p module, where the runtime looks for it.
static void addDeviceImage(llvm::Module &module, StringRef image) {
  auto *bytes = llvm::ConstantDataArray::getString(module.getContext(), image,
                                                   /*AddNull=*/false);
  auto *global = new llvm::GlobalVariable(
      module, bytes->getType(), /*isConstant=*/true,
      llvm::GlobalValue::ExternalLinkage, bytes, "tessera_device_image");
  // The driver reads a fatbin's header as numbers.
  global->setAlignment(llvm::Align(16));
}

/// Puts \p text, which ends in NUL there, into \p module as \p name.
static void addText(llvm::Module &module, StringRef name, StringRef text) {
  auto *bytes = llvm::ConstantDataArray::getString(module.getContext(), text);
  new llvm::GlobalVariable(module, bytes->getType(), /*isConstant=*/true,
                           llvm::GlobalValue::ExternalLinkage, bytes, name);
}

/// Puts the file of the tokenizer at \p path into \p module, where the runtime
/// looks for it, the file beside it that says what its tokens are for, and the
/// end of a text that this names.
static LogicalResult addTokenizer(llvm::Module &module, StringRef path,
                                  ModuleOp from) {
  auto file = llvm::MemoryBuffer::getFile(path);
  if (!file)
    return from.emitError("the tokenizer cannot be read: ")
           << path << ": " << file.getError().message();
  auto *bytes = llvm::ConstantDataArray::getString(
      module.getContext(), (*file)->getBuffer(), /*AddNull=*/false);
  new llvm::GlobalVariable(module, bytes->getType(), /*isConstant=*/true,
                           llvm::GlobalValue::ExternalLinkage, bytes,
                           "tessera_tokenizer");
  auto *length = llvm::ConstantInt::get(
      llvm::Type::getInt64Ty(module.getContext()), (*file)->getBufferSize());
  new llvm::GlobalVariable(module, length->getType(), /*isConstant=*/true,
                           llvm::GlobalValue::ExternalLinkage, length,
                           "tessera_tokenizer_bytes");
  runtime::TokenizerConfig config;
  std::string error;
  if (!runtime::readTokenizerConfig(path.str(), config, error))
    return from.emitError(error);
  if (!config.text.empty())
    addText(module, "tessera_tokenizer_config", config.text);
  if (!config.end().empty())
    addText(module, "tessera_text_end", config.end());
  return success();
}

/// Says in \p module which features of \p machine its code may use, for the
/// runtime to look for.
static void addCpuFeatures(llvm::Module &module,
                           const llvm::TargetMachine &machine) {
  std::string used;
  for (const std::string &name : runtime::checkedCpuFeatures())
    if (machine.getMCSubtargetInfo()->checkFeatures("+" + name))
      used += (used.empty() ? "" : ",") + name;
  addText(module, "tessera_cpu_features", used);
}

/// The global of the model's tables that \p model, one of several, calls
/// \p name: they are linked into one executable.
static std::string getTableName(StringRef name, ModuleOp model) {
  return (name + "." + model.getSymName().value_or("model")).str();
}

/// Keeps the kernels of \p module, one of several models, to its object:
/// others have some of the same names.
static void hideKernels(llvm::Module &module) {
  for (llvm::Function &function : module)
    if (!function.isDeclaration())
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
}

/// Names the tables of \p module apart from those of the first model.
static void renameTables(llvm::Module &module, ModuleOp model) {
  for (StringRef name :
       {"tessera_manifest", "tessera_entries", "tessera_device_image"})
    if (llvm::GlobalVariable *table = module.getGlobalVariable(name))
      table->setName(getTableName(name, model));
}

/// `tessera_models` (runtime/abi.h): the models beside the first, which have
/// device images or not.
static void addModels(llvm::Module &module, ArrayRef<ModuleOp> others,
                      bool haveImages) {
  llvm::LLVMContext &context = module.getContext();
  llvm::PointerType *pointer = llvm::PointerType::get(context, 0);
  llvm::Constant *null = llvm::ConstantPointerNull::get(pointer);
  auto *row =
      llvm::StructType::get(context, {pointer, pointer, pointer, pointer});
  auto declare = [&](StringRef name, ModuleOp model) -> llvm::Constant * {
    return new llvm::GlobalVariable(module, llvm::Type::getInt8Ty(context),
                                    /*isConstant=*/true,
                                    llvm::GlobalValue::ExternalLinkage, nullptr,
                                    getTableName(name, model));
  };
  SmallVector<llvm::Constant *> rows;
  for (ModuleOp model : others) {
    auto *text = llvm::ConstantDataArray::getString(
        context, model.getSymName().value_or("model"));
    auto *name = new llvm::GlobalVariable(
        module, text->getType(), /*isConstant=*/true,
        llvm::GlobalValue::PrivateLinkage, text, "model.name");
    rows.push_back(llvm::ConstantStruct::get(
        row, {name, declare("tessera_manifest", model),
              declare("tessera_entries", model),
              haveImages ? declare("tessera_device_image", model) : null}));
  }
  rows.push_back(llvm::ConstantStruct::get(row, {null, null, null, null}));
  auto *type = llvm::ArrayType::get(row, rows.size());
  new llvm::GlobalVariable(
      module, type, /*isConstant=*/true, llvm::GlobalValue::ExternalLinkage,
      llvm::ConstantArray::get(type, rows), "tessera_models");
}

/// The optimized code of \p module for \p machine; null where there was an
/// error.
static std::unique_ptr<llvm::Module> translate(ModuleOp module,
                                               llvm::TargetMachine &machine,
                                               StringRef deviceImage,
                                               llvm::LLVMContext &context) {
  DialectRegistry translations;
  registerBuiltinDialectTranslation(translations);
  registerLLVMDialectTranslation(translations);
  module.getContext()->appendDialectRegistry(translations);
  std::unique_ptr<llvm::Module> ir = translateModuleToLLVMIR(module, context);
  if (!ir) {
    module.emitError("cannot be translated to LLVM IR");
    return nullptr;
  }
  ir->setTargetTriple(machine.getTargetTriple());
  ir->setDataLayout(machine.createDataLayout());
  if (!deviceImage.empty())
    addDeviceImage(*ir, deviceImage);
  auto executable = module->getParentOfType<ModuleOp>();
  SmallVector<ModuleOp> models =
      spec::getModels(executable ? executable : module);
  if (models.size() > 1)
    hideKernels(*ir);
  if (models.front() != module)
    renameTables(*ir, module);
  else
    addCpuFeatures(*ir, machine);
  spec::SpecificationAttr specification = spec::getSpecification(module);
  if (specification && specification.getTokenizer() &&
      models.front() == module &&
      failed(
          addTokenizer(*ir, specification.getTokenizer().getValue(), module)))
    return nullptr;
  if (models.front() == module && models.size() > 1)
    addModels(*ir, ArrayRef(models).drop_front(), !deviceImage.empty());
  preferWideVectors(*ir);
  optimizeModule(*ir, machine);
  return ir;
}

/// Writes the code of \p module into the file \p path by
/// \p print(stream, code, machine), which fails with its own error.
static LogicalResult writeCode(
    ModuleOp module, StringRef path, StringRef deviceImage,
    llvm::function_ref<LogicalResult(llvm::raw_pwrite_stream &, llvm::Module &,
                                     llvm::TargetMachine &)>
        print) {
  auto machine = createMachine(module);
  if (failed(machine))
    return failure();
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> code =
      translate(module, **machine, deviceImage, context);
  if (!code)
    return failure();
  std::error_code error;
  llvm::raw_fd_ostream stream(path, error);
  if (error)
    return module.emitError("cannot write ") << path << ": " << error.message();
  if (failed(print(stream, *code, **machine)))
    return failure();
  stream.close();
  if (stream.has_error())
    return module.emitError("cannot write ")
           << path << ": " << stream.error().message();
  return success();
}

/// Lets LLVM generate code into a file of \p type.
static LogicalResult generate(ModuleOp module, llvm::raw_pwrite_stream &stream,
                              llvm::Module &code, llvm::TargetMachine &machine,
                              llvm::CodeGenFileType type) {
  llvm::legacy::PassManager emission;
  if (machine.addPassesToEmitFile(emission, stream, nullptr, type))
    return module.emitError("this target cannot emit such files");
  emission.run(code);
  return success();
}

LogicalResult codegen::emitObject(ModuleOp module, StringRef path,
                                  StringRef deviceImage) {
  return writeCode(module, path, deviceImage,
                   [&](llvm::raw_pwrite_stream &stream, llvm::Module &code,
                       llvm::TargetMachine &machine) {
                     return generate(module, stream, code, machine,
                                     llvm::CodeGenFileType::ObjectFile);
                   });
}

LogicalResult codegen::emitText(ModuleOp module, bool isAssembly,
                                StringRef path) {
  return writeCode(module, path, /*deviceImage=*/"",
                   [&](llvm::raw_pwrite_stream &stream, llvm::Module &code,
                       llvm::TargetMachine &machine) -> LogicalResult {
                     if (isAssembly)
                       return generate(module, stream, code, machine,
                                       llvm::CodeGenFileType::AssemblyFile);
                     code.print(stream, nullptr);
                     return success();
                   });
}
