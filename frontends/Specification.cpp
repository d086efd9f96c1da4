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
#include "frontends/Shadow.h"
#include "frontends/SpecificationAttr.h"
#include "frontends/TextReader.h"
#include "frontends/validation/Validation.h"
#include "runtime/tokenizer/Tokenizer.h"
#include "runtime/tokenizer/TokenizerConfig.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace tessera;

/// Resolves the shape of the graph that \p message names, where it names one,
/// relative to \p folder; its path as it is opened from here.
static std::string readGraph(spec::Specification &message,
                             llvm::StringRef folder, Diagnostics &diagnostics) {
  if (!message.gnn().has_graph() || diagnostics.count() != 0)
    return "";
  llvm::SmallString<256> path(message.gnn().graph());
  if (llvm::sys::path::is_relative(path)) {
    path = folder;
    llvm::sys::path::append(path, message.gnn().graph());
  }
  resolveGraph(message, folder, diagnostics);
  return path.str().str();
}

/// The folder that the path that \p field gives is relative to.
static llvm::StringRef folderOf(llvm::StringRef field, const SourceText &source,
                                const Diagnostics &diagnostics) {
  bool fromOption =
      llvm::StringRef(diagnostics.placeOf(field)).starts_with("--set");
  return fromOption ? "" : llvm::StringRef(source.folder);
}

/// Checks that the tokenizer that \p message names, relative to \p folder, is
/// one, and that the model has all of its tokens; its path as it is opened from
/// here.
static std::string readTokenizer(const spec::Specification &message,
                                 llvm::StringRef folder,
                                 Diagnostics &diagnostics) {
  if (!message.has_tokenizer() || diagnostics.count() != 0)
    return "";
  if (!message.has_transformer()) {
    diagnostics.error("tokenizer", "graphs have no tokens", "remove it");
    return "";
  }
  llvm::SmallString<256> path(message.tokenizer());
  if (llvm::sys::path::is_relative(path)) {
    path = folder;
    llvm::sys::path::append(path, message.tokenizer());
  }
  std::string error;
  std::unique_ptr<runtime::Tokenizer> tokenizer =
      runtime::Tokenizer::open(path.str().str(), error);
  if (!tokenizer)
    diagnostics.error("tokenizer", error,
                      "give the tokenizer.json of a published model");
  else if (tokenizer->vocabularySize() > message.transformer().vocabulary())
    diagnostics.error("tokenizer",
                      "`tokenizer` has " +
                          llvm::Twine(tokenizer->vocabularySize()) +
                          " tokens, and `transformer.vocabulary` is " +
                          llvm::Twine(message.transformer().vocabulary()),
                      "give a vocabulary with all of them");
  runtime::TokenizerConfig config;
  if (tokenizer &&
      !runtime::readTokenizerConfig(path.str().str(), config, error))
    diagnostics.error("tokenizer", error, "it is read with the tokenizer");
  if (llvm::sys::fs::is_directory(path))
    llvm::sys::path::append(path, "tokenizer.json");
  return path.str().str();
}

static std::vector<std::string> groupPlaces(const spec::Training &training,
                                            const Diagnostics &diagnostics) {
  std::vector<std::string> places;
  for (int i = 0; i < training.optimizer().groups_size(); ++i)
    places.push_back(diagnostics.placeOf("training.optimizer.groups[" +
                                         std::to_string(i) + "]"));
  return places;
}

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
  bool hasShadow = message.has_gnn() && message.audit().has_shadow() &&
                   diagnostics.count() == 0;
  bool hasShadowGraph = hasShadow && hasOwnGraph(message.audit());
  spec::Specification shadow;
  Diagnostics ofShadow = diagnostics.within("audit.shadow");
  if (hasShadow) {
    shadow = layShadow(message);
    validate(shadow, /*complete=*/true, ofShadow);
    resolveEdges(*shadow.mutable_gnn());
  }
  if (message.has_gnn())
    resolveEdges(*message.mutable_gnn());
  llvm::StringRef folder = folderOf("gnn.graph", source, diagnostics);
  std::string graph = readGraph(message, folder, diagnostics);
  std::string shadowGraph;
  if (hasShadow) {
    if (hasShadowGraph)
      folder = folderOf("gnn.graph", source, ofShadow);
    shadowGraph = readGraph(shadow, folder, ofShadow);
    fillShadow(shadow, *message.mutable_audit());
    if (shadow.training().has_sampling() && ofShadow.count() == 0) {
      spec::Specification sets = shadow;
      sets.mutable_audit()->set_train_nodes_per_class(
          message.audit().shadow().train_nodes_per_class());
      sets.mutable_audit()->set_edge_capacity(message.audit().edge_capacity());
      checkSampleRoom(sets, ofShadow);
    }
    diagnostics.add(ofShadow);
  }
  std::string tokenizer = readTokenizer(
      message, folderOf("tokenizer", source, diagnostics), diagnostics);
  if (message.has_audit() && message.has_gnn() && diagnostics.count() == 0)
    checkAuditSizes(message, hasShadowGraph, diagnostics);
  if (message.training().has_sampling() && diagnostics.count() == 0)
    checkSampleRoom(message, diagnostics);
  if (diagnostics.count() != 0)
    return std::nullopt;
  Specification specification = resolve(message, source.path);
  validateTarget(specification, diagnostics);
  if (diagnostics.count() != 0)
    return std::nullopt;
  specification.graphPath = graph;
  specification.tokenizerPath = tokenizer;
  specification.hasShadowGraph = hasShadowGraph;
  if (hasShadowGraph)
    specification.shadowGraphPath = shadowGraph;
  specification.memoryLimitPlace = diagnostics.placeOf("training.memory_limit");
  specification.groupPlaces = groupPlaces(message.training(), diagnostics);
  specification.shadowGroupPlaces = groupPlaces(shadow.training(), ofShadow);
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
