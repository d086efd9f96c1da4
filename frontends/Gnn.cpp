//===- Gnn.cpp - Modules of graph neural networks -------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The graph convolutional network of Kipf and Welling (arXiv 1609.02907), with
// PyTorch Geometric's names and initialisation: each layer is A (x Wᵀ) + b, A
// being the weighted adjacency, with a ReLU between layers.
//
//===----------------------------------------------------------------------===//

#include "dialects/graph/Graph.h"
#include "frontends/ModuleWriter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "runtime/program/SlotNames.h"

#include <cmath>

using namespace mlir;
using namespace tessera;
namespace slots = runtime::slotNames;

namespace {

class GnnWriter {
public:
  GnnWriter(const Specification &specification, ModuleWriter &writer)
      : specification(specification), model(specification.message.gnn()),
        writer(writer),
        edges(model.edges() + (model.self_loops() ? model.nodes() : 0)) {}

  void writeParameters();
  void writeObjective();
  void writeEval();
  void writePredict();

private:
  /// The arguments that are the graph, features first.
  SmallVector<Port> graphInputs();
  /// Those that tell the loss which nodes count and for how much.
  SmallVector<Port> lossInputs();
  /// [nodes, classes] from the arguments that graphInputs names.
  Value logits(ArrayRef<Value> arguments);
  Value loss(Value logits, Value targets, Value scale);
  /// How many rows of \p logits have their first largest number at their
  /// target, as fp32; rows with a negative target do not count.
  Value countCorrect(Value logits, Value targets);

  static std::string layerName(int64_t index) {
    return "convs." + std::to_string(index);
  }
  int64_t width(int64_t index) const {
    if (index == 0)
      return model.features();
    return index == model.layers() ? model.classes() : model.hidden();
  }

  const Specification &specification;
  const spec::Gnn &model;
  ModuleWriter &writer;
  int64_t edges; ///< Room for edges, loops included.
};

} // namespace

void GnnWriter::writeParameters() {
  for (int64_t index = 0; index < model.layers(); ++index) {
    std::string group = layerName(index);
    int64_t in = width(index), out = width(index + 1);
    // Glorot and Bengio (2010), equation 16.
    double bound = std::sqrt(6.0 / static_cast<double>(in + out));
    writer.parameter(group + ".lin.weight", {out, in},
                     Initializer::uniform(bound), group);
    writer.parameter(group + ".bias", {out}, Initializer::constant(0), group);
  }
}

SmallVector<Port> GnnWriter::graphInputs() {
  Type pointers = writer.i32({model.nodes() + 1});
  Type columns = writer.i32({edges}), weights = writer.f32({edges});
  SmallVector<Port> inputs = {
      {slots::features, writer.f32({model.nodes(), model.features()})},
      {slots::rowPtr, pointers},
      {slots::col, columns},
      {slots::weight, weights},
      {slots::rowPtrT, pointers},
      {slots::colT, columns},
      {slots::weightT, weights}};
  for (Port &input : inputs)
    input.filledOnce = true;
  return inputs;
}

SmallVector<Port> GnnWriter::lossInputs() {
  SmallVector<Port> inputs = graphInputs();
  inputs.push_back({slots::targets, writer.i32({model.nodes()})});
  inputs.push_back({slots::scale, writer.f32({})});
  return inputs;
}

Value GnnWriter::logits(ArrayRef<Value> arguments) {
  OpBuilder &ops = writer.builder();
  auto type = graph::CSRType::get(ops.getContext(), model.nodes(), edges);
  Value graph = graph::CSROp::create(ops, writer.loc(), type, arguments[1],
                                     arguments[2], arguments[3], arguments[4],
                                     arguments[5], arguments[6]);
  Value x = arguments[0];
  for (int64_t index = 0; index < model.layers(); ++index) {
    if (index != 0)
      x = nn::ReluOp::create(ops, writer.loc(), x);
    x = writer.linear(x, layerName(index) + ".lin", WeightLayout::OutIn,
                      /*bias=*/false);
    x = graph::AggregateOp::create(ops, writer.loc(), graph, x,
                                   /*transpose=*/false);
    x = writer.addBias(x, writer.use(layerName(index) + ".bias"));
  }
  return x;
}

Value GnnWriter::loss(Value logits, Value targets, Value scale) {
  return nn::CrossEntropyOp::create(writer.builder(), writer.loc(), logits,
                                    targets, scale);
}

Value GnnWriter::countCorrect(Value logits, Value targets) {
  OpBuilder &ops = writer.builder();
  Location loc = writer.loc();
  int64_t nodes = model.nodes(), classes = model.classes();
  auto type = cast<RankedTensorType>(logits.getType());

  // The largest logit of a row, of its target alone, and of the columns before
  // its target: a column's index is compared, so that a row whose target is
  // negative finds none and keeps the lowest number. Of equal logits the first
  // is the prediction.
  Value column = nn::IotaOp::create(ops, loc, writer.i32({nodes, classes}), 1);
  Value target = nn::createBroadcast(ops, loc, targets, {nodes, classes}, {0});
  Value nothing =
      nn::createSplat(ops, loc, type, -std::numeric_limits<float>::max());
  RankedTensorType perRow = writer.f32({nodes});
  auto largestOf = [&](Value numbers) -> Value {
    return nn::ReduceOp::create(ops, loc, perRow, nn::Reduction::Max, numbers,
                                ArrayRef<int64_t>{1});
  };
  auto largestWhere = [&](arith::CmpIPredicate relation) {
    Value chosen =
        arith::CmpIOp::create(ops, loc, relation, column, target).getResult();
    return largestOf(
        arith::SelectOp::create(ops, loc, chosen, logits, nothing));
  };
  Value ofTarget = largestWhere(arith::CmpIPredicate::eq);
  Value before = largestWhere(arith::CmpIPredicate::slt);
  Value largest = largestOf(logits);
  Value one = nn::createSplat(ops, loc, perRow, 1);
  Value zero = nn::createSplat(ops, loc, perRow, 0);
  Value hit = arith::CmpFOp::create(ops, loc, arith::CmpFPredicate::OEQ,
                                    ofTarget, largest);
  Value counted = arith::SelectOp::create(ops, loc, hit, one, zero);
  Value first = arith::CmpFOp::create(ops, loc, arith::CmpFPredicate::OLT,
                                      before, largest);
  counted = arith::SelectOp::create(ops, loc, first, counted, zero);
  return nn::ReduceOp::create(ops, loc, writer.f32({}), nn::Reduction::Sum,
                              counted, ArrayRef<int64_t>{0});
}

void GnnWriter::writeObjective() {
  SmallVector<Value> arguments =
      writer.begin("objective", lossInputs(), {{slots::loss, writer.f32({})}});
  Value result = loss(logits(arguments), arguments[7], arguments[8]);
  writer.end(writer.addPenalty(result, specification));
}

void GnnWriter::writeEval() {
  SmallVector<Value> arguments = writer.begin(
      "eval", lossInputs(),
      {{slots::loss, writer.f32({})}, {slots::correct, writer.f32({})}});
  Value scores = logits(arguments);
  Value result = loss(scores, arguments[7], arguments[8]);
  writer.end({result, countCorrect(scores, arguments[7])});
}

void GnnWriter::writePredict() {
  SmallVector<Value> arguments = writer.begin(
      "predict", graphInputs(),
      {{slots::logits, writer.f32({model.nodes(), model.classes()})}});
  writer.end(logits(arguments));
}

void tessera::writeGnn(const Specification &specification,
                       ModuleWriter &writer) {
  GnnWriter gnn(specification, writer);
  gnn.writeParameters();
  gnn.writeObjective();
  gnn.writeEval();
  gnn.writePredict();
}
