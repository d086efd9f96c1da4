//===- GcnLayer.cpp - The graph convolution of Kipf and Welling -----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/models/GraphLayers.h"
#include "frontends/models/Linear.h"

#include <cmath>

using namespace mlir;
using namespace tessera;

namespace {

/// With PyTorch Geometric's names and initialisation.
class GcnLayer : public GraphLayer {
public:
  explicit GcnLayer(const GraphLayerPlace &place)
      : bias(place.name.name + ".bias"), group(place.name.group),
        out(place.out),
        linear({place.name.name + ".lin", group}, place.in, out,
               WeightLayout::OutIn, /*hasBias=*/false, glorot(place.in, out)) {}

  /// A (x W^T) is (A x) W^T.
  SmallVector<runtime::FeaturePart> partsOfInput() const override {
    return {{.hops = 1}};
  }
  bool takesSparseFeatures() const override { return true; }
  bool readsByEdges() const override { return true; }

  void declare(ModuleWriter &writer) const override {
    linear.declare(writer);
    writer.parameter(bias, {out}, Initializer::constant(0), group);
  }

  Value apply(ModuleWriter &writer, Value graph, Value x) const override {
    Value sum = isBlock(graph) && sumsFirst(linear, graph)
                    ? linear.apply(writer, sumNeighbors(writer, graph, x))
                    : sumNeighbors(writer, graph, linear.apply(writer, x));
    return writer.addBias(sum, writer.use(bias));
  }

  Value applyToParts(ModuleWriter &writer, ValueRange sums) const override {
    return writer.addBias(linear.apply(writer, sums.front()), writer.use(bias));
  }

private:
  /// Glorot and Bengio (2010), equation 16.
  static Initializer glorot(int64_t in, int64_t out) {
    return Initializer::uniform(std::sqrt(6.0 / static_cast<double>(in + out)));
  }

  std::string bias, group;
  int64_t out;
  Linear linear;
};

} // namespace

std::unique_ptr<GraphLayer>
tessera::createGcnLayer(const GraphLayerPlace &place) {
  return std::make_unique<GcnLayer>(place);
}
