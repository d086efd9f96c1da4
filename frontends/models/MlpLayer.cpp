//===- MlpLayer.cpp - A layer without edges -------------------------------===//
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

class MlpLayer : public GraphLayer {
public:
  MlpLayer(LayerName name, int64_t in, int64_t out)
      : linear(std::move(name), in, out, WeightLayout::OutIn,
               /*hasBias=*/true, bounded(in), bounded(in)) {}

  bool readsEdges() const override { return false; }

  bool takesSparseFeatures() const override { return true; }

  void declare(ModuleWriter &writer) const override { linear.declare(writer); }

  Value apply(ModuleWriter &writer, Value, Value x) const override {
    return linear.apply(writer, x);
  }

private:
  /// PyTorch's for linear layers, weights and biases: He et al. (2015) with a
  /// slope of sqrt(5).
  static Initializer bounded(int64_t in) {
    return Initializer::uniform(1 / std::sqrt(static_cast<double>(in)));
  }

  Linear linear;
};

} // namespace

std::unique_ptr<GraphLayer> tessera::createMlpLayer(LayerName name, int64_t in,
                                                    int64_t out) {
  return std::make_unique<MlpLayer>(std::move(name), in, out);
}
