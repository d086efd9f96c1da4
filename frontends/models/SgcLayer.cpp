//===- SgcLayer.cpp - The simplified graph convolution --------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/models/GraphLayers.h"
#include "frontends/models/Linear.h"

using namespace mlir;
using namespace tessera;

namespace {

class SgcLayer : public GraphLayer {
public:
  explicit SgcLayer(const GraphLayerPlace &place)
      : hops(place.model->hops()),
        linear({place.name.name + ".lin", place.name.group}, place.in,
               place.out, WeightLayout::OutIn, /*hasBias=*/true,
               Linear::bounded(place.in), Linear::bounded(place.in)) {}

  SmallVector<runtime::FeaturePart> partsOfInput() const override {
    return {{.hops = hops}};
  }
  bool takesSparseFeatures() const override { return true; }

  void declare(ModuleWriter &writer) const override { linear.declare(writer); }

  Value apply(ModuleWriter &writer, Value graph, Value x) const override {
    return applyToSums(writer, linear, graph, x, [&](Value rows) {
      for (int64_t hop = 0; hop < hops; ++hop)
        rows = sumNeighbors(writer, graph, rows);
      return rows;
    });
  }

  Value applyToParts(ModuleWriter &writer, ValueRange sums) const override {
    return linear.apply(writer, sums.front());
  }

private:
  int64_t hops;
  Linear linear;
};

} // namespace

std::unique_ptr<GraphLayer>
tessera::createSgcLayer(const GraphLayerPlace &place) {
  return std::make_unique<SgcLayer>(place);
}
