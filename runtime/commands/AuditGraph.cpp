//===- AuditGraph.cpp - The graph that an audit is about ------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/AuditGraph.h"
#include "runtime/audit/Subgraph.h"
#include "runtime/core/Error.h"
#include "runtime/data/FeatureInputs.h"
#include "runtime/data/Features.h"
#include "runtime/data/Graph.h"
#include "runtime/data/SparseInputs.h"
#include "runtime/program/SlotNames.h"
#include <algorithm>
#include <numeric>

namespace tessera::runtime {

AuditGraph::AuditGraph(const Manifest &manifest, int64_t nodes, int64_t edges,
                       const std::string &path)
    : model(manifest.model) {
  form = adjacencyFormOf(model);
  std::string error;
  graph = GraphFile::open(path, error);
  if (!graph)
    fatal("%s", error.c_str());
  const GraphShape &shape = graph->shape();
  Model whole = model;
  whole.nodes = nodes;
  whole.edges = edges;
  requireShape(whole, *graph, "audit");
  classes = graph->labels();
  FeatureForm form{model.features, model.normalizeFeatures};
  // The model may read sparse features as dense ones: its program says so.
  if (std::ranges::any_of(manifest.program("train").inputs,
                          [](const Slot &input) {
                            return FeaturePart::named(input.name).has_value();
                          })) {
    features.resize(shape.nodes * model.features);
    runtime::copyFeatures(*graph, form, features.data());
  } else {
    if (error = sparseFeaturesError(*graph, form); !error.empty())
      fatal("%s", error.c_str());
    int64_t entries = graph->featureEntries();
    rowPtr.resize(shape.nodes + 1);
    columns.resize(entries);
    values.resize(entries);
    std::vector<int32_t> unusedPtr(model.features + 1), unused(entries);
    std::vector<float> unusedValues(entries);
    copySparseFeatures(*graph, form,
                       {rowPtr.data(), columns.data(), values.data()},
                       {unusedPtr.data(), unused.data(), unusedValues.data()});
  }
  everyNode.resize(shape.nodes);
  std::iota(everyNode.begin(), everyNode.end(), 0);
}

std::vector<int32_t>
AuditGraph::labelsOf(std::span<const int32_t> nodes) const {
  std::vector<int32_t> labels;
  for (int32_t node : nodes)
    labels.push_back(classes[node]);
  return labels;
}

void AuditGraph::copyFeatures(std::span<const int32_t> nodes,
                              float *destination) const {
  for (int32_t node : nodes)
    destination = std::copy_n(features.data() + node * model.features,
                              model.features, destination);
}

void AuditGraph::copyFeatures(std::span<const int32_t> nodes,
                              SparseRows rows) const {
  int32_t at = 0;
  for (size_t i = 0; i < nodes.size(); ++i) {
    rows.rowPtr[i] = at;
    for (int32_t entry = rowPtr[nodes[i]]; entry < rowPtr[nodes[i] + 1];
         ++entry, ++at) {
      rows.col[at] = columns[entry];
      rows.weight[at] = values[entry];
    }
  }
  rows.rowPtr[nodes.size()] = at;
}

const Slot *AuditGraph::load(const tessera_context &context,
                             const std::vector<const Slot *> &slots,
                             const EdgeSource &edges,
                             std::span<const int32_t> nodes) const {
  auto count = static_cast<int64_t>(nodes.size());
  int64_t edgeCount = countAdjacency(edges, form);
  NodeWeights weights;
  std::string error;
  if (!weighNodes(edges, form, weights, error))
    fatal("%s", error.c_str());
  SparseInputs edgeInputs(context, slotNames::edgeNames);
  SparseInputs featureInputs(context, slotNames::featureNames);
  FeatureInputs dense(context);
  for (const Slot *slot : slots) {
    if (dense.add(*slot))
      continue;
    int64_t loops = form.selfLoops ? count : 0;
    if (slot->name == slotNames::col && edgeCount > slot->elements())
      fatal("%s", capacityError(graph->path(), edgeCount - loops,
                                slot->elements() - loops)
                      .c_str());
    if (!edgeInputs.begin(*slot, count, count, edgeCount) &&
        !featureInputs.begin(*slot, count, model.features,
                             model.featureEntries))
      return slot;
  }
  if (!featureInputs.empty()) {
    featureInputs.requireAll();
    copyFeatures(nodes, featureInputs.rows());
    transposeRows(featureInputs.rows(), count, model.features,
                  featureInputs.transpose());
    featureInputs.commit();
  }
  if (!edgeInputs.empty()) {
    edgeInputs.requireAll();
    buildAdjacency(edges, form, weights, edgeInputs.rows(),
                   edgeInputs.transpose());
  }
  Scratch scratch(context.device->spareMemory(context));
  SparseRows rows = edgeInputs.rows();
  if (!rows.rowPtr && dense.readsNeighbors())
    rows = sortIn(scratch, edges, form, weights);
  dense.fill(
      {count, model.features, [&](float *x) { copyFeatures(nodes, x); }, {}},
      rows, {}, scratch);
  edgeInputs.commit();
  return nullptr;
}

void AuditGraph::load(const tessera_context &context, const EdgeSource &edges,
                      std::span<const int32_t> nodes) const {
  std::vector<const Slot *> slots;
  for (const Slot &slot : context.program->inputs)
    slots.push_back(&slot);
  if (const Slot *slot = load(context, slots, edges, nodes))
    fatal("the program '%s' has an input '%s' that this runtime does not know",
          context.program->name.c_str(), slot->name.c_str());
}

SubgraphBatches::SubgraphBatches(const AuditGraph &graph,
                                 const EdgeSource &edges,
                                 std::span<const int32_t> nodes,
                                 const Manifest &manifest, uint64_t seed)
    : graph(graph), edges(edges), nodes(nodes) {
  if (!manifest.training.sampling)
    return;
  int64_t count = countAdjacency(edges, {.selfLoops = false});
  if (count > manifest.model.edges)
    fatal("%s",
          capacityError(edges.path(), count, manifest.model.edges).c_str());
  labels = graph.labelsOf(nodes);
  numbers.resize(nodes.size());
  std::iota(numbers.begin(), numbers.end(), 0);
  sampled.emplace(manifest, SampledData{edges, labels, numbers,
                                        SampleOrder::Shuffled, seed});
}

bool SubgraphBatches::fill(const Slot &slot, char *address,
                           const GlobalBatch &batch, int64_t micro) {
  if (sampled)
    return sampled->fill(slot, address, batch, micro);
  if (slot.name != slotNames::targets)
    return false;
  auto *targets = reinterpret_cast<int32_t *>(address);
  for (size_t i = 0; i < nodes.size(); ++i)
    targets[i] = graph.labels()[nodes[i]];
  return true;
}

} // namespace tessera::runtime
