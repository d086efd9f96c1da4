//===- CommandInputs.cpp - What commands read and write ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/CommandInputs.h"
#include "frontends/Machine.h"
#include "frontends/ModelBuilder.h"
#include "frontends/ModuleText.h"
#include "frontends/Specification.h"
#include "frontends/SpecificationAttr.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/AsmParser/AsmParserState.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace tessera;

FailureOr<Inputs> tessera::readInputs(const CommandOptions &options) {
  Inputs inputs;
  if (options.compileFrom.empty()) {
    std::optional<SourceText> source = loadSource(options.input, llvm::errs());
    if (!source)
      return failure();
    inputs.source = std::move(*source);
    inputs.isModule = isModuleText(inputs.source.text);
  } else {
    inputs.isModule = true;
    llvm::Expected<SourceText> source =
        readSource(options.input, maxModuleBytes,
                   "give the path of a module, as --compile-to writes it");
    if (!source)
      return failCommand(options.input + ": " +
                         llvm::toString(source.takeError()));
    inputs.source = std::move(*source);
  }
  if (!options.machine.empty()) {
    inputs.machine = loadMachine(options.machine, llvm::errs());
    if (!inputs.machine)
      return failure();
  }
  return inputs;
}

/// \p loc with \p place where it knows of none.
static Location setPlace(Location loc, Location place) {
  if (auto named = dyn_cast<NameLoc>(loc))
    return NameLoc::get(named.getName(), setPlace(named.getChildLoc(), place));
  return isa<UnknownLoc>(loc) ? place : loc;
}

/// Parses \p source. Errors then name its lines, also of operations with
/// locations behind them that say of which layer they are and no place.
static OwningOpRef<ModuleOp> parseText(const SourceText &source,
                                       MLIRContext &context) {
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(
      llvm::MemoryBuffer::getMemBuffer(source.text, source.path,
                                       /*RequiresNullTerminator=*/false),
      llvm::SMLoc());
  AsmParserState definitions;
  Block block;
  if (failed(parseAsmSourceFile(
          sources, &block, ParserConfig(&context, /*verifyAfterParse=*/false),
          &definitions)))
    return {};
  auto path = StringAttr::get(&context, source.path);
  for (const AsmParserState::OperationDefinition &definition :
       definitions.getOpDefs()) {
    auto [line, column] = sources.getLineAndColumn(definition.loc.Start);
    Operation *op = definition.op;
    op->setLoc(setPlace(op->getLoc(), FileLineColLoc::get(path, line, column)));
  }
  OwningOpRef<ModuleOp> module =
      mlir::detail::constructContainerOpForParserIfNecessary<ModuleOp>(
          &block, &context, FileLineColLoc::get(path, 1, 1));
  if (!module || failed(verify(*module)))
    return {};
  return module;
}

/// The module of \p inputs, which is as \p phase leaves it; \p phase becomes
/// that of its operations where it has none.
static OwningOpRef<ModuleOp> parseModule(MLIRContext &context,
                                         const Inputs &inputs,
                                         std::optional<Phase> &phase) {
  // The parser calls itself for each bracket within another, the verifier and
  // printer for each attribute and type.
  llvm::StringRef text = inputs.source.text;
  size_t deep = findNesting(text, maxModuleNesting, "//");
  if (deep != llvm::StringRef::npos) {
    (void)failCommand(
        inputs.source.path + ":" +
        llvm::Twine(text.take_front(deep).count('\n') + 1) +
        ": brackets and aliases stand " + llvm::Twine(maxModuleNesting) +
        " deep within one another, or an alias for " +
        llvm::Twine(maxAliasParts) + " others; no module needs that");
    return {};
  }
  OwningOpRef<ModuleOp> module = parseText(inputs.source, context);
  if (module && inputs.machine) {
    std::optional<spec::Machine> machine =
        parseMachine(*inputs.machine, llvm::errs());
    if (!machine)
      return {};
    (*module)->setAttr(spec::MachineAttr::attributeName,
                       machineAttr(*machine, context));
  }
  if (!module)
    return {};
  if (!phase)
    phase = recognizePhase(*module);
  if (failed(verifySpecificationAttr(*module)) ||
      failed(verifyPhase(*module, *phase)))
    return {};
  return module;
}

Beginning tessera::startCompilation(MLIRContext &context,
                                    const CommandOptions &options,
                                    const Inputs &inputs,
                                    std::optional<Phase> named) {
  if (!inputs.isModule) {
    std::optional<Specification> specification = parseSpecification(
        inputs.source, options.overrides, llvm::errs(), inputs.getMachine());
    if (!specification)
      return {};
    return {buildModel(*specification, context),
            Phase::Model,
            specification->memoryLimitPlace,
            {specification->graphPath, specification->shadowGraphPath}};
  }
  if (!options.overrides.empty()) {
    (void)failCommand("--set changes a specification, and " + options.input +
                      " is a module; drop one of them");
    return {};
  }
  OwningOpRef<ModuleOp> module = parseModule(context, inputs, named);
  return {std::move(module), named.value_or(Phase::Model), options.input, {}};
}

LogicalResult tessera::openOutputs(const CommandOptions &options,
                                   const Inputs &inputs, Outputs &outputs,
                                   llvm::ArrayRef<std::string> graphs) {
  std::vector<runtime::UsedFile> used = {
      {inputs.isModule ? "the module" : "the specification", options.input},
      {"the machine's description", options.machine}};
  for (const std::string &graph : graphs)
    used.push_back({"the graph", graph});
  if (llvm::Error error = outputs.main.open(options.output, used))
    return failCommand(llvm::toString(std::move(error)));
  if (options.kernelReport.empty())
    return success();
  if (llvm::Error error = outputs.kernelReport.open(options.kernelReport, used))
    return failCommand("--kernel-report: " + llvm::toString(std::move(error)));
  return success();
}

Planner tessera::makePlanner(const CommandOptions &options,
                             const Inputs &inputs) {
  return Planner(
      inputs.source,
      Planner::Settings(options.overrides.begin(), options.overrides.end()),
      inputs.machine);
}
