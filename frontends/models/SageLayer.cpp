//===- SageLayer.cpp - GraphSAGE ------------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/graph/Graph.h"
#include "frontends/models/GraphLayers.h"
#include "frontends/models/Linear.h"

using namespace mlir;
using namespace tessera;

namespace {

class SageLayer : public GraphLayer {
public:
  explicit SageLayer(const GraphLayerPlace &place)
      : takesMaximum(place.model->aggregation() == spec::Aggregation::MAX),
        hasRoot(place.model->root_weight()),
        neighbors(createLinear(place, "lin_l", /*hasBias=*/true)),
        root(createLinear(place, "lin_r", /*hasBias=*/false)) {}

  SmallVector<runtime::FeaturePart> partsOfInput() const override {
    runtime::FeaturePart own, made{.hops = 1, .isMaximum = takesMaximum};
    return hasRoot ? SmallVector{own, made} : SmallVector{made};
  }
  bool takesSparseFeatures() const override { return !takesMaximum; }
  bool readsByEdges() const override { return true; }

  void declare(ModuleWriter &writer) const override {
    neighbors.declare(writer);
    if (hasRoot)
      root.declare(writer);
  }

  Value apply(ModuleWriter &writer, Value graph, Value x) const override {
    Value result;
    if (takesMaximum)
      result =
          neighbors.apply(writer, graph::MaxOp::create(writer.builder(),
                                                       writer.loc(), graph, x));
    else
      result = applyToSums(writer, neighbors, graph, x, [&](Value rows) {
        return sumNeighbors(writer, graph, rows);
      });
    if (!hasRoot)
      return result;
    return writer.add(result, applyToTargets(writer, root, graph, x));
  }

  Value applyToParts(ModuleWriter &writer, ValueRange parts) const override {
    Value result = neighbors.apply(writer, parts.back());
    return hasRoot ? writer.add(result, root.apply(writer, parts.front()))
                   : result;
  }

private:
  static Linear createLinear(const GraphLayerPlace &place, const char *name,
                             bool hasBias) {
    Initializer start = Linear::bounded(place.in);
    return Linear({place.name.name + "." + name, place.name.group}, place.in,
                  place.out, WeightLayout::OutIn, hasBias, start, start);
  }

  bool takesMaximum, hasRoot;
  Linear neighbors, root;
};

} // namespace

std::unique_ptr<GraphLayer>
tessera::createSageLayer(const GraphLayerPlace &place) {
  return std::make_unique<SageLayer>(place);
}
