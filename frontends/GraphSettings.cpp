//===- GraphSettings.cpp - What follows from a graph layer's kind ---------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/GraphSettings.h"
#include "llvm/ADT/STLExtras.h"

using namespace tessera;
using spec::Gnn;

static constexpr llvm::StringLiteral fieldsOfLayers[] = {
    "gnn.normalization", "gnn.aggregation",  "gnn.root_weight",
    "gnn.hops",          "gnn.eps",          "gnn.train_eps",
    "gnn.output_heads",  "gnn.concat_heads", "gnn.negative_slope"};

llvm::ArrayRef<llvm::StringLiteral> tessera::getFieldsOfLayers() {
  return fieldsOfLayers;
}

/// Whether layers of \p kind have the field at \p path.
static bool hasField(Gnn::Layer kind, llvm::StringRef path) {
  if (path == "gnn.normalization")
    return kind != Gnn::SAGE && kind != Gnn::GIN && kind != Gnn::GAT;
  if (path == "gnn.aggregation" || path == "gnn.root_weight")
    return kind == Gnn::SAGE;
  if (path == "gnn.hops")
    return kind == Gnn::SGC;
  if (path == "gnn.eps" || path == "gnn.train_eps")
    return kind == Gnn::GIN;
  if (path == "gnn.output_heads" || path == "gnn.concat_heads" ||
      path == "gnn.negative_slope")
    return kind == Gnn::GAT;
  return true;
}

bool tessera::readsField(const Gnn &model, llvm::StringRef path) {
  return hasField(model.layer(), path);
}

std::string tessera::getLayersWith(llvm::StringRef path) {
  std::string names;
  for (int kind = Gnn::Layer_MIN; kind <= Gnn::Layer_MAX; ++kind)
    if (Gnn::Layer_IsValid(kind) &&
        hasField(static_cast<Gnn::Layer>(kind), path))
      names += (names.empty() ? "" : " or ") +
               std::string(Gnn::Layer_Name(static_cast<Gnn::Layer>(kind)));
  return names;
}

bool tessera::addsSelfLoops(const Gnn &model) {
  if (model.has_self_loops())
    return model.self_loops();
  return model.layer() != Gnn::SAGE && model.layer() != Gnn::GIN;
}

Gnn::Normalization tessera::edgeWeightsOf(const Gnn &model) {
  if (model.layer() == Gnn::SAGE)
    return model.aggregation() == spec::Aggregation::MEAN ? Gnn::MEAN
                                                          : Gnn::ONES;
  if (model.layer() == Gnn::GIN || model.layer() == Gnn::GAT)
    return Gnn::ONES;
  return model.normalization();
}

runtime::SampleRoom tessera::getSampleRoom(const Gnn &model,
                                           const spec::Sampling &sampling) {
  return runtime::SampleRoom(
      {model.nodes(),
       model.edges(),
       {sampling.fan_out().begin(), sampling.fan_out().end()},
       sampling.batch(),
       sampling.replace()});
}
