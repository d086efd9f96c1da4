//===- AuditGraph.cpp - The graph that an audit is about ------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/AuditGraph.h"
#include "runtime/audit/Subgraph.h"
#include "runtime/core/Error.h"
#include "runtime/program/SlotNames.h"
#include <algorithm>
#include <cinttypes>
#include <numeric>

namespace tessera::runtime {

AuditGraph::AuditGraph(const Manifest &manifest, const std::string &path)
    : model(manifest.model) {
  form.selfLoops = model.selfLoops;
  form.symmetric = model.normalization == "symmetric";
  std::string error;
  graph = GraphFile::open(path, error);
  if (!graph)
    fatal("%s", error.c_str());
  const GraphShape &shape = graph->shape();
  auto require = [&](bool fits, const char *what, int64_t count,
                     int64_t expected) {
    if (!fits)
      fatal("the graph '%s' has %" PRId64 " %s, the audit was compiled for "
            "%" PRId64 ": compile it with this graph's sizes",
            path.c_str(), count, what, expected);
  };
  require(shape.nodes == manifest.audit->nodes, "nodes", shape.nodes,
          manifest.audit->nodes);
  require(shape.edges == manifest.audit->edges, "edges", shape.edges,
          manifest.audit->edges);
  require(shape.features == model.features ||
              (graph->hasSparseFeatures() && shape.features < model.features),
          "features", shape.features, model.features);
  require(shape.classes <= model.classes, "classes", shape.classes,
          model.classes);
  classes = graph->labels();
  features.resize(shape.nodes * model.features);
  graph->copyFeatures(model.features, features.data());
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

const Slot *AuditGraph::load(const tessera_context &context,
                             const std::vector<const Slot *> &slots,
                             const EdgeSource &edges,
                             std::span<const int32_t> nodes) const {
  NodeWeights weights;
  std::string error;
  if (!weighNodes(edges, form, weights, error))
    fatal("%s", error.c_str());
  SparseRows rows, transpose;
  std::vector<const Slot *> begun;
  for (const Slot *slot : slots) {
    char *address = context.device->beginInput(context, *slot);
    auto *numbers = reinterpret_cast<float *>(address);
    auto *indices = reinterpret_cast<int32_t *>(address);
    begun.push_back(slot);
    if (slot->name == slotNames::features) {
      for (size_t i = 0; i < nodes.size(); ++i)
        std::copy_n(features.data() + nodes[i] * model.features, model.features,
                    numbers + i * model.features);
    } else if (slot->name == slotNames::rowPtr) {
      rows.rowPtr = indices;
    } else if (slot->name == slotNames::rowPtrT) {
      transpose.rowPtr = indices;
    } else if (slot->name == slotNames::col || slot->name == slotNames::colT) {
      int64_t count = countAdjacency(edges, form);
      int64_t loops = form.selfLoops ? std::ssize(nodes) : 0;
      if (count > slot->elements())
        fatal("%s", capacityError(graph->path(), count - loops,
                                  slot->elements() - loops)
                        .c_str());
      (slot->name == slotNames::col ? rows : transpose).col = indices;
    } else if (slot->name == slotNames::weight) {
      rows.weight = numbers;
    } else if (slot->name == slotNames::weightT) {
      transpose.weight = numbers;
    } else {
      return slot;
    }
  }
  if (rows.rowPtr)
    buildAdjacency(edges, form, weights, rows, transpose);
  for (const Slot *slot : begun)
    context.device->commitInput(context, *slot);
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

bool SubgraphBatches::fill(const Slot &slot, char *address, const GlobalBatch &,
                           int64_t) {
  if (slot.name != slotNames::targets)
    return false;
  auto *targets = reinterpret_cast<int32_t *>(address);
  for (size_t i = 0; i < nodes.size(); ++i)
    targets[i] = graph.labels()[nodes[i]];
  return true;
}

} // namespace tessera::runtime
