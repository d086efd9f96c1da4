//===- Resolution.cpp - Values that follow from others --------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/Resolution.h"
#include "frontends/Audit.h"
#include "frontends/Fields.h"
#include "frontends/GraphSettings.h"
#include "frontends/OptimizerSettings.h"
#include "frontends/validation/Validation.h"
#include "runtime/core/Text.h"
#include "runtime/data/Features.h"
#include "runtime/data/GraphFile.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"

using namespace tessera;

void tessera::resolveEdges(spec::Gnn &model) {
  model.set_self_loops(addsSelfLoops(model));
  model.set_normalization(edgeWeightsOf(model));
}

/// The room for sparse features: none where \p file has dense ones, or such as
/// do not stay sparse, and nothing else is said.
static void resolveFeatures(const runtime::GraphFile &file, spec::Gnn &model,
                            Diagnostics &diagnostics) {
  std::string error = runtime::sparseFeaturesError(
      file, {model.features(), model.normalize_features()});
  if (!model.has_feature_entries()) {
    bool staySparse = file.hasSparseFeatures() && error.empty();
    return model.set_feature_entries(staySparse ? file.featureEntries() : 0);
  }
  if (model.feature_entries() == 0)
    return;
  if (!error.empty())
    return diagnostics.error("gnn.graph", error, "or take another file");
  if (int64_t entries = file.featureEntries();
      model.feature_entries() < entries)
    diagnostics.error("gnn.feature_entries",
                      "`gnn.feature_entries` is " +
                          llvm::Twine(model.feature_entries()) +
                          ", but `gnn.graph` has " + llvm::Twine(entries),
                      "leave it out, or give " + llvm::Twine(entries) +
                          " or more, or 0 for dense features");
}

/// The room for the nodes that are learned from and the edges into them, which
/// \p file says where nothing else does.
static void resolveTrainNodes(const runtime::GraphFile &file, spec::Gnn &model,
                              Diagnostics &diagnostics) {
  std::vector<int32_t> nodes = file.split("train");
  std::vector<bool> isLearned(file.shape().nodes);
  for (int32_t node : nodes)
    isLearned[node] = true;
  int64_t edges = 0;
  file.forEdges([&](const runtime::EdgeBlock &block) {
    for (int64_t i = 0; i < block.count; ++i)
      edges += isLearned[block.target[i]];
  });
  file.release();
  auto count = static_cast<int64_t>(nodes.size());
  auto resolve = [&](const char *name, int64_t given, int64_t needed) {
    if (given < needed)
      diagnostics.error(name,
                        "`" + llvm::Twine(name) + "` is " + llvm::Twine(given) +
                            ", but `gnn.graph` has " + llvm::Twine(needed),
                        "leave it out, or give " + llvm::Twine(needed) +
                            " or more");
  };
  if (!model.has_train_nodes())
    model.set_train_nodes(count);
  else if (model.train_nodes() > 0)
    resolve("gnn.train_nodes", model.train_nodes(), count);
  if (!model.has_train_edges())
    model.set_train_edges(edges);
  else if (model.train_nodes() > 0)
    resolve("gnn.train_edges", model.train_edges(), edges);
}

void tessera::resolveGraph(spec::Specification &message, llvm::StringRef base,
                           Diagnostics &diagnostics) {
  spec::Gnn &model = *message.mutable_gnn();
  llvm::SmallString<256> path(model.graph());
  if (llvm::sys::path::is_relative(path)) {
    path = base;
    llvm::sys::path::append(path, model.graph());
  }
  const char *remedy = "give another file, or nodes, edges, features and "
                       "classes";
  std::string error;
  std::unique_ptr<runtime::GraphFile> file =
      runtime::GraphFile::open(path.str().str(), error);
  if (file)
    error = file->trainingError();
  runtime::NodeWeights weights;
  if (error.empty())
    runtime::weighNodes(
        *file,
        {.selfLoops = model.self_loops(),
         .symmetric = model.normalization() == spec::Gnn::SYMMETRIC,
         .mean = model.normalization() == spec::Gnn::MEAN,
         .ones = model.normalization() == spec::Gnn::ONES},
        weights, error);
  if (!error.empty())
    return diagnostics.error("gnn.graph", error, remedy);
  std::string unused = file->unusedTensors();
  if (!unused.empty())
    diagnostics.warning("gnn.graph", unused);

  const runtime::GraphShape &shape = file->shape();
  auto resolved = [&](const char *name, int64_t count, bool mayExceed) {
    FieldRef field = fieldAt(message, name);
    auto given = static_cast<int64_t>(field.number());
    if (!field.given())
      return count;
    if (given < count || (given > count && !mayExceed))
      diagnostics.error(name,
                        "`" + llvm::Twine(name) + "` is " + llvm::Twine(given) +
                            ", but `gnn.graph` has " + llvm::Twine(count),
                        "leave it out, or give " + llvm::Twine(count) +
                            (mayExceed ? " or more" : ""));
    return given;
  };
  model.set_nodes(resolved("gnn.nodes", shape.nodes, false));
  model.set_edges(resolved("gnn.edges", shape.edges, false));
  // Not all columns of sparse features need be used, nor all classes be seen.
  model.set_features(
      resolved("gnn.features", shape.features, file->hasSparseFeatures()));
  model.set_classes(resolved("gnn.classes", shape.classes, true));
  resolveFeatures(*file, model, diagnostics);
  if (!message.has_audit() && !message.training().has_sampling())
    resolveTrainNodes(*file, model, diagnostics);
  checkEdges(model, diagnostics);
}

void tessera::resolveTraining(spec::Training &training) {
  resolveOptimizer(*training.mutable_optimizer());
  if (!training.schedule().has_decay_steps())
    training.mutable_schedule()->set_decay_steps(training.steps());
}

void tessera::resolveGraphBatches(spec::Training &training, int64_t world) {
  if (training.has_sampling()) {
    int64_t batch = training.sampling().batch();
    training.set_micro_batch(batch);
    if (!training.has_global_batch())
      training.set_global_batch(batch * world);
    return;
  }
  // Each rank computes the whole graph, for its share of the labels.
  training.set_micro_batch(1);
  training.set_global_batch(world);
}

/// Gives the fields of heads, positions and biases that depend on others their
/// values where they are missing.
static void resolveAttention(spec::Transformer &model) {
  if (!model.has_kv_heads())
    model.set_kv_heads(model.heads());
  if (!model.has_head_dim())
    model.set_head_dim(model.hidden() / model.heads());
  if (!model.has_qkv_bias())
    model.set_qkv_bias(model.biases());
  if (!model.has_projection_bias())
    model.set_projection_bias(model.biases());
  if (!model.has_feed_forward_bias())
    model.set_feed_forward_bias(model.biases());
  if (model.positions() != spec::Transformer::ALIBI &&
      !model.has_position_capacity())
    model.set_position_capacity(model.sequence_length());
  spec::Rotary::Scaling scaling = model.rotary().scaling();
  if ((scaling == spec::Rotary::LLAMA3 || scaling == spec::Rotary::YARN) &&
      !model.rotary().has_original_length())
    model.mutable_rotary()->set_original_length(model.position_capacity());
}

Specification tessera::resolve(const spec::Specification &given,
                               llvm::StringRef path) {
  Specification result;
  result.message = given;
  spec::Specification &message = result.message;
  if (!message.has_name())
    message.set_name(llvm::sys::path::stem(path).str());
  // Manifests and reports are UTF-8, paths may be anything.
  if (!llvm::json::isUTF8(message.name()))
    message.set_name(llvm::json::fixUTF8(message.name()));
  int64_t world = message.parallel().world();
  spec::Training &training = *message.mutable_training();
  if (message.has_transformer()) {
    spec::Transformer &model = *message.mutable_transformer();
    if (!model.has_feed_forward())
      model.set_feed_forward(4 * model.hidden());
    resolveAttention(model);
    if (message.has_generation() && !message.generation().has_context())
      message.mutable_generation()->set_context(model.sequence_length());
    if (!training.has_micro_batch())
      training.set_micro_batch(training.global_batch() / world);
  } else {
    resolveGraphBatches(training, world);
  }
  if (training.has_memory_limit())
    result.memoryLimit = runtime::parseByteSize(training.memory_limit());
  result.accumulation =
      training.global_batch() / (training.micro_batch() * world);
  resolveTraining(training);
  if (message.has_audit())
    resolveAudit(message);
  return result;
}
