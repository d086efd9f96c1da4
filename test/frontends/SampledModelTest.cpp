//===- SampledModelTest.cpp - Blocks against the whole graph --------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A micro-batch that has all neighbours of its seeds has the loss and the
// gradients that the whole graph gives where only the seeds have targets.
//
//===----------------------------------------------------------------------===//

#include "codegen/AllTargets.h"
#include "dialects/AllDialects.h"
#include "dialects/AttributeNames.h"
#include "frontends/ModelBuilder.h"
#include "mlir/Pass/PassManager.h"
#include "passes/train/Passes.h"
#include "runtime/data/FeaturePart.h"
#include "test/passes/train/Interpreter.h"
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace tessera;
using namespace tessera::test;
namespace slots = runtime::slotNames;

namespace {

constexpr int nodes = 12, features = 4, classes = 3;

struct Edge {
  int from, to;
  double weight;
};

/// Of a graph with an edge that is there twice, a loop, and nodes that no edge
/// enters, or leaves.
std::vector<Edge> makeEdges(bool selfLoops) {
  std::vector<Edge> edges;
  for (auto [from, to] : {std::pair(1, 4),
                          {1, 4},
                          {2, 4},
                          {4, 4},
                          {3, 7},
                          {4, 7},
                          {5, 1},
                          {2, 3},
                          {6, 5},
                          {7, 2},
                          {10, 9},
                          {8, 9},
                          {9, 8}})
    edges.push_back(
        {from, to, 0.25 + 0.125 * static_cast<double>(edges.size())});
  if (selfLoops)
    for (int node = 0; node < nodes; ++node)
      edges.push_back({node, node, 0.5});
  return edges;
}

Array arrayOf(ArrayRef<int64_t> shape, double filler) {
  Array array;
  array.shape.assign(shape.begin(), shape.end());
  int64_t elements = 1;
  for (int64_t size : shape)
    elements *= size;
  array.data.assign(elements, filler);
  return array;
}

/// What the arguments of a function are, by their names.
class Inputs {
public:
  explicit Inputs(func::FuncOp function) : function(function) {}

  Array &add(StringRef name, double filler) {
    for (BlockArgument argument : function.getArguments())
      if (nameOf(argument) == name)
        return arrays[name.str()] = arrayOf(
                   cast<RankedTensorType>(argument.getType()).getShape(),
                   filler);
    ADD_FAILURE() << "no input " << name.str();
    return arrays[name.str()];
  }

  bool has(StringRef name) {
    return llvm::any_of(function.getArguments(), [&](BlockArgument argument) {
      return nameOf(argument) == name;
    });
  }

  /// The matrix of \p edges whose inputs are called as \p nameOf says; with
  /// its transpose where the function has it. Where there is room for more
  /// rows, they are empty.
  void addMatrix(llvm::function_ref<std::string(slots::Name)> nameOf,
                 const std::vector<Edge> &edges) {
    addRows({nameOf(slots::rowPtr), nameOf(slots::col), nameOf(slots::weight)},
            edges,
            [](const Edge &edge) { return std::pair(edge.to, edge.from); });
    if (!has(nameOf(slots::rowPtrT)))
      return;
    addRows(
        {nameOf(slots::rowPtrT), nameOf(slots::colT), nameOf(slots::weightT)},
        edges, [](const Edge &edge) { return std::pair(edge.from, edge.to); });
  }

  /// The leading arguments that are known.
  std::vector<Array> all() {
    std::vector<Array> known;
    for (BlockArgument argument : function.getArguments()) {
      auto found = arrays.find(nameOf(argument).str());
      if (found == arrays.end())
        break;
      known.push_back(found->second);
    }
    EXPECT_EQ(known.size(), arrays.size());
    return known;
  }

private:
  StringRef nameOf(BlockArgument argument) {
    auto name = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                      inputAttrName);
    return name ? name.getValue() : "";
  }

  void addRows(std::array<std::string, 3> names, const std::vector<Edge> &edges,
               llvm::function_ref<std::pair<int, int>(const Edge &)> ends) {
    // What lies behind the entries is nobody's.
    Array &start = add(names[0], 0), &column = add(names[1], 1e9),
          &weight = add(names[2], 1e9);
    size_t rows = start.data.size() - 1, count = 0;
    for (size_t row = 0; row < rows; ++row) {
      for (const Edge &edge : edges)
        if (auto [at, other] = ends(edge); at == static_cast<int>(row)) {
          ASSERT_LT(count, column.data.size());
          column.data[count] = other;
          weight.data[count++] = edge.weight;
        }
      start.data[row + 1] = static_cast<double>(count);
    }
  }

  func::FuncOp function;
  Arrays arrays;
};

/// Of each node's neighbours in \p x, by column.
Array aggregate(const Array &x, const std::vector<Edge> &edges,
                bool isMaximum) {
  Array result = arrayOf(x.shape, 0);
  std::vector<bool> met(result.data.size());
  for (const Edge &edge : edges)
    for (int column = 0; column < features; ++column) {
      double &to = result.at(edge.to, column), from = x.at(edge.from, column);
      if (!isMaximum)
        to += edge.weight * from;
      else if (auto seen = met[edge.to * features + column]; !seen || from > to)
        to = from, seen = true;
    }
  return result;
}

double numberOf(int i) { return std::sin(1.0 + 3.7 * i); }
int classOf(int node) { return node % classes; }

struct Outcome {
  double loss = 0;
  Arrays gradients;
};

class SampledModel : public testing::TestWithParam<const char *> {
protected:
  static void SetUpTestSuite() { registerAllTargets(); }

  SampledModel() {
    DialectRegistry registry;
    registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  /// The module with its function `train`.
  OwningOpRef<ModuleOp> build(const std::string &sampling) {
    std::string errors;
    llvm::raw_string_ostream stream(errors);
    SourceText source;
    source.path = "test.textproto";
    source.text = std::string("gnn { ") + GetParam() +
                  " hidden: 5 nodes: 12 edges: 13 features: 4 classes: 3 }\n"
                  "training { steps: 1 optimizer { lr: 0.1 } " +
                  sampling + " }";
    auto specification = parseSpecification(source, {}, stream);
    EXPECT_TRUE(specification) << errors;
    if (!specification)
      return {};
    layers = specification->message.gnn().layers();
    selfLoops = specification->message.gnn().self_loops();
    OwningOpRef<ModuleOp> module = buildModel(*specification, context);
    PassManager manager(&context);
    train::DifferentiateOptions options;
    options.accumulation = 1;
    options.maxNorm = 0;
    manager.addPass(train::createDifferentiate(options));
    EXPECT_TRUE(succeeded(manager.run(*module)));
    return module;
  }

  Outcome run(ModuleOp module, Inputs &inputs) {
    Arrays parameters;
    std::mt19937 generator(1);
    for (auto parameter : module.getOps<nn::ParameterOp>()) {
      Array array(parameter.getTensorType());
      for (double &number : array.data)
        number = generator() * 2.0 / generator.max() - 1;
      parameters[parameter.getSymName().str()] = array;
    }
    Interpreter interpreter(parameters);
    auto step = module.lookupSymbol<func::FuncOp>("train");
    EXPECT_TRUE(succeeded(interpreter.run(step, inputs.all())));
    Outcome outcome;
    for (unsigned i = 0; i < step.getNumResults(); ++i)
      if (auto name = step.getResultAttrOfType<StringAttr>(i, outputAttrName);
          name && name.getValue() == slots::loss)
        outcome.loss =
            interpreter
                .get(step.getBody().front().getTerminator()->getOperand(i))
                .data[0];
    outcome.gradients = interpreter.getGradients();
    return outcome;
  }

  static void fillFeatures(Array &x) {
    for (auto [i, number] : llvm::enumerate(x.data))
      number = numberOf(static_cast<int>(i));
  }

  Outcome runWhole(const std::vector<int> &seeds) {
    OwningOpRef<ModuleOp> module = build("");
    Inputs inputs(module->lookupSymbol<func::FuncOp>("train"));
    std::vector<Edge> edges = makeEdges(selfLoops);
    // Of the whole graph, what the first layer reads of edges may be taken
    // ahead.
    if (inputs.has(slots::rowPtr))
      inputs.addMatrix([](slots::Name name) { return std::string(name); },
                       edges);
    for (runtime::FeaturePart part :
         {runtime::FeaturePart{}, {.hops = 1}, {.hops = 1, .isMaximum = true}})
      if (inputs.has(part.name())) {
        Array &x = inputs.add(part.name(), 0);
        fillFeatures(x);
        if (part.hops)
          x = aggregate(x, edges, part.isMaximum);
      }
    Array &targets = inputs.add(slots::targets, -100);
    for (int seed : seeds)
      targets.data[seed] = classOf(seed);
    inputs.add(slots::scale, 0.5);
    return run(*module, inputs);
  }

  Outcome runSampled(const std::vector<int> &seeds, const std::string &fanOut) {
    OwningOpRef<ModuleOp> module =
        build("sampling { batch: 4 " + fanOut + " }");
    std::vector<Edge> edges = makeEdges(selfLoops);
    // By hop: nodes in order of discovery, and how many there are so far.
    std::vector<int> ids = seeds;
    std::vector<int64_t> within = {static_cast<int64_t>(ids.size())};
    for (int64_t hop = 0, frontier = 0; hop < layers; ++hop) {
      for (int64_t i = frontier; i < within.back(); ++i)
        for (const Edge &edge : edges)
          if (edge.to == ids[i] && !llvm::is_contained(ids, edge.from))
            ids.push_back(edge.from);
      frontier = within.back();
      within.push_back(static_cast<int64_t>(ids.size()));
    }
    Inputs inputs(module->lookupSymbol<func::FuncOp>("train"));
    fillFeatures(inputs.add(slots::features, 0));
    Array &all = inputs.add(slots::nodes, 0);
    llvm::copy(ids, all.data.begin());
    for (int64_t layer = 0; layer < layers; ++layer) {
      int64_t rows = within[layers - 1 - layer];
      // Its columns are the micro-batch's nodes, or the graph's.
      bool isWhole = inputs.has(slots::ofBlock(slots::source, layer));
      std::vector<Edge> block;
      for (const Edge &edge : edges) {
        auto to = llvm::find(ids, edge.to) - ids.begin();
        auto from = llvm::find(ids, edge.from) - ids.begin();
        if (to < rows)
          block.push_back({isWhole ? edge.from : static_cast<int>(from),
                           static_cast<int>(to), edge.weight});
      }
      inputs.addMatrix(
          [&](slots::Name name) {
            bool isColumn = StringRef(name) == slots::col;
            return slots::ofBlock(isWhole && isColumn ? slots::source : name,
                                  layer);
          },
          block);
    }
    Array &targets = inputs.add(slots::targets, -100);
    for (auto [i, seed] : llvm::enumerate(seeds))
      targets.data[i] = classOf(seed);
    inputs.add(slots::scale, 0.5);
    for (int64_t hop = 0; hop <= layers; ++hop)
      inputs.add(slots::countWithin(hop), static_cast<double>(within[hop]));
    // The test is of rows that are not all there.
    EXPECT_LT(within.back(), static_cast<int64_t>(all.data.size()));
    return run(*module, inputs);
  }

  void expectSame(const Outcome &whole, const Outcome &sampled) {
    EXPECT_GT(whole.loss, 0.1);
    EXPECT_NEAR(sampled.loss, whole.loss, 1e-12 * whole.loss);
    ASSERT_EQ(sampled.gradients.size(), whole.gradients.size());
    for (const auto &[name, gradient] : whole.gradients) {
      const Array &other = sampled.gradients.at(name);
      double largest = 0;
      for (size_t i = 0; i < gradient.data.size(); ++i) {
        EXPECT_NEAR(other.data[i], gradient.data[i], 1e-12) << name << " " << i;
        largest = std::max(largest, std::abs(gradient.data[i]));
      }
      // A softmax of scores of one sign does not change with their target.
      if (!StringRef(name).ends_with(".att_dst"))
        EXPECT_GT(largest, 1e-3) << name << " has no gradient to speak of";
    }
  }

  MLIRContext context;
  int64_t layers = 0;
  bool selfLoops = false;
};

} // namespace

TEST_P(SampledModel, IsTheWholeGraphsWithAllNeighbours) {
  std::string fanOut;
  std::vector<int> seeds = {7, 4};
  Outcome whole = runWhole(seeds);
  for (int64_t layer = 0; layer < layers; ++layer)
    fanOut += "fan_out: 4 ";
  expectSame(whole, runSampled(seeds, fanOut));
}

INSTANTIATE_TEST_SUITE_P(
    Layers, SampledModel,
    testing::Values("layer: SAGE layers: 2", "layer: SAGE layers: 1",
                    "layer: SAGE layers: 2 aggregation: MAX",
                    "layer: SAGE layers: 1 aggregation: MAX",
                    "layer: SAGE layers: 2 aggregation: SUM root_weight: false",
                    "layer: SAGE layers: 3 residual: true layer_norm: true",
                    "layer: SAGE layers: 2 self_loops: true",
                    "layer: GCN layers: 2",
                    "layer: GCN layers: 3 residual: true",
                    "layer: GCN layers: 2 self_loops: false",
                    "layer: GIN layers: 1 activation: ELU",
                    "layer: GIN layers: 2 train_eps: true",
                    "layer: GIN layers: 3 activation: ELU",
                    "layer: GAT layers: 2 heads: 3 output_heads: 2",
                    "layer: GAT layers: 3 heads: 2 residual: true"));
