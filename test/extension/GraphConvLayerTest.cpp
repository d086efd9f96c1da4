//===- GraphConvLayerTest.cpp - A layer on graphs from outside ------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/extension/GraphConvLayer.h"
#include "mlir/Pass/PassManager.h"
#include "passes/train/Passes.h"
#include "test/extension/ExtensionTest.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::extension;
using test::Array;
using test::Arrays;
using test::Interpreter;

namespace {

/// Node 0 has the neighbours 1 and 2, node 1 has 2 and node 2 none; node 3 has
/// all four.
constexpr int64_t nodes = 4, edges = 7, features = 3;

class GraphConvLayerTest : public ExtensionTest {
protected:
  GraphConvLayerTest() {
    getGraphLayers().add("graph_conv", {createGraphConvLayer});
  }

  OwningOpRef<ModuleOp> build() {
    Specification specification = parse(R"(
      gnn {
        layers: 2 hidden: 5 nodes: 4 edges: 7 features: 3 classes: 2
        self_loops: false normalization: NONE
      }
      training { steps: 3 optimizer { lr: 0.01 } })");
    ModelKinds kinds = kindsOf(specification.message);
    EXPECT_EQ(kinds.graphLayer, "gcn");
    kinds.graphLayer = "graph_conv";
    return buildModel(specification, kinds, context);
  }

  /// What the programs read; features first, targets and scale last.
  std::vector<Array> inputs() {
    auto array = [&](ArrayRef<int64_t> shape, std::vector<double> data) {
      Array result(RankedTensorType::get(shape, Float64Type::get(&context)));
      EXPECT_EQ(result.data.size(), data.size());
      result.data = std::move(data);
      return result;
    };
    std::vector<double> ones(edges, 1);
    return {array({nodes, features},
                  {0.5, -1, 2, 1.5, 0.25, -0.5, 1, 1, -2, 0.75, -1.25, 0.5}),
            array({nodes + 1}, {0, 2, 3, 3, 7}),
            array({edges}, {1, 2, 2, 0, 1, 2, 3}),
            array({edges}, ones),
            array({nodes + 1}, {0, 1, 3, 6, 7}),
            array({edges}, {3, 0, 3, 0, 1, 3, 3}),
            array({edges}, ones),
            array({nodes}, {1, 0, 1, 0}),
            array({}, {0.25})};
  }
};

TEST_F(GraphConvLayerTest, ItsGradientsAreThoseOfItsFormula) {
  OwningOpRef<ModuleOp> module = build();
  PassManager manager(&context, ModuleOp::getOperationName());
  train::buildPipeline(manager, {});
  ASSERT_TRUE(succeeded(manager.run(*module)));
  checkGradients(*module, inputs());
}

TEST_F(GraphConvLayerTest, ItTakesTheSumOfNeighbours) {
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
  ModuleWriter writer(*module);
  std::unique_ptr<GraphLayer> layer =
      createGraphConvLayer({{"c", "c"}, features, 1, nullptr, true});
  layer->declare(writer);
  Type pointers = writer.i32({nodes + 1}), columns = writer.i32({edges}),
       weights = writer.f32({edges});
  SmallVector<Value> arguments =
      writer.begin("f",
                   {{"x", writer.f32({nodes, features})},
                    {"row_ptr", pointers},
                    {"col", columns},
                    {"weight", weights},
                    {"row_ptr_t", pointers},
                    {"col_t", columns},
                    {"weight_t", weights}},
                   {{"y", writer.f32({nodes, 1})}});
  Value graph = graph::CSROp::create(
      writer.builder(), writer.loc(),
      graph::CSRType::get(&context, nodes, nodes, edges), arguments[1],
      arguments[2], arguments[3], arguments[4], arguments[5], arguments[6]);
  Value result = layer->apply(writer, graph, arguments[0]);
  writer.end(result);

  Arrays parameters;
  for (auto parameter : module->getOps<nn::ParameterOp>())
    parameters[parameter.getSymName().str()] = Array(parameter.getType());
  ASSERT_EQ(parameters.size(), 3U);
  parameters["c.lin_rel.weight"].data = {1, 10, 100};
  parameters["c.lin_rel.bias"].data = {0.5};
  parameters["c.lin_root.weight"].data = {1000, 0, 0};
  Interpreter interpreter(parameters);
  std::vector<Array> all = inputs();
  ASSERT_TRUE(succeeded(interpreter.run(module->lookupSymbol<func::FuncOp>("f"),
                                        ArrayRef(all).take_front(7))));
  auto dot = [&](ArrayRef<int> neighbours, int64_t node) {
    double sum = 0;
    for (int j : neighbours)
      sum += all[0].at(j, 0) + 10 * all[0].at(j, 1) + 100 * all[0].at(j, 2);
    return sum + 0.5 + 1000 * all[0].at(node, 0);
  };
  const Array &y = interpreter.get(result);
  EXPECT_DOUBLE_EQ(y.data[0], dot({1, 2}, 0));
  EXPECT_DOUBLE_EQ(y.data[1], dot({2}, 1));
  EXPECT_DOUBLE_EQ(y.data[2], dot({}, 2));
  EXPECT_DOUBLE_EQ(y.data[3], dot({0, 1, 2, 3}, 3));
}

TEST_F(GraphConvLayerTest, AModelOfItIsCompiled) {
  OwningOpRef<ModuleOp> module = build();
  ASSERT_TRUE(plan(*module));
  EXPECT_TRUE(lower(*module));
}

} // namespace
