//===- ObjectEmission.cpp - Object files for a CPU --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/ObjectEmission.h"
#include "codegen/ModulePieces.h"
#include "codegen/Optimize.h"
#include "dialects/spec/Spec.h"
#include "runtime/core/CpuFeatures.h"
#include "runtime/tokenizer/TokenizerConfig.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Threading.h"
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

namespace {

/// The CPU that a module's specification names.
struct Cpu {
  std::unique_ptr<llvm::TargetMachine> createMachine() const {
    return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
        triple, name, features, llvm::TargetOptions(), llvm::Reloc::PIC_,
        std::nullopt, llvm::CodeGenOptLevel::Aggressive));
  }

  const llvm::Target *target = nullptr;
  llvm::Triple triple;
  std::string name, features;
};

} // namespace

static FailureOr<Cpu> findCpu(ModuleOp module) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  Cpu cpu;
  cpu.triple = llvm::Triple(llvm::sys::getDefaultTargetTriple());
  std::string error;
  cpu.target = llvm::TargetRegistry::lookupTarget(cpu.triple, error);
  if (!cpu.target)
    return module.emitError("no code generator for ")
           << cpu.triple.str() << ": " << error;
  spec::SpecificationAttr specification = spec::getSpecification(module);
  cpu.name =
      specification ? specification.getTarget().getHostCpu().str() : "native";
  if (cpu.name == "native") {
    cpu.name = llvm::sys::getHostCPUName();
    // A virtual machine may hide what its CPU's name promises.
    for (auto &[feature, enabled] : llvm::sys::getHostCPUFeatures())
      cpu.features += (cpu.features.empty() ? "" : ",") +
                      std::string(enabled ? "+" : "-") + feature.str();
  }
  if (!cpu.createMachine()->getMCSubtargetInfo()->isCPUStringValid(cpu.name))
    return module.emitError("target.cpu.name: no CPU is named '")
           << cpu.name
           << "'; 'native' is this machine's, and llc-22 -mcpu=help "
           << "lists the others";
  return cpu;
}

bool codegen::hasCpuFeature(ModuleOp module, StringRef name) {
  FailureOr<Cpu> cpu = findCpu(module);
  return succeeded(cpu) &&
         cpu->createMachine()->getMCSubtargetInfo()->checkFeatures(
             ("+" + name).str());
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

/// What of \p model, one of several that are linked into one executable, has
/// \p name for its symbol where it is alone.
static std::string getTableName(StringRef name, ModuleOp model) {
  return (name + "." + model.getSymName().value_or("model")).str();
}

/// Keeps \p kernels, which the pieces of a model share by their names, to the
/// executable.
static void hideKernels(llvm::Module &module, ArrayRef<std::string> kernels) {
  for (const std::string &name : kernels)
    if (llvm::Function *kernel = module.getFunction(name)) {
      kernel->setVisibility(llvm::GlobalValue::HiddenVisibility);
      kernel->setDSOLocal(true);
    }
}

/// Names \p kernels apart from those of other models, some of which have the
/// same names.
static void renameKernels(llvm::Module &module, ArrayRef<std::string> kernels,
                          ModuleOp model) {
  for (const std::string &name : kernels)
    if (llvm::Function *kernel = module.getFunction(name))
      kernel->setName(getTableName(name, model));
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

/// Lets LLVM generate code of \p type.
static LogicalResult generate(ModuleOp module, llvm::raw_pwrite_stream &stream,
                              llvm::Module &code, llvm::TargetMachine &machine,
                              llvm::CodeGenFileType type) {
  llvm::legacy::PassManager emission;
  if (machine.addPassesToEmitFile(emission, stream, nullptr, type))
    return module.emitError("this target cannot emit such files");
  emission.run(code);
  return success();
}

namespace {

/// Emits the code of one model.
class Emission {
public:
  Emission(ModuleOp model, StringRef deviceImage)
      : model(model), deviceImage(deviceImage) {}

  LogicalResult start();

  /// Emits \p piece, the model or one of its pieces, by
  /// \p print(code, machine). \p hasTables: it is the one with the tables.
  LogicalResult
  run(ModuleOp piece, bool hasTables,
      llvm::function_ref<LogicalResult(llvm::Module &, llvm::TargetMachine &)>
          print) const;

  /// From now on other pieces and no other models have the model's kernels.
  void shareKernels();

private:
  LogicalResult addTables(llvm::Module &code,
                          const llvm::TargetMachine &machine) const;

  ModuleOp model;
  StringRef deviceImage;
  Cpu cpu;
  SmallVector<ModuleOp> models; ///< all of the executable
  std::vector<std::string> shared;
};

} // namespace

LogicalResult Emission::start() {
  FailureOr<Cpu> found = findCpu(model);
  if (failed(found))
    return failure();
  cpu = std::move(*found);
  DialectRegistry translations;
  registerBuiltinDialectTranslation(translations);
  registerLLVMDialectTranslation(translations);
  model.getContext()->appendDialectRegistry(translations);
  auto executable = model->getParentOfType<ModuleOp>();
  models = spec::getModels(executable ? executable : model);
  return success();
}

void Emission::shareKernels() {
  for (auto function : model.getOps<LLVM::LLVMFuncOp>())
    if (!function.isExternal() &&
        function.getLinkage() == LLVM::Linkage::External)
      shared.push_back(function.getSymName().str());
}

/// Adds to \p code, which has the tables of the model, what the runtime looks
/// for beside them.
LogicalResult Emission::addTables(llvm::Module &code,
                                  const llvm::TargetMachine &machine) const {
  if (!deviceImage.empty())
    addDeviceImage(code, deviceImage);
  if (models.front() != model) {
    renameTables(code, model);
    return success();
  }
  addCpuFeatures(code, machine);
  if (models.size() > 1)
    addModels(code, ArrayRef(models).drop_front(), !deviceImage.empty());
  spec::SpecificationAttr specification = spec::getSpecification(model);
  if (!specification || !specification.getTokenizer())
    return success();
  return addTokenizer(code, specification.getTokenizer().getValue(), model);
}

LogicalResult Emission::run(
    ModuleOp piece, bool hasTables,
    llvm::function_ref<LogicalResult(llvm::Module &, llvm::TargetMachine &)>
        print) const {
  std::unique_ptr<llvm::TargetMachine> machine = cpu.createMachine();
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> code = translateModuleToLLVMIR(piece, context);
  if (!code)
    return piece.emitError("cannot be translated to LLVM IR");
  code->setTargetTriple(machine->getTargetTriple());
  code->setDataLayout(machine->createDataLayout());
  if (hasTables && failed(addTables(*code, *machine)))
    return failure();
  hideKernels(*code, shared);
  if (models.size() > 1)
    renameKernels(*code, shared, model);
  preferWideVectors(*code);
  optimizeKernels(*code, *machine);
  return print(*code, *machine);
}

FailureOr<std::vector<ObjectFile>>
codegen::emitObjects(ModuleOp module, bool inOne, StringRef deviceImage) {
  Emission emission(module, deviceImage);
  if (failed(emission.start()))
    return failure();
  SmallVector<ModuleOp> pieces = {module};
  if (!inOne) {
    emission.shareKernels();
    pieces = splitModule(module);
  }
  std::vector<ObjectFile> objects(pieces.size());
  auto emit = [&](size_t i) {
    return emission.run(pieces[i], /*hasTables=*/i == 0,
                        [&](llvm::Module &code, llvm::TargetMachine &machine) {
                          llvm::raw_svector_ostream stream(objects[i]);
                          return generate(pieces[i], stream, code, machine,
                                          llvm::CodeGenFileType::ObjectFile);
                        });
  };
  if (failed(failableParallelForEachN(module.getContext(), 0, pieces.size(),
                                      emit)))
    return failure();
  return objects;
}

LogicalResult codegen::emitText(ModuleOp module, bool isAssembly,
                                StringRef path) {
  Emission emission(module, /*deviceImage=*/"");
  if (failed(emission.start()))
    return failure();
  std::error_code error;
  llvm::raw_fd_ostream stream(path, error);
  if (error)
    return module.emitError("cannot write ") << path << ": " << error.message();
  auto print = [&](llvm::Module &code,
                   llvm::TargetMachine &machine) -> LogicalResult {
    if (isAssembly)
      return generate(module, stream, code, machine,
                      llvm::CodeGenFileType::AssemblyFile);
    code.print(stream, nullptr);
    return success();
  };
  if (failed(emission.run(module, /*hasTables=*/true, print)))
    return failure();
  stream.close();
  if (stream.has_error())
    return module.emitError("cannot write ")
           << path << ": " << stream.error().message();
  return success();
}
