//===- Gnn.cpp - Graph neural networks ------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Layers on the graph, with a ReLU between them, that classify its nodes.
//
//===----------------------------------------------------------------------===//

#include "dialects/graph/Graph.h"
#include "frontends/models/Activations.h"
#include "frontends/models/GraphLayers.h"
#include "frontends/models/Models.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "runtime/program/SlotNames.h"

using namespace mlir;
using namespace tessera;
namespace slots = runtime::slotNames;

namespace {

class GnnWriter {
public:
  GnnWriter(const Specification &specification, const ModelKinds &kinds,
            ModuleWriter &writer);

  void writeParameters();
  void writeObjective();
  void writeEval();
  void writePredict();

private:
  /// The arguments that are the graph, features first.
  SmallVector<Port> graphInputs();
  /// Those that say to the loss which nodes count and for how much.
  SmallVector<Port> lossInputs();
  /// [nodes, classes] from the arguments that graphInputs names.
  Value logits(ArrayRef<Value> arguments);
  Value loss(Value logits, Value targets, Value scale);
  /// How many rows of \p logits have their first largest number at their
  /// target, as fp32; rows with a negative target do not count.
  Value countCorrect(Value logits, Value targets);

  const Specification &specification;
  const spec::Gnn &model;
  ModuleWriter &writer;
  int64_t edges; ///< Room for edges, loops included.
  SmallVector<std::unique_ptr<GraphLayer>> layers;
};

} // namespace

GnnWriter::GnnWriter(const Specification &specification,
                     const ModelKinds &kinds, ModuleWriter &writer)
    : specification(specification), model(specification.message.gnn()),
      writer(writer),
      edges(model.edges() + (model.self_loops() ? model.nodes() : 0)) {
  const GraphLayerFactory &create = getGraphLayers().get(kinds.graphLayer);
  for (int64_t index = 0; index < model.layers(); ++index) {
    bool isFirst = index == 0, isLast = index + 1 == model.layers();
    std::string name = "convs." + std::to_string(index);
    layers.push_back(create({name, name},
                            isFirst ? model.features() : model.hidden(),
                            isLast ? model.classes() : model.hidden()));
  }
}

void GnnWriter::writeParameters() {
  for (const std::unique_ptr<GraphLayer> &layer : layers)
    layer->declare(writer);
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
  for (const std::unique_ptr<GraphLayer> &layer : layers) {
    if (layer != layers.front())
      x = createActivation(ops, writer.loc(), "nn.relu", x);
    x = layer->apply(writer, graph, x);
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
                       const ModelKinds &kinds, ModuleWriter &writer) {
  GnnWriter gnn(specification, kinds, writer);
  gnn.writeParameters();
  gnn.writeObjective();
  gnn.writeEval();
  gnn.writePredict();
}
