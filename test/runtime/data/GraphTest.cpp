//===- GraphTest.cpp - Tests of graphs ------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/Graph.h"
#include "test/runtime/data/GraphBytes.h"
#include <fstream>
#include <gtest/gtest.h>

using namespace tessera::runtime;

namespace {

std::string write(const TensorBytes &graph) {
  std::string path = testing::TempDir() + "graph.safetensors";
  std::ofstream(path, std::ios::binary) << graph.bytes();
  return path;
}

Manifest manifestOf() {
  Manifest manifest;
  manifest.model.kind = "gnn";
  manifest.model.nodes = 3;
  manifest.model.edges = 4;
  manifest.model.features = 2;
  manifest.model.classes = 2;
  return manifest;
}

/// A program whose inputs are filled once, and its arena.
struct Arena {
  /// All inputs of the edges, and features of \p columns columns.
  explicit Arena(const Manifest &manifest, int64_t columns = 2) {
    // Room for a self-loop per node, though one exists already.
    for (const char *end : {"", "_t"}) {
      add("row_ptr", end, 4, "i32");
      add("col", end, 7, "i32");
      add("weight", end, 7, "f32");
    }
    add("features", "", 3 * columns, "f32");
    memory.resize(4 * total);
    context.manifest = &manifest;
    context.program = &program;
    context.arena = reinterpret_cast<char *>(memory.data());
    context.device = tessera_open_device(&manifest, 0);
  }
  void add(const std::string &name, const char *end, int64_t elements,
           const char *type) {
    program.inputs.push_back({name + end, type, "load", {elements}, total});
    total += 4 * elements;
  }
  std::vector<const Slot *> slots() const {
    std::vector<const Slot *> all;
    for (const Slot &slot : program.inputs)
      all.push_back(&slot);
    return all;
  }
  template <typename T> T at(const char *name, int64_t index) const {
    return reinterpret_cast<const T *>(context.arena +
                                       program.input(name)->offset)[index];
  }

  Program program;
  int64_t total = 0;
  std::vector<int32_t> memory;
  tessera_context context;
};

TEST(Graph, FillsTheInputsOfARank) {
  Manifest manifest = manifestOf();
  std::string path = write(smallGraph());
  for (int rank = 0; rank < 2; ++rank) {
    auto source = openGraphBatches(manifest, path, rank, 2);
    EXPECT_FLOAT_EQ(source->scale({}), 0.5f);
    EXPECT_EQ(source->tokens({}), 0);
    EXPECT_EQ(source->describe(),
              path + " (2 training nodes, 1 for validation, 0 for the test)");
    EXPECT_EQ(source->describeGraph(), "3 nodes, 4 edges (mean degree 1.33), "
                                       "2 classes, homophily 0.250");
    Arena arena(manifest);
    EXPECT_EQ(source->load(arena.context, arena.slots()), nullptr);
    EXPECT_EQ(source->describeGraph(), "");
    EXPECT_EQ(arena.at<float>("features", 5), 6.0f);
    EXPECT_EQ(arena.at<int32_t>("row_ptr", 3), 6);
    EXPECT_EQ(arena.at<int32_t>("col_t", 5), 2);
    EXPECT_EQ(arena.at<int32_t>("col_t", 6), 0);
    EXPECT_FLOAT_EQ(arena.at<float>("weight", 0), 0.5f);
    int32_t targets[3];
    EXPECT_TRUE(source->fill({"targets", "i32", "begin", {3}, 0},
                             reinterpret_cast<char *>(targets), {}, 0));
    EXPECT_EQ(targets[0], rank == 0 ? 1 : -100);
    EXPECT_EQ(targets[1], -100);
    EXPECT_EQ(targets[2], rank == 1 ? 1 : -100);
    char nothing;
    EXPECT_FALSE(
        source->fill({"other", "f32", "begin", {1}, 0}, &nothing, {}, 0));
  }
}

/// A program that learns from up to \p rows nodes, by the edges into them, and
/// sums features ahead of time.
struct LearnedArena : Arena {
  LearnedArena(const Manifest &manifest, int64_t rows, int64_t entries)
      : Arena(manifest) {
    program.inputs.clear();
    total = 0;
    add("sort_room", "", 200, "i32");
    add("features.sum.2", "", 2 * rows, "f32");
    add("row_ptr.last", "", rows + 1, "i32");
    add("col.last", "", entries, "i32");
    add("weight.last", "", entries, "f32");
    add("row_ptr_t.last", "", 4, "i32");
    add("col_t.last", "", entries, "i32");
    add("weight_t.last", "", entries, "f32");
    add("nodes", "", rows, "i32");
    memory.assign(total, -1);
    context.arena = reinterpret_cast<char *>(memory.data());
  }
};

// Nodes 0 and 2 are learned from, then node 2 alone, where there is room for
// two; node 0 has edges from 1 and itself, node 2 from itself.
TEST(Graph, FillsWhatIsLearnedFrom) {
  Manifest manifest = manifestOf();
  std::string path = write(smallGraph());
  Arena whole(manifest);
  Graph(manifest, path).load(whole.context, whole.slots());
  constexpr int64_t rows = 2;
  for (std::vector<int32_t> learned : {std::vector{0, 2}, std::vector{2}}) {
    TensorBytes graph = smallGraph();
    graph.set("train_mask", "BOOL", {3},
              {learned.size() == 2 ? 1.0 : 0.0, 0, 1});
    path = write(graph);
    LearnedArena arena(manifest, rows, 6);
    auto source = openGraphBatches(manifest, path, 0, 1);
    ASSERT_EQ(source->load(arena.context, arena.slots()), nullptr);
    int32_t entry = 0;
    for (size_t row = 0; row < learned.size(); ++row) {
      EXPECT_EQ(arena.at<int32_t>("nodes", row), learned[row]);
      EXPECT_EQ(arena.at<int32_t>("row_ptr.last", row), entry);
      for (int32_t i = whole.at<int32_t>("row_ptr", learned[row]);
           i < whole.at<int32_t>("row_ptr", learned[row] + 1); ++i, ++entry) {
        EXPECT_EQ(arena.at<int32_t>("col.last", entry),
                  whole.at<int32_t>("col", i));
        EXPECT_EQ(arena.at<float>("weight.last", entry),
                  whole.at<float>("weight", i));
      }
    }
    EXPECT_EQ(arena.at<int32_t>("row_ptr.last", rows), entry);
    EXPECT_EQ(arena.at<int32_t>("row_ptr_t.last", 3), entry);
    for (int64_t column = 0; column < 2; ++column) {
      float once[3];
      auto sum = [&](int64_t node, auto &&of) {
        float result = 0;
        for (int32_t i = whole.at<int32_t>("row_ptr", node);
             i < whole.at<int32_t>("row_ptr", node + 1); ++i)
          result +=
              whole.at<float>("weight", i) * of(whole.at<int32_t>("col", i));
        return result;
      };
      for (int64_t node = 0; node < 3; ++node)
        once[node] = sum(node, [&](int64_t from) {
          return whole.at<float>("features", 2 * from + column);
        });
      for (int64_t row = 0; row < rows; ++row) {
        float expected = 0;
        if (row < std::ssize(learned))
          expected =
              sum(learned[row], [&](int64_t from) { return once[from]; });
        EXPECT_FLOAT_EQ(arena.at<float>("features.sum.2", 2 * row + column),
                        expected);
      }
    }
    std::vector<int32_t> targets(rows);
    EXPECT_TRUE(source->fill({"targets", "i32", "begin", {rows}, 0},
                             reinterpret_cast<char *>(targets.data()), {}, 0));
    EXPECT_EQ(targets[0], 1);
    EXPECT_EQ(targets[1], learned.size() == 2 ? 1 : -100);
  }
}

TEST(Graph, RefusesMoreThanThereIsRoomToLearnFrom) {
  Manifest manifest = manifestOf();
  std::string path = write(smallGraph());
  auto load = [&](int64_t rows, int64_t entries) {
    LearnedArena arena(manifest, rows, entries);
    Graph(manifest, path).load(arena.context, arena.slots());
  };
  EXPECT_EXIT(load(1, 6), testing::ExitedWithCode(1),
              "has 2 training nodes, the model was compiled for 1: compile it "
              "with this graph, or with gnn.train_nodes and gnn.train_edges");
  EXPECT_EXIT(load(2, 2), testing::ExitedWithCode(1),
              "edges into training nodes with their loops, the model was "
              "compiled for 2");
}

TEST(Graph, NamesAnInputThatItDoesNotKnow) {
  Manifest manifest = manifestOf();
  Graph graph(manifest, write(smallGraph()));
  Arena arena(manifest);
  Slot slot = {"other", "f32", "load", {1}, 0};
  EXPECT_EQ(graph.load(arena.context, {&slot}), &slot);
}

TEST(Graph, SaysWhatWeighsTheEdges) {
  Manifest manifest = manifestOf();
  TensorBytes tensors = smallGraph();
  tensors.set("edge_attr", "F32", {4, 1}, {0.5, 2, 4, 3});
  std::string path = write(tensors);
  auto source = openGraphBatches(manifest, path, 0, 1);
  EXPECT_EQ(source->describe(), path + " (2 training nodes, 1 for validation, "
                                       "0 for the test; 'edge_attr' weighs the "
                                       "edges)");
  Arena arena(manifest);
  EXPECT_EQ(source->load(arena.context, arena.slots()), nullptr);
  EXPECT_FLOAT_EQ(arena.at<float>("weight", 0), 1 / 5.0f);
}

TEST(Graph, MayHaveFewerClassesThanItsModel) {
  Manifest manifest = manifestOf();
  manifest.model.classes = 9;
  Graph graph(manifest, write(smallGraph()));
  EXPECT_EQ(graph.split("val"), (std::vector<int32_t>{1}));
}

TEST(Graph, MayHaveFewerSparseFeaturesThanItsModel) {
  Manifest manifest = manifestOf();
  manifest.model.features = 4;
  TensorBytes tensors = smallGraph();
  tensors.remove("x");
  tensors.set("x.indptr", "I64", {4}, {0, 1, 1, 2});
  tensors.set("x.indices", "I64", {2}, {0, 2});
  Graph graph(manifest, write(tensors));
  Arena arena(manifest, 4);
  EXPECT_EQ(graph.load(arena.context, arena.slots()), nullptr);
  for (int i = 0; i < 12; ++i)
    EXPECT_EQ(arena.at<float>("features", i), i == 0 || i == 10) << i;
}

TEST(GraphDeathTest, SaysWhatIsWrong) {
  auto fails = [](const Manifest &manifest, const TensorBytes &graph,
                  const char *message) {
    std::string path = write(graph);
    EXPECT_EXIT(openGraphBatches(manifest, path, 0, 1),
                testing::ExitedWithCode(1), message);
  };
  auto failsFor = [&](int64_t Model::*count, int64_t value,
                      const char *message) {
    Manifest manifest = manifestOf();
    manifest.model.*count = value;
    fails(manifest, smallGraph(), message);
  };
  failsFor(&Model::nodes, 4,
           "the graph '.*' has 3 nodes, the model was compiled for 4: compile "
           "it with this graph's sizes");
  failsFor(&Model::edges, 3, "has 4 edges, .* compiled for 3");
  failsFor(&Model::features, 3, "has 2 features, .* compiled for 3");
  failsFor(&Model::classes, 1, "has 2 classes, .* compiled for 1");
  TensorBytes graph = smallGraph();
  graph.remove("test_mask");
  fails(manifestOf(), graph, "cannot be used: it has no tensor 'test_mask'");
  graph = smallGraph();
  graph.set("train_mask", "BOOL", {3}, {0, 0, 0});
  fails(manifestOf(), graph, "tensor 'train_mask' selects no node");
}

TEST(GraphDeathTest, RefusesDegreesThatHaveNoRoot) {
  TensorBytes graph = smallGraph();
  graph.set("edge_weight", "F32", {4}, {-2, 0, 1, 1});
  std::string path = write(graph);
  EXPECT_EXIT(Graph(manifestOf(), path), testing::ExitedWithCode(1),
              "edges into node 1, its edge to itself included, have the sum "
              "-1.0");
}

TEST(GraphDeathTest, NamesWhatNothingUses) {
  TensorBytes graph = smallGraph();
  graph.set("pos", "F32", {1}, {0});
  std::string path = write(graph);
  EXPECT_EXIT((Graph(manifestOf(), path), exit(0)), testing::ExitedWithCode(0),
              "warning: the graph '.*' has what nothing here uses: 'pos'");
}

} // namespace
