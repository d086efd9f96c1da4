//===- GraphLayers.cpp - The layers of graph neural networks --------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/models/GraphLayers.h"
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
  return type.getRows() == type.getColumns()
             ? rows
             : writer.takeRows(rows, type.getRows());
}

Value tessera::applyToSums(ModuleWriter &writer, const Linear &linear,
                           Value graph, Value x,
                           function_ref<Value(Value)> sum) {
  if (isa<graph::CSRType>(x.getType()) || (linear.narrows() && !isBlock(graph)))
    return linear.addBias(writer, sum(linear.multiply(writer, x)));
  return linear.apply(writer, sum(x));
}
