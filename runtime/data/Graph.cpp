//===- Graph.cpp - A graph and its splits ---------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/Graph.h"
#include "runtime/core/Error.h"
#include "runtime/data/FeatureInputs.h"
#include "runtime/data/SparseInputs.h"
#include "runtime/program/SlotNames.h"
#include <algorithm>
#include <array>
#include <cinttypes>
#include <cmath>
#include <cstdio>

namespace tessera::runtime {

static constexpr const char *splitNames[3] = {"train", "val", "test"};

void requireShape(const Model &model, const GraphFile &file,
                  const char *compiled) {
  const GraphShape &shape = file.shape();
  auto require = [&](bool fits, const char *what, int64_t count,
                     int64_t expected) {
    if (!fits)
      fatal("the graph '%s' has %" PRId64 " %s, the %s was compiled for "
            "%" PRId64 ": compile it with this graph's sizes",
            file.path().c_str(), count, what, compiled, expected);
  };
  require(shape.nodes == model.nodes, "nodes", shape.nodes, model.nodes);
  require(shape.edges == model.edges, "edges", shape.edges, model.edges);
  require(shape.features == model.features ||
              (file.hasSparseFeatures() && shape.features < model.features),
          "features", shape.features, model.features);
  if (int64_t room = model.featureEntries)
    if (int64_t entries = file.featureEntries(); entries > room)
      require(false, "features that are not 0", entries, room);
  require(shape.classes <= model.classes, "classes", shape.classes,
          model.classes);
}

AdjacencyForm adjacencyFormOf(const Model &model) {
  return {.selfLoops = model.selfLoops,
          .symmetric = model.normalization == "symmetric",
          .mean = model.normalization == "mean",
          .ones = model.normalization == "ones"};
}

Graph::Graph(const Manifest &manifest, const std::string &path, bool warns)
    : model(manifest.model), filePath(path) {
  form = adjacencyFormOf(model);
  std::string error;
  file = GraphFile::open(path, error);
  if (!file || !weighNodes(*file, form, nodes, error))
    fatal("%s", error.c_str());
  if (manifest.audit)
    fatal("this executable audits, and its models train on subgraphs alone: "
          "use 'audit', or compile the specification without `audit`");
  requireShape(model, *file, "model");
  featureForm = {model.features, model.normalizeFeatures};
  if (model.featureEntries)
    if (error = sparseFeaturesError(*file, featureForm); !error.empty())
      fatal("%s", error.c_str());
  if (std::string unused = file->unusedTensors(); warns && !unused.empty())
    warning("%s", unused.c_str());
  if (file->weightName() && form.readsWeights())
    weightName = file->weightName();
  classes = file->labels();
  for (int i = 0; i < 3; ++i)
    splits[i] = file->split(splitNames[i]);
  file->release();
}

const std::vector<int32_t> &Graph::split(const std::string &name) const {
  for (int i = 0; i < 3; ++i)
    if (name == splitNames[i])
      return splits[i];
  fatal("internal error: no split '%s'", name.c_str());
}

/// Exits the process where the graph at \p path has more of \p what than a
/// model has room for.
static void requireRoom(const std::string &path, const char *what,
                        int64_t count, int64_t room) {
  if (count > room)
    fatal("the graph '%s' has %" PRId64 " %s, the model was compiled for "
          "%" PRId64 ": compile it with this graph, or with gnn.train_nodes "
          "and gnn.train_edges for it",
          path.c_str(), count, what, room);
}

void Graph::fillLast(const SparseInputs &last, SparseRows rows) const {
  const std::vector<int32_t> &learned = split("train");
  SparseRows own = last.rows();
  int32_t at = 0;
  int64_t room = last.rowCount();
  for (int64_t i = 0; i < room; ++i) {
    own.rowPtr[i] = at;
    if (i >= std::ssize(learned))
      continue;
    int32_t begin = rows.rowPtr[learned[i]], end = rows.rowPtr[learned[i] + 1];
    std::copy(rows.col + begin, rows.col + end, own.col + at);
    std::copy(rows.weight + begin, rows.weight + end, own.weight + at);
    at += end - begin;
  }
  own.rowPtr[room] = at;
  transposeRows(own, room, model.nodes, last.transpose());
}

int64_t Graph::countLearnedEdges() const {
  std::vector<bool> isLearned(model.nodes);
  for (int32_t node : split("train"))
    isLearned[node] = true;
  int64_t count = form.selfLoops ? std::ssize(split("train")) : 0;
  file->forEdges([&](const EdgeBlock &block) {
    for (int64_t i = 0; i < block.count; ++i)
      count += isLearned[block.target[i]] &&
               (!form.selfLoops || block.source[i] != block.target[i]);
  });
  file->release();
  return count;
}

const Slot *Graph::load(const tessera_context &context,
                        const std::vector<const Slot *> &slots) {
  const std::vector<int32_t> &learned = split("train");
  SparseInputs edges(context, slotNames::edgeNames);
  SparseInputs last(context, slotNames::lastEdgeNames);
  SparseInputs features(context, slotNames::featureNames);
  int64_t edgeCount = model.edges + (model.selfLoops ? model.nodes : 0);
  FeatureInputs dense(context);
  std::span<char> room = context.device->spareMemory(context);
  for (const Slot *slot : slots) {
    if (slot->name == slotNames::sortRoom) {
      room = {context.device->beginInput(context, *slot),
              static_cast<size_t>(slot->bytes())};
      continue;
    }
    if (slot->name == slotNames::nodes) {
      auto *nodes = beginInput<int32_t>(context, *slot, std::ssize(learned));
      std::fill(std::copy(learned.begin(), learned.end(), nodes),
                nodes + slot->elements(), 0);
      context.device->commitInput(context, *slot);
      continue;
    }
    if (slot->name == slotNames::lastEdgeNames[0])
      requireRoom(filePath, "training nodes", std::ssize(learned),
                  slot->elements() - 1);
    if (slot->name == slotNames::lastEdgeNames[1])
      requireRoom(filePath, "edges into training nodes with their loops",
                  countLearnedEdges(), slot->elements());
    if (dense.add(*slot)) {
      if (slot->elements() < model.nodes * model.features)
        requireRoom(filePath, "training nodes", std::ssize(learned),
                    slot->elements() / model.features);
      continue;
    }
    if (!edges.begin(*slot, model.nodes, model.nodes, edgeCount) &&
        !last.begin(*slot, 0, model.nodes, 0) &&
        !features.begin(*slot, model.nodes, model.features,
                        model.featureEntries))
      return slot;
  }
  if (!features.empty()) {
    features.requireAll();
    copySparseFeatures(*file, featureForm, features.rows(),
                       features.transpose());
    features.commit();
  }
  if (!edges.empty()) {
    edges.requireAll();
    buildAdjacency(*file, form, nodes, edges.rows(), edges.transpose());
  }
  Scratch scratch(room);
  SparseRows rows = edges.rows();
  if (!rows.rowPtr && (!last.empty() || dense.readsNeighbors()))
    rows = sortIn(scratch, *file, form, nodes);
  if (!last.empty()) {
    last.requireAll();
    fillLast(last, rows);
    last.commit();
  }
  std::optional<FeatureColumns> columns;
  auto copyColumns = [&](int64_t first, int64_t width, float *block) {
    if (!columns)
      columns.emplace(*file, featureForm);
    columns->copy(first, width, block);
  };
  dense.fill({model.nodes, model.features,
              [&](float *x) { copyFeatures(*file, featureForm, x); },
              copyColumns},
             rows, learned, scratch);
  edges.commit();
  file.reset();
  nodes = {};
  return nullptr;
}

std::string Graph::describeShape() const {
  if (!file)
    return "";
  const GraphShape &shape = file->shape();
  char text[160];
  int length = snprintf(
      text, sizeof text,
      "%" PRId64 " nodes, %" PRId64 " edges (mean degree %.2f), "
      "%" PRId64 " classes",
      shape.nodes, shape.edges,
      static_cast<double>(shape.edges) / static_cast<double>(shape.nodes),
      shape.classes);
  // Without edges between nodes of known classes there is none.
  if (double share = file->homophily(); std::isfinite(share))
    snprintf(text + length, sizeof text - length, ", homophily %.3f", share);
  return text;
}

std::string Graph::describe() const {
  std::string edges =
      weightName.empty() ? "" : "; '" + weightName + "' weighs the edges";
  return filePath + " (" + std::to_string(split("train").size()) +
         " training nodes, " + std::to_string(split("val").size()) +
         " for validation, " + std::to_string(split("test").size()) +
         " for the test" + edges + ")";
}

DataFingerprint Graph::fingerprint() const {
  std::string error;
  std::unique_ptr<InputFile> content =
      InputFile::open(filePath, "the graph ", error);
  if (!content)
    fatal("%s", error.c_str());
  return fingerprintOf(*content, {});
}

void Graph::fillTargets(const Slot &slot, char *address,
                        const std::string &splitName, int64_t begin,
                        int64_t end) const {
  auto *targets = reinterpret_cast<int32_t *>(address);
  std::fill_n(targets, slot.elements(), ignoredTarget);
  const std::vector<int32_t> &members = split(splitName);
  // Some programs have rows for training nodes alone.
  bool isWhole = slot.elements() >= model.nodes;
  for (int64_t i = begin; i < end; ++i)
    targets[isWhole ? members[i] : i] = classes[members[i]];
}

namespace {

/// A global batch is the whole graph; the training nodes are dealt to ranks
/// and micro-batches in contiguous shares.
class GraphBatches final : public BatchSource {
public:
  GraphBatches(const Manifest &manifest, const std::string &path, int rank,
               int ranks)
      : graph(manifest, path), rank(rank), ranks(ranks),
        count(graph.split("train").size()),
        globalBatch(std::max<int64_t>(manifest.training.globalBatch, 1)) {
    if (std::string error = graph.trainingError(); !error.empty())
      fatal("%s", error.c_str());
  }

  const Slot *load(const tessera_context &context,
                   const std::vector<const Slot *> &slots) override {
    return graph.load(context, slots);
  }

  bool fill(const Slot &slot, char *address, const GlobalBatch &batch,
            int64_t micro) override {
    if (slot.name != slotNames::targets)
      return false;
    int64_t share = rank * batch.microBatches + micro;
    int64_t shares = ranks * batch.microBatches;
    graph.fillTargets(slot, address, "train", count * share / shares,
                      count * (share + 1) / shares);
    return true;
  }

  float scale(const GlobalBatch &) const override {
    return static_cast<float>(1.0 / count);
  }
  int64_t tokens(const GlobalBatch &) const override { return 0; }
  double epochs(int64_t position) const override {
    return double(position) / double(globalBatch);
  }
  std::optional<DataFingerprint> fingerprint() const override {
    return graph.fingerprint();
  }
  std::string describeGraph() const override { return graph.describeShape(); }
  std::string describe() const override { return graph.describe(); }

private:
  Graph graph;
  int64_t rank, ranks, count, globalBatch;
};

} // namespace

std::unique_ptr<BatchSource> openGraphBatches(const Manifest &manifest,
                                              const std::string &path, int rank,
                                              int ranks) {
  return std::make_unique<GraphBatches>(manifest, path, rank, ranks);
}

} // namespace tessera::runtime
