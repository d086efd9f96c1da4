//===- GatLayer.cpp - Graph attention -------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/graph/Graph.h"
#include "frontends/models/GraphLayers.h"
#include "frontends/models/Linear.h"

#include <cmath>

using namespace mlir;
using namespace tessera;

namespace {

/// With the names, shapes and initialisation of PyTorch Geometric's GATConv.
class GatLayer : public GraphLayer {
public:
  explicit GatLayer(const GraphLayerPlace &place)
      : name(place.name), heads(getHeads(place)), width(place.out),
        concatenates(getConcatenates(place)),
        slope(place.model->negative_slope()),
        dropout(place.model->attention_dropout()),
        linear({name.name + ".lin", name.group}, place.in, heads * width,
               WeightLayout::OutIn, /*hasBias=*/false,
               glorot(place.in, heads * width)) {}

  static int64_t getWidth(const GraphLayerPlace &place) {
    return place.out * (getConcatenates(place) ? getHeads(place) : 1);
  }

  bool takesSparseFeatures() const override { return true; }

  void declare(ModuleWriter &writer) const override {
    for (StringRef attention : {".att_src", ".att_dst"})
      writer.parameter(name.name + attention.str(), {1, heads, width},
                       glorot(heads, width), name.group);
    writer.parameter(name.name + ".bias",
                     {concatenates ? heads * width : width},
                     Initializer::constant(0), name.group);
    linear.declare(writer);
  }

  Value apply(ModuleWriter &writer, Value graph, Value x) const override {
    Value rows = linear.apply(writer, x);
    Value source = scores(writer, rows, ".att_src");
    Value target = scores(writer, takeTargets(writer, graph, rows), ".att_dst");
    ModuleWriter::Draw drawn = writer.draw(dropout);
    Value result = graph::AttentionOp::create(
                       writer.builder(), writer.loc(), graph, rows, source,
                       target, drawn.stream, drawn.samples, APFloat(slope),
                       APFloat(drawn ? dropout : 0.0))
                       .getResult();
    if (!concatenates)
      result = average(writer, result);
    return writer.addBias(result, writer.use(name.name + ".bias"));
  }

private:
  static int64_t getHeads(const GraphLayerPlace &place) {
    return place.isLast ? place.model->output_heads() : place.model->heads();
  }
  static bool getConcatenates(const GraphLayerPlace &place) {
    return !place.isLast && place.model->concat_heads();
  }

  /// Glorot and Bengio (2010), equation 16, for a matrix of these sizes.
  static Initializer glorot(int64_t in, int64_t out) {
    return Initializer::uniform(std::sqrt(6.0 / static_cast<double>(in + out)));
  }

  /// The dot product of each node's columns of a head with parameter \p suffix:
  /// [nodes, heads].
  Value scores(ModuleWriter &writer, Value rows, StringRef suffix) const {
    OpBuilder &ops = writer.builder();
    Location loc = writer.loc();
    int64_t nodes = cast<RankedTensorType>(rows.getType()).getDimSize(0);
    Value columns = writer.reshape(rows, {nodes, heads, width});
    Value weight =
        writer.reshape(writer.use(name.name + suffix.str()), {heads, width});
    Value product = arith::MulFOp::create(
        ops, loc, columns,
        nn::createBroadcast(ops, loc, weight, {nodes, heads, width}, {1, 2}));
    return nn::ReduceOp::create(ops, loc, writer.f32({nodes, heads}),
                                nn::Reduction::Sum, product,
                                ArrayRef<int64_t>{2});
  }

  /// The mean over heads, [nodes, width], as a GEMM with identity matrices one
  /// above the other: sums over columns that lie apart are no kernel's.
  Value average(ModuleWriter &writer, Value rows) const {
    if (heads == 1)
      return rows;
    OpBuilder &ops = writer.builder();
    Location loc = writer.loc();
    int64_t nodes = cast<RankedTensorType>(rows.getType()).getDimSize(0);
    RankedTensorType type = writer.f32({width, width});
    Value row = nn::createBroadcast(
        ops, loc, nn::IotaOp::create(ops, loc, writer.i32({width}), 0),
        type.getShape(), {0});
    Value column = nn::IotaOp::create(ops, loc, writer.i32({width, width}), 1);
    Value isDiagonal =
        arith::CmpIOp::create(ops, loc, arith::CmpIPredicate::eq, row, column);
    Value identity = arith::SelectOp::create(
        ops, loc, isDiagonal,
        nn::createSplat(ops, loc, type, 1.0 / static_cast<double>(heads)),
        nn::createSplat(ops, loc, type, 0));
    Value all = writer.reshape(
        nn::createBroadcast(ops, loc, identity, {heads, width, width}, {1, 2}),
        {heads * width, width});
    return nn::MatmulOp::create(ops, loc, writer.f32({nodes, width}), rows, all,
                                /*transpose_a=*/false, /*transpose_b=*/false);
  }

  LayerName name;
  int64_t heads, width; ///< of a head
  bool concatenates;
  double slope, dropout; ///< of probabilities
  Linear linear;
};

} // namespace

std::unique_ptr<GraphLayer>
tessera::createGatLayer(const GraphLayerPlace &place) {
  return std::make_unique<GatLayer>(place);
}

int64_t tessera::getGatWidth(const GraphLayerPlace &place) {
  return GatLayer::getWidth(place);
}
