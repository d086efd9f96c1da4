//===- GraphLayers.cpp - The layers of graph neural networks --------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/models/GraphLayers.h"
#include "dialects/AttributeNames.h"
#include "dialects/graph/Graph.h"

using namespace mlir;
using namespace tessera;

Registry<GraphLayerKind> &tessera::getGraphLayers() {
  static Registry<GraphLayerKind> layers = {
      {"gcn", {createGcnLayer}},
      {"gat", {createGatLayer, "convs", getGatWidth}},
      {"gin", {createGinLayer}},
      {"mlp",
       {.create = createMlpLayer, .listName = "lins", .readsEdges = false}},
      {"sage", {createSageLayer}},
      {"sgc", {createSgcLayer}}};
  return layers;
}

Value GraphLayer::applyToParts(ModuleWriter &, ValueRange) const {
  llvm::report_fatal_error("a layer has parts of its input, but does not say "
                           "what it makes of them");
}

Value tessera::sumNeighbors(ModuleWriter &writer, Value graph, Value rows) {
  return graph::AggregateOp::create(writer.builder(), writer.loc(), graph, rows,
                                    /*transpose=*/false);
}

bool tessera::isBlock(Value graph) {
  auto type = graph ? cast<graph::CSRType>(graph.getType()) : graph::CSRType();
  return type && type.getRows() < type.getColumns();
}

Value tessera::takeTargets(ModuleWriter &writer, Value graph, Value rows) {
  if (Value targets = writer.targetsOf(rows))
    return targets;
  auto type = cast<graph::CSRType>(graph.getType());
  if (Value nodes = writer.getTargetNodes())
    return nn::GatherOp::create(
        writer.builder(), writer.loc(),
        writer.f32({type.getRows(),
                    cast<RankedTensorType>(rows.getType()).getDimSize(1)}),
        rows, nodes);
  return type.getRows() == type.getColumns()
             ? rows
             : writer.takeRows(rows, type.getRows());
}

/// Whether the rows of \p graph, a function's input, are counted when it runs.
static bool isCounted(Value graph) {
  auto csr = graph.getDefiningOp<graph::CSROp>();
  auto argument =
      csr ? dyn_cast<BlockArgument>(csr.getRowPtr()) : BlockArgument();
  if (!argument)
    return false;
  auto function = cast<func::FuncOp>(argument.getOwner()->getParentOp());
  return function.getArgAttr(argument.getArgNumber(), countedAttrName) !=
         Attribute();
}

bool tessera::sumsFirst(const Linear &linear, Value graph) {
  if (!isBlock(graph))
    return !linear.narrows();
  // Of what is sampled most edges find a node of their own, and sizes say what
  // there is room for.
  if (isCounted(graph))
    return true;
  auto type = cast<graph::CSRType>(graph.getType());
  // An element that an edge reads costs as much as this many that are
  // multiplied and added; both are done in whole vectors.
  constexpr double perRead = 8;
  constexpr int64_t lanes = 16;
  auto in = static_cast<double>(llvm::alignTo(linear.getIn(), lanes));
  auto out = static_cast<double>(llvm::alignTo(linear.getOut(), lanes));
  auto cost = [&](double width, int64_t multiplied) {
    return perRead * static_cast<double>(type.getEntries()) * width +
           static_cast<double>(multiplied) * in * out;
  };
  return cost(in, type.getRows()) <= cost(out, type.getColumns());
}

Value tessera::applyToTargets(ModuleWriter &writer, const Linear &linear,
                              Value graph, Value x) {
  // Rows that are taken are stored, and so are their gradients.
  constexpr int64_t few = 4;
  auto type = cast<graph::CSRType>(graph.getType());
  if (writer.getTargetNodes() && linear.narrows() &&
      type.getColumns() < few * type.getRows())
    return takeTargets(writer, graph, linear.apply(writer, x));
  return linear.apply(writer, takeTargets(writer, graph, x));
}

Value tessera::applyToSums(ModuleWriter &writer, const Linear &linear,
                           Value graph, Value x,
                           function_ref<Value(Value)> sum) {
  if (isa<graph::CSRType>(x.getType()) || !sumsFirst(linear, graph))
    return linear.addBias(writer, sum(linear.multiply(writer, x)));
  return linear.apply(writer, sum(x));
}
