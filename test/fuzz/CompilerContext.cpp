//===- CompilerContext.cpp - The compiler in a fuzz target ----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/CompilerContext.h"
#include "codegen/AllTargets.h"
#include "dialects/AllDialects.h"
#include "frontends/ModelBuilder.h"
#include "mlir/IR/Verifier.h"
#include "target/Target.h"
#include "test/fuzz/Exit.h"
#include "test/fuzz/Scratch.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::fuzz;

std::unique_ptr<MLIRContext> CompilerContext::shared;

static std::unique_ptr<MLIRContext> makeContext() {
  DialectRegistry registry;
  registerAllDialects(registry);
  auto context =
      std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  context->loadAllAvailableDialects();
  return context;
}

CompilerContext::CompilerContext() {
  if (getTargets().empty())
    registerAllTargets();
  static unsigned inputs = 0;
  if (inputs++ % 500 == 0)
    shared = makeContext();
  handler = std::make_unique<ScopedDiagnosticHandler>(
      shared.get(), [this](Diagnostic &diagnostic) {
        errors += diagnostic.getSeverity() == DiagnosticSeverity::Error;
        return success();
      });
}

void CompilerContext::requireReason(bool isDone) {
  require(isDone || errors > 0, "what fails says why");
  require(!isDone || errors == 0, "what does not fail says no error");
}

std::optional<Specification> CompilerContext::specification(StringRef text) {
  // Nine nodes of three classes, in the smallest of files.
  static const std::string path = [] {
    std::string header =
        R"({"x":{"dtype":"F32","shape":[9,2],"data_offsets":[0,72]},)"
        R"("edge_index":{"dtype":"I64","shape":[2,1],"data_offsets":[72,88]},)"
        R"("y":{"dtype":"I32","shape":[9],"data_offsets":[88,124]},)"
        R"("train_mask":{"dtype":"U8","shape":[9],"data_offsets":[124,133]},)"
        R"("val_mask":{"dtype":"U8","shape":[9],"data_offsets":[133,142]},)"
        R"("test_mask":{"dtype":"U8","shape":[9],"data_offsets":[142,151]}})";
    std::string data(151, '\0');
    data[88] = 2;
    data[124] = 1;
    uint64_t length = header.size();
    writeFile(scratchPath("graph.safetensors"),
              std::string(reinterpret_cast<char *>(&length), sizeof length) +
                  header + data);
    return scratchPath("specification.textproto");
  }();
  std::vector<std::string> overrides;
  SmallVector<StringRef> lines;
  text.split(lines, '\n');
  for (StringRef line : lines)
    if (line.consume_front("# --set "))
      overrides.push_back(line.str());
  std::string said;
  llvm::raw_string_ostream stream(said);
  writeFile(path, text);
  std::optional<Specification> specification =
      loadSpecification(path, overrides, stream);
  require(specification || StringRef(said).contains(": error: "),
          "a specification that is refused has an error");
  return specification;
}

OwningOpRef<ModuleOp>
CompilerContext::build(const Specification &specification) {
  if (specification.message.transformer().layers() > 20)
    return {};
  OwningOpRef<ModuleOp> module = buildModel(specification, context());
  // Whether groups of the optimizer match parameters only the model shows.
  requireReason(static_cast<bool>(module));
  require(!module || succeeded(verify(*module)),
          "a specification that is not refused becomes a module that verifies");
  return module;
}
