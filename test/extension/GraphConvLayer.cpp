//===- GraphConvLayer.cpp - A layer on graphs from outside ----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In the tree a layer on graphs touches four files: one of its own,
// frontends/CMakeLists.txt, its row in frontends/models/GraphLayers.cpp, and
// its name in frontends/spec.proto.
//
//===----------------------------------------------------------------------===//

#include "test/extension/GraphConvLayer.h"
#include "dialects/graph/Graph.h"
#include "frontends/models/Linear.h"

using namespace mlir;
using namespace tessera;

namespace {

class GraphConvLayer : public GraphLayer {
public:
  explicit GraphConvLayer(const GraphLayerPlace &place)
      : neighbours(createLinear(place, "lin_rel", /*hasBias=*/true)),
        root(createLinear(place, "lin_root", /*hasBias=*/false)) {}

  void declare(ModuleWriter &writer) const override {
    neighbours.declare(writer);
    root.declare(writer);
  }

  Value apply(ModuleWriter &writer, Value graph, Value x) const override {
    Value sum = graph::AggregateOp::create(writer.builder(), writer.loc(),
                                           graph, x, /*transpose=*/false);
    return writer.add(neighbours.apply(writer, sum), root.apply(writer, x));
  }

private:
  static Linear createLinear(const GraphLayerPlace &place, const char *name,
                             bool hasBias) {
    return Linear({place.name.name + "." + name, place.name.group}, place.in,
                  place.out, WeightLayout::OutIn, hasBias,
                  Linear::bounded(place.in), Linear::bounded(place.in));
  }

  Linear neighbours, root;
};

} // namespace

std::unique_ptr<GraphLayer>
tessera::extension::createGraphConvLayer(const GraphLayerPlace &place) {
  return std::make_unique<GraphConvLayer>(place);
}
