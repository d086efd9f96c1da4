//===- MlpLayer.cpp - A layer without edges -------------------------------===//
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

class MlpLayer : public GraphLayer {
public:
  MlpLayer(LayerName name, int64_t in, int64_t out)
      : linear(std::move(name), in, out, WeightLayout::OutIn,
               /*hasBias=*/true, Linear::bounded(in), Linear::bounded(in)) {}

  bool takesSparseFeatures() const override { return true; }

  void declare(ModuleWriter &writer) const override { linear.declare(writer); }

  Value apply(ModuleWriter &writer, Value, Value x) const override {
    return linear.apply(writer, x);
  }

private:
  Linear linear;
};

} // namespace

std::unique_ptr<GraphLayer>
tessera::createMlpLayer(const GraphLayerPlace &place) {
  return std::make_unique<MlpLayer>(place.name, place.in, place.out);
}
