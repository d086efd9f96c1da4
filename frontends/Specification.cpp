//===- Specification.cpp - A model's specification, read and checked ------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/Specification.h"
#include "frontends/Diagnostics.h"
#include "frontends/Machine.h"
#include "frontends/Resolution.h"
#include "frontends/SpecificationAttr.h"
#include "frontends/TextReader.h"
#include "frontends/validation/Validation.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Path.h"

using namespace tessera;

std::optional<Specification> tessera::parseSpecification(
    const SourceText &source, llvm::ArrayRef<std::string> overrides,
    llvm::raw_ostream &errors, const SourceText *machine) {
  Diagnostics diagnostics(source.path, errors);
  spec::Specification message;
  if (!readText(source.text, source.path, message, diagnostics))
    return std::nullopt;
  if (machine &&
      !readMachine(*machine, *message.mutable_machine(), diagnostics))
    return std::nullopt;
  for (const std::string &option : overrides)
    applyOverride(option, message, diagnostics);
  validate(message, /*complete=*/diagnostics.count() == 0, diagnostics);
  if (message.has_gnn())
    resolveEdges(*message.mutable_gnn());
  llvm::SmallString<256> graph;
  if (message.gnn().has_graph() && diagnostics.count() == 0) {
    bool fromOption =
        llvm::StringRef(diagnostics.placeOf("gnn.graph")).starts_with("--set");
    llvm::StringRef folder = fromOption ? "" : llvm::StringRef(source.folder);
    graph = message.gnn().graph();
    if (llvm::sys::path::is_relative(graph)) {
      graph = folder;
      llvm::sys::path::append(graph, message.gnn().graph());
    }
    resolveGraph(message, folder, diagnostics);
  }
  if (message.has_audit() && message.has_gnn() && diagnostics.count() == 0)
    checkAuditSizes(message, diagnostics);
  if (message.training().has_sampling() && diagnostics.count() == 0)
    checkSampleRoom(message, diagnostics);
  if (diagnostics.count() != 0)
    return std::nullopt;
  Specification specification = resolve(message, source.path);
  validateTarget(specification, diagnostics);
  if (diagnostics.count() != 0)
    return std::nullopt;
  specification.graphPath = graph.str();
  specification.memoryLimitPlace = diagnostics.placeOf("training.memory_limit");
  for (int i = 0; i < message.training().optimizer().groups_size(); ++i)
    specification.groupPlaces.push_back(diagnostics.placeOf(
        "training.optimizer.groups[" + std::to_string(i) + "]"));
  return specification;
}

std::optional<Specification>
tessera::loadSpecification(llvm::StringRef path,
                           llvm::ArrayRef<std::string> overrides,
                           llvm::raw_ostream &errors) {
  std::optional<SourceText> source = loadSource(path, errors);
  if (!source)
    return std::nullopt;
  return parseSpecification(*source, overrides, errors);
}

std::optional<SourceText> tessera::loadSource(llvm::StringRef path,
                                              llvm::raw_ostream &errors) {
  llvm::Expected<SourceText> source =
      readSource(path, maxSpecificationBytes,
                 "give the path of a specification, such as "
                 "examples/bloom-tiny.textproto");
  if (source)
    return std::move(*source);
  errors << path << ": error: " << llvm::toString(source.takeError()) << "\n";
  return std::nullopt;
}
