//===- Graph.cpp - A graph and its splits ---------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/Graph.h"
#include "runtime/core/Error.h"
#include "runtime/program/SlotNames.h"
#include <algorithm>
#include <array>
#include <cinttypes>
#include <cmath>
#include <cstdio>

namespace tessera::runtime {

static constexpr const char *splitNames[3] = {"train", "val", "test"};
/// The class of a node that does not count.
static constexpr int32_t ignoredTarget = -100;

/// Exits the process where \p file is not the graph that \p model is compiled
/// for.
static void requireShape(const Model &model, const GraphFile &file) {
  const GraphShape &shape = file.shape();
  auto require = [&](bool fits, const char *what, int64_t count,
                     int64_t expected) {
    if (!fits)
      fatal("the graph '%s' has %" PRId64 " %s, the model was compiled for "
            "%" PRId64 ": compile it with this graph's sizes",
            file.path().c_str(), count, what, expected);
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

Graph::Graph(const Manifest &manifest, const std::string &path)
    : model(manifest.model), filePath(path) {
  form.selfLoops = model.selfLoops;
  form.symmetric = model.normalization == "symmetric";
  std::string error;
  file = GraphFile::open(path, error);
  if (!file || !weighNodes(*file, form, nodes, error))
    fatal("%s", error.c_str());
  requireShape(model, *file);
  featureForm = {model.features, model.normalizeFeatures};
  if (model.featureEntries)
    if (error = sparseFeaturesError(*file, featureForm); !error.empty())
      fatal("%s", error.c_str());
  if (std::string unused = file->unusedTensors(); !unused.empty())
    warning("%s", unused.c_str());
  if (file->weightName())
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

/// The address at which \p device has \p slot written, which must have room for
/// \p elements.
template <typename Element>
static Element *beginInput(const tessera_context &context, const Slot &slot,
                           int64_t elements) {
  if (slot.elements() < elements)
    fatal("input '%s' holds %" PRId64 " elements, the graph has %" PRId64,
          slot.name.c_str(), slot.elements(), elements);
  return reinterpret_cast<Element *>(context.device->beginInput(context, slot));
}

namespace {

/// The inputs that are a sparse matrix: compressed rows, and those of its
/// transpose.
class SparseInputs {
public:
  /// Their names, those of the transpose last.
  using Names = std::array<slotNames::Name, 6>;

  SparseInputs(const tessera_context &context, Names names)
      : context(context), names(names) {}

  /// Has the input \p slot written where it is one of these. The matrix has
  /// \p rows rows, \p columns columns and at most \p entries entries.
  bool begin(const Slot &slot, int64_t rows, int64_t columns, int64_t entries) {
    auto found = std::find(names.begin(), names.end(), slot.name);
    if (found == names.end())
      return false;
    int64_t which = found - names.begin();
    SparseRows &part = parts[which / 3];
    if (which % 3 == 0)
      part.rowPtr =
          beginInput<int32_t>(context, slot, (which == 0 ? rows : columns) + 1);
    else if (which % 3 == 1)
      part.col = beginInput<int32_t>(context, slot, entries);
    else
      part.weight = beginInput<float>(context, slot, entries);
    begun.push_back(&slot);
    return true;
  }

  bool empty() const { return begun.empty(); }
  const SparseRows &rows() const { return parts[0]; }
  const SparseRows &transpose() const { return parts[1]; }

  /// Exits the process where one of them is missing.
  void requireAll() const {
    for (const SparseRows &part : parts)
      if (!part.rowPtr || !part.col || !part.weight)
        fatal("the embedded manifest lacks inputs of the graph's edges or "
              "features: compile the specification again");
  }

  void commit() const {
    for (const Slot *slot : begun)
      context.device->commitInput(context, *slot);
  }

private:
  const tessera_context &context;
  Names names;
  SparseRows parts[2];
  std::vector<const Slot *> begun;
};

} // namespace

const Slot *Graph::load(const tessera_context &context,
                        const std::vector<const Slot *> &slots) {
  using namespace slotNames;
  SparseInputs edges(context, {rowPtr, col, weight, rowPtrT, colT, weightT});
  SparseInputs features(context, {featureRowPtr, featureCol, featureValue,
                                  featureRowPtrT, featureColT, featureValueT});
  int64_t edgeCount = model.edges + (model.selfLoops ? model.nodes : 0);
  for (const Slot *slot : slots) {
    if (slot->name == slotNames::features) {
      copyFeatures(
          *file, featureForm,
          beginInput<float>(context, *slot, model.nodes * model.features));
      context.device->commitInput(context, *slot);
      continue;
    }
    if (!edges.begin(*slot, model.nodes, model.nodes, edgeCount) &&
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
    edges.commit();
  }
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

std::string Graph::describeEdges() const {
  return weightName.empty() ? "" : "; '" + weightName + "' weighs the edges";
}

void Graph::fillTargets(const Slot &slot, char *address,
                        const std::string &splitName, int64_t begin,
                        int64_t end) const {
  auto *targets = reinterpret_cast<int32_t *>(address);
  std::fill_n(targets, slot.elements(), ignoredTarget);
  const std::vector<int32_t> &members = split(splitName);
  for (int64_t i = begin; i < end; ++i)
    targets[members[i]] = classes[members[i]];
}

namespace {

/// A global batch is the whole graph; the training nodes are dealt to ranks
/// and micro-batches in contiguous shares.
class GraphBatches final : public BatchSource {
public:
  GraphBatches(const Manifest &manifest, const std::string &path, int rank,
               int ranks)
      : graph(manifest, path), rank(rank), ranks(ranks),
        count(graph.split("train").size()) {
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
  std::optional<DataFingerprint> fingerprint() const override {
    std::string error;
    std::unique_ptr<InputFile> content =
        InputFile::open(graph.path(), "the graph ", error);
    if (!content)
      fatal("%s", error.c_str());
    return fingerprintOf(*content, {});
  }
  std::string describeGraph() const override { return graph.describeShape(); }
  std::string describe() const override {
    return graph.path() + " (" + std::to_string(count) + " training nodes, " +
           std::to_string(graph.split("val").size()) + " for validation, " +
           std::to_string(graph.split("test").size()) + " for the test" +
           graph.describeEdges() + ")";
  }

private:
  Graph graph;
  int64_t rank, ranks, count;
};

} // namespace

std::unique_ptr<BatchSource> openGraphBatches(const Manifest &manifest,
                                              const std::string &path, int rank,
                                              int ranks) {
  return std::make_unique<GraphBatches>(manifest, path, rank, ranks);
}

} // namespace tessera::runtime
