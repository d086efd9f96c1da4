//===- SageLayer.cpp - A layer on graphs from outside ---------------------===//
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

#include "test/extension/SageLayer.h"
#include "dialects/graph/Graph.h"
#include "dialects/nn/Formula.h"
#include "frontends/models/Linear.h"

#include <cmath>

using namespace mlir;
using namespace tessera;

namespace {

class SageLayer : public GraphLayer {
public:
  SageLayer(const LayerName &name, int64_t in, int64_t out)
      : neighbours({name.name + ".lin_l", name.group}, in, out,
                   WeightLayout::OutIn, /*hasBias=*/true, uniform(in)),
        root({name.name + ".lin_r", name.group}, in, out, WeightLayout::OutIn,
             /*hasBias=*/false, uniform(in)) {}

  void declare(ModuleWriter &writer) const override {
    neighbours.declare(writer);
    root.declare(writer);
  }

  Value apply(ModuleWriter &writer, Value graph, Value x) const override {
    nn::Formula f{writer.builder(), writer.loc()};
    auto sum = [&](Value rows) -> Value {
      return graph::AggregateOp::create(f.builder, f.loc, graph, rows,
                                        /*transpose=*/false);
    };
    auto type = nn::Formula::typeOf(x);
    RankedTensorType perNode = writer.f32({type.getDimSize(0), 1});
    Value one = f.splat(perNode, 1);
    Value degree = arith::MaximumFOp::create(f.builder, f.loc, sum(one), one);
    Value each = nn::createBroadcast(
        f.builder, f.loc, writer.reshape(degree, {type.getDimSize(0)}),
        type.getShape(), {0});
    Value mean = f.div(sum(x), each);
    return writer.add(neighbours.apply(writer, mean), root.apply(writer, x));
  }

private:
  static Initializer uniform(int64_t in) {
    return Initializer::uniform(1 / std::sqrt(static_cast<double>(in)));
  }

  Linear neighbours, root;
};

} // namespace

std::unique_ptr<GraphLayer>
tessera::extension::createSageLayer(LayerName name, int64_t in, int64_t out) {
  return std::make_unique<SageLayer>(name, in, out);
}
