//===- GinLayer.cpp - The graph isomorphism layer -------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/models/Activations.h"
#include "frontends/models/GraphLayers.h"
#include "frontends/models/Kinds.h"
#include "frontends/models/Linear.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace tessera;

namespace {

class GinLayer : public GraphLayer {
public:
  explicit GinLayer(const GraphLayerPlace &place)
      : name(place.name), eps(place.model->eps()),
        trainsEps(place.model->train_eps()),
        activation(activationOf(*place.model)),
        first(createLinear(place, "nn.lins.0", place.in)),
        second(createLinear(place, "nn.lins.1", place.out)) {}

  SmallVector<runtime::FeaturePart> partsOfInput() const override {
    return {{}, {.hops = 1}};
  }
  bool takesSparseFeatures() const override { return true; }
  bool readsByEdges() const override { return true; }

  void declare(ModuleWriter &writer) const override {
    if (trainsEps)
      writer.parameter(name.name + ".eps", {1}, Initializer::constant(eps),
                       name.group);
    first.declare(writer);
    second.declare(writer);
  }

  Value apply(ModuleWriter &writer, Value graph, Value x) const override {
    return applySecond(
        writer, applyToSums(writer, first, graph, x, [&](Value rows) {
          return addOwn(writer, sumNeighbors(writer, graph, rows),
                        takeTargets(writer, graph, rows));
        }));
  }

  Value applyToParts(ModuleWriter &writer, ValueRange parts) const override {
    return applySecond(writer, first.apply(writer, addOwn(writer, parts.back(),
                                                          parts.front())));
  }

private:
  Value addOwn(ModuleWriter &writer, Value sums, Value own) const {
    own = arith::MulFOp::create(writer.builder(), writer.loc(), own,
                                weightOfOwn(writer, own));
    return writer.add(sums, own);
  }

  Value applySecond(ModuleWriter &writer, Value x) const {
    if (!activation.empty())
      x = createActivation(writer.builder(), writer.loc(), activation, x);
    return second.apply(writer, x);
  }

  static Linear createLinear(const GraphLayerPlace &place, const char *name,
                             int64_t in) {
    Initializer start = Linear::bounded(in);
    return Linear({place.name.name + "." + name, place.name.group}, in,
                  place.out, WeightLayout::OutIn, /*hasBias=*/true, start,
                  start);
  }

  /// 1 + eps, everywhere in \p rows.
  Value weightOfOwn(ModuleWriter &writer, Value rows) const {
    OpBuilder &ops = writer.builder();
    Location loc = writer.loc();
    auto type = cast<RankedTensorType>(rows.getType());
    if (!trainsEps)
      return nn::createSplat(ops, loc, type, 1 + eps);
    Value number = writer.reshape(writer.use(name.name + ".eps"), {});
    number = writer.add(number, nn::createSplat(ops, loc, writer.f32({}), 1));
    return nn::createBroadcast(ops, loc, number, type.getShape(), {});
  }

  LayerName name;
  double eps;
  bool trainsEps;
  std::string activation;
  Linear first, second;
};

} // namespace

std::unique_ptr<GraphLayer>
tessera::createGinLayer(const GraphLayerPlace &place) {
  return std::make_unique<GinLayer>(place);
}
