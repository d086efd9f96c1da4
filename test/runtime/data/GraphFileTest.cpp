//===- GraphFileTest.cpp - Graph files taken and refused ------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/GraphFile.h"
#include "test/runtime/data/GraphBytes.h"
#include <cmath>
#include <functional>
#include <gtest/gtest.h>

using namespace tessera::runtime;

namespace {

/// What a graph's file says of the graph.
struct Content {
  std::vector<float> features;
  std::vector<int32_t> sources, targets, labels, train;
  std::vector<float> weights;
  bool operator==(const Content &) const = default;
};

Content contentOf(const TensorBytes &tensors, int64_t columns = 2) {
  std::string bytes = tensors.bytes(), error;
  auto file = GraphFile::read(bytes, "g", error);
  EXPECT_TRUE(file) << error;
  if (!file)
    return {};
  Content content;
  content.features.assign(file->shape().nodes * columns, -1);
  file->copyFeatures(columns, content.features.data());
  file->forEdges([&](const EdgeBlock &block) {
    for (int64_t i = 0; i < block.count; ++i) {
      content.sources.push_back(block.source[i]);
      content.targets.push_back(block.target[i]);
      content.weights.push_back(block.weight[i]);
    }
  });
  content.labels = file->labels();
  content.train = file->split("train");
  return content;
}

std::string errorOf(const std::string &bytes) {
  std::string error;
  EXPECT_FALSE(GraphFile::read(bytes, "g", error));
  return error;
}

/// What is said of the small graph once \p change has been made to it.
std::string errorAfter(const std::function<void(TensorBytes &)> &change) {
  TensorBytes graph = smallGraph();
  change(graph);
  std::string error = errorOf(graph.bytes());
  const std::string begin = "the graph 'g' cannot be used: ";
  EXPECT_TRUE(error.starts_with(begin)) << error;
  return error.substr(std::min(begin.size(), error.size()));
}

std::string errorWith(const char *name, const char *dtype,
                      const std::vector<int64_t> &shape,
                      const std::vector<double> &values) {
  return errorAfter(
      [&](TensorBytes &graph) { graph.set(name, dtype, shape, values); });
}

TEST(GraphFile, ReadsNumbersOfAnyType) {
  Content wanted = contentOf(smallGraph());
  EXPECT_EQ(wanted.features, (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(wanted.sources, (std::vector<int32_t>{0, 2, 1, 2}));
  EXPECT_EQ(wanted.targets, (std::vector<int32_t>{1, 1, 0, 2}));
  EXPECT_EQ(wanted.labels, (std::vector<int32_t>{1, 0, 1}));
  EXPECT_EQ(wanted.train, (std::vector<int32_t>{0, 2}));
  EXPECT_EQ(wanted.weights, (std::vector<float>{1, 1, 1, 1}));
  for (const char *type : {"I64", "I32", "I16", "I8", "U32", "U16", "U8"}) {
    TensorBytes graph = smallGraph();
    graph.set("x", type, {3, 2}, {1, 2, 3, 4, 5, 6});
    graph.set("edge_index", type, {2, 4}, {0, 2, 1, 2, 1, 1, 0, 2});
    graph.set("y", type, {3}, {1, 0, 1});
    graph.set("train_mask", type, {3}, {1, 0, 1});
    EXPECT_EQ(contentOf(graph), wanted) << type;
  }
  TensorBytes graph = smallGraph();
  graph.set("x", "F64", {3, 2}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(contentOf(graph), wanted);
  graph.set("x", "BF16", {3, 2},
            {0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0, 0x40c0});
  EXPECT_EQ(contentOf(graph), wanted);
  graph.set("x", "F16", {3, 2},
            {0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600});
  EXPECT_EQ(contentOf(graph), wanted);
}

TEST(GraphFile, TakesBytesAsNumbersButInMasks) {
  TensorBytes graph = smallGraph();
  graph.set("edge_index", "U8", {2, 2}, {0, 2, 2, 1});
  graph.set("y", "U8", {3}, {200, 0, 7});
  graph.set("train_mask", "U8", {3}, {1, 0, 1});
  Content content = contentOf(graph);
  EXPECT_EQ(content.targets, (std::vector<int32_t>{2, 1}));
  EXPECT_EQ(content.labels, (std::vector<int32_t>{200, 0, 7}));
  EXPECT_EQ(content.train, (std::vector<int32_t>{0, 2}));
  graph = smallGraph();
  graph.set("x", "BOOL", {3, 2}, {1, 0, 1, 1, 0, 0});
  EXPECT_EQ(contentOf(graph).features, (std::vector<float>{1, 0, 1, 1, 0, 0}));
}

TEST(GraphFile, TakesColumnsForVectors) {
  TensorBytes graph = smallGraph();
  graph.set("y", "I64", {3, 1}, {1, 0, 1});
  for (const char *mask : {"train_mask", "val_mask", "test_mask"})
    graph.set(mask, "BOOL", {3, 1},
              {mask[1] == 'r' ? 1.0 : 0.0, 0, mask[1] == 'r' ? 1.0 : 0.0});
  EXPECT_EQ(contentOf(graph), contentOf(smallGraph()));
}

TEST(GraphFile, TakesNodesWithoutLabelsOutsideMasks) {
  TensorBytes graph = smallGraph();
  graph.set("y", "I64", {3}, {1, -7, 1});
  graph.set("val_mask", "BOOL", {3}, {0, 0, 0});
  EXPECT_EQ(contentOf(graph).labels, (std::vector<int32_t>{1, -1, 1}));
  graph.set("val_mask", "BOOL", {3}, {0, 1, 0});
  EXPECT_NE(errorOf(graph.bytes())
                .find("node 1 is in 'val_mask' but has no label, as 'y' is -7"),
            std::string::npos);
}

TEST(GraphFile, TakesNoEdges) {
  TensorBytes graph = smallGraph();
  graph.set("edge_index", "I64", {2, 0}, {});
  EXPECT_TRUE(contentOf(graph).sources.empty());
}

TEST(GraphFile, ReadsWeightsOfEdges) {
  for (const char *name : {"edge_weight", "edge_attr"})
    for (const std::vector<int64_t> &shape :
         {std::vector<int64_t>{4}, std::vector<int64_t>{4, 1}}) {
      TensorBytes graph = smallGraph();
      graph.set(name, "F64", shape, {0.5, 2, -1, 0});
      EXPECT_EQ(contentOf(graph).weights, (std::vector<float>{0.5, 2, -1, 0}));
      std::string bytes = graph.bytes(), error;
      EXPECT_STREQ(GraphFile::read(bytes, "g", error)->weightName(), name);
    }
}

TEST(GraphFile, ReadsMoreEdgesThanABlockHolds) {
  TensorBytes graph = smallGraph();
  int64_t edges = 2 * EdgeBlock::room + 3;
  std::vector<double> ends, weights;
  for (int64_t i = 0; i < 2 * edges; ++i)
    ends.push_back(double(i % 7 % 3));
  for (int64_t i = 0; i < edges; ++i)
    weights.push_back(double(i));
  graph.set("edge_index", "I32", {2, edges}, ends);
  graph.set("edge_weight", "F32", {edges}, weights);
  Content content = contentOf(graph);
  ASSERT_EQ(content.sources.size(), size_t(edges));
  for (int64_t i = 0; i < edges; ++i) {
    ASSERT_EQ(content.sources[i], ends[i]);
    ASSERT_EQ(content.targets[i], ends[edges + i]);
    ASSERT_EQ(content.weights[i], weights[i]);
  }
}

/// The small graph with features of three columns, of which two are used.
TensorBytes sparseGraph() {
  TensorBytes graph = smallGraph();
  graph.remove("x");
  graph.set("x.indptr", "I32", {4}, {0, 2, 2, 3});
  graph.set("x.indices", "U16", {3}, {1, 0, 1});
  return graph;
}

TEST(GraphFile, ExpandsSparseFeatures) {
  TensorBytes graph = sparseGraph();
  std::string bytes = graph.bytes(), error;
  auto file = GraphFile::read(bytes, "g", error);
  ASSERT_TRUE(file) << error;
  EXPECT_TRUE(file->hasSparseFeatures());
  EXPECT_EQ(file->shape().nodes, 3);
  EXPECT_EQ(file->shape().features, 2);
  EXPECT_EQ(contentOf(graph, 3).features,
            (std::vector<float>{1, 1, 0, 0, 0, 0, 0, 1, 0}));
  graph.set("x.values", "F64", {3}, {0.5, 2, -3});
  EXPECT_EQ(contentOf(graph, 2).features,
            (std::vector<float>{2, 0.5, 0, 0, 0, -3}));
}

TEST(GraphFile, RefusesSparseFeaturesThatAreNone) {
  auto errorOfSparse = [](const char *name, const char *dtype,
                          const std::vector<int64_t> &shape,
                          const std::vector<double> &values) {
    TensorBytes graph = sparseGraph();
    graph.set(name, dtype, shape, values);
    return errorOf(graph.bytes());
  };
  auto has = [](const std::string &error, const char *part) {
    EXPECT_NE(error.find(part), std::string::npos) << error;
  };
  has(errorOfSparse("x", "F32", {3, 1}, {1, 2, 3}), "keep one form");
  has(errorOfSparse("x.indptr", "I64", {1}, {0}), "[nodes + 1] is wanted");
  has(errorOfSparse("x.indptr", "F32", {4}, {0, 2, 2, 3}), "has type F32");
  has(errorOfSparse("x.indptr", "I64", {4}, {1, 2, 2, 3}),
      "element 0 of tensor 'x.indptr' is 1: the first must be 0");
  has(errorOfSparse("x.indptr", "I64", {4}, {0, 2, 1, 3}),
      "element 2 of tensor 'x.indptr' is 1: it must neither decrease nor "
      "exceed the number of entries, 3");
  has(errorOfSparse("x.indptr", "I64", {4}, {0, 2, 4, 3}),
      "element 2 of tensor 'x.indptr' is 4");
  has(errorOfSparse("x.indptr", "I64", {4}, {0, 2, 2, 2}),
      "element 3 of tensor 'x.indptr' is 2: the last must be the number");
  has(errorOfSparse("x.indices", "I64", {3, 1}, {1, 0, 1}),
      "[entries] is wanted");
  has(errorOfSparse("x.indices", "F64", {3}, {1, 0, 1}), "has type F64");
  has(errorOfSparse("x.indices", "I64", {3}, {1, -1, 1}),
      "element 1 of tensor 'x.indices' is -1: it must lie in [0, 131072)");
  has(errorOfSparse("x.indices", "I64", {3}, {1, 131072, 1}), "is 131072");
  has(errorOfSparse("x.indices", "I64", {3}, {1, 1, 1}),
      "element 1 of tensor 'x.indices' is 1: row 0 has it twice");
  has(errorOfSparse("x.values", "F32", {2}, {1, 2}),
      "that of 'x.indices', [3], is wanted");
  has(errorOfSparse("x.values", "F32", {3}, {1, NAN, 2}),
      "element 1 of tensor 'x.values' is nan");
  TensorBytes graph = sparseGraph();
  graph.remove("x.indptr");
  has(errorOf(graph.bytes()), "no tensor 'x.indptr'");
  graph = sparseGraph();
  graph.set("x.indptr", "I64", {4}, {0, 0, 0, 0});
  graph.set("x.indices", "I64", {0}, {});
  has(errorOf(graph.bytes()), "no node has a feature");
}

TEST(GraphFile, RefusesWhatIsNoGraph) {
  for (const char *name :
       {"edge_index", "y", "train_mask", "val_mask", "test_mask"})
    EXPECT_EQ(errorAfter([&](TensorBytes &graph) { graph.remove(name); }),
              "it has no tensor '" + std::string(name) + "'");
  EXPECT_EQ(errorAfter([&](TensorBytes &graph) { graph.remove("x"); }),
            "it has no tensor 'x', nor 'x.indptr' and 'x.indices' for sparse "
            "features");
  EXPECT_EQ(errorWith("x", "F32", {6}, {1, 2, 3, 4, 5, 6}),
            "tensor 'x' has shape [6]: [nodes, features] is wanted");
  EXPECT_EQ(errorWith("x", "F32", {0, 2}, {}),
            "tensor 'x' has shape [0, 2]: 1 to 2147483647 nodes and 1 to "
            "131072 features are possible");
  EXPECT_EQ(errorWith("x", "F32", {3, 0}, {}),
            "tensor 'x' has shape [3, 0]: 1 to 2147483647 nodes and 1 to "
            "131072 features are possible");
  EXPECT_EQ(errorWith("x", "U64", {3, 2}, std::vector<double>(48)),
            "tensor 'x' has type U64: F64, F32, BF16, F16, BOOL or whole "
            "numbers are wanted");
  EXPECT_EQ(errorWith("edge_index", "I64", {4, 2}, {0, 1, 2, 1, 1, 0, 2, 2}),
            "tensor 'edge_index' has shape [4, 2]: [2, edges] is wanted; "
            "transpose it");
  EXPECT_EQ(errorWith("edge_index", "I64", {8}, {0, 2, 1, 2, 1, 1, 0, 2}),
            "tensor 'edge_index' has shape [8]: [2, edges] is wanted");
  EXPECT_EQ(errorWith("edge_index", "F32", {2, 1}, {0, 1}),
            "tensor 'edge_index' has type F32: I64, I32, I16, I8, U32, U16 or "
            "U8 is wanted");
  EXPECT_EQ(errorWith("edge_index", "I64", {2, 2}, {0, 1, 1, 3}),
            "element [1, 1] of tensor 'edge_index' is 3: nodes lie in [0, 3)");
  EXPECT_EQ(errorWith("edge_index", "I8", {2, 2}, {0, -1, 1, 0}),
            "element [0, 1] of tensor 'edge_index' is -1: nodes lie in [0, 3)");
  EXPECT_EQ(errorWith("y", "I64", {2}, {0, 1}),
            "tensor 'y' has shape [2]: one class for each of the 3 nodes is "
            "wanted");
  EXPECT_EQ(errorWith("y", "I64", {3, 2}, {0, 1, 1, 0, 0, 1}),
            "tensor 'y' has shape [3, 2]: one class for each node is wanted; "
            "of one-hot labels give the argmax, of several tasks choose a "
            "column");
  EXPECT_EQ(errorWith("y", "F32", {3}, {0, 1, 1}),
            "tensor 'y' has type F32: I64, I32, I16, I8, U32, U16 or U8 is "
            "wanted, and a negative number where there is no label");
  EXPECT_EQ(errorWith("y", "I64", {3}, {0, 131072, 1}),
            "element 1 of tensor 'y' is 131072: classes are less than 131072");
  EXPECT_EQ(errorWith("y", "I64", {3}, {-1, -1, -1}),
            "tensor 'y' has no label: classes are numbered from 0");
}

TEST(GraphFile, RefusesMasksThatAreNone) {
  EXPECT_EQ(errorWith("val_mask", "BOOL", {3, 2}, {0, 1, 1, 0, 0, 1}),
            "tensor 'val_mask' has shape [3, 2]: one flag for each node is "
            "wanted; of several splits choose a column");
  EXPECT_EQ(errorWith("val_mask", "I64", {2}, {0, 2}),
            "tensor 'val_mask' has shape [2]: one flag for each of the 3 nodes "
            "is wanted; of a list of nodes make a mask");
  EXPECT_EQ(errorWith("val_mask", "BOOL", {2}, {0, 1}),
            "tensor 'val_mask' has shape [2]: one flag for each of the 3 nodes "
            "is wanted");
  for (const char *type : {"I64", "U8", "BOOL"})
    EXPECT_EQ(errorWith("val_mask", type, {3}, {0, 1, 2}),
              "element 2 of tensor 'val_mask' is 2: a flag is 0 or 1; of a "
              "list of nodes make a mask");
  EXPECT_EQ(errorWith("val_mask", "F32", {3}, {0, 1, 0}),
            "tensor 'val_mask' has type F32: BOOL, or whole numbers 0 and 1, "
            "is wanted");
}

TEST(GraphFile, RefusesWhatIsNotFinite) {
  EXPECT_EQ(errorWith("x", "F32", {3, 2}, {1, 2, 3, NAN, 5, 6}),
            "element [1, 1] of tensor 'x' is nan in F32: finite numbers are "
            "wanted; replace it");
  EXPECT_EQ(errorWith("x", "F64", {3, 2}, {1, 2, 3, 4, -1e300, 6}),
            "element [2, 0] of tensor 'x' is -inf in F32: finite numbers are "
            "wanted; replace it");
  EXPECT_EQ(errorWith("edge_weight", "F32", {4}, {1, 1, INFINITY, 1}),
            "element 2 of tensor 'edge_weight' is inf in F32: finite numbers "
            "are wanted; replace it");
  // One far behind many that are.
  TensorBytes graph = smallGraph();
  std::vector<double> features(3 * 5000, 1);
  features[12345] = NAN;
  graph.set("x", "F32", {3, 5000}, features);
  EXPECT_NE(errorOf(graph.bytes()).find("element [2, 2345] of tensor 'x'"),
            std::string::npos);
}

TEST(GraphFile, RefusesWeightsThatAreNone) {
  EXPECT_EQ(errorWith("edge_attr", "F32", {4, 2}, std::vector<double>(8)),
            "tensor 'edge_attr' has shape [4, 2]: one weight for each of the 4 "
            "edges is wanted, as a GCN takes no other features of edges; "
            "remove it or choose one column");
  EXPECT_EQ(errorAfter([](TensorBytes &graph) {
              graph.set("edge_attr", "F32", {4}, {1, 1, 1, 1});
              graph.set("edge_weight", "F32", {4}, {1, 1, 1, 1});
            }),
            "it has both 'edge_weight' and 'edge_attr': keep the one that "
            "weighs the edges");
}

TEST(GraphFile, RefusesWhatIsNoSafetensorsFile) {
  EXPECT_EQ(errorOf(""), "'g' is not a valid safetensors file: it is shorter "
                         "than 8 bytes");
  std::string bytes = smallGraph().bytes();
  EXPECT_NE(errorOf(bytes.substr(0, bytes.size() - 1)).find("cut short"),
            std::string::npos);
  // Nested as deep as the memory for a recursion would not reach.
  std::string nested =
      "{\"x\":{\"dtype\":\"F32\",\"other\":" + std::string(1000000, '[') +
      std::string(1000000, ']') + "}}";
  uint64_t length = nested.size();
  nested.insert(0, reinterpret_cast<const char *>(&length), 8);
  EXPECT_NE(errorOf(nested).find("nested more than 128 deep"),
            std::string::npos)
      << errorOf(nested);
}

TEST(GraphFile, NamesWhatNothingUses) {
  TensorBytes graph = smallGraph();
  std::string bytes = graph.bytes(), error;
  EXPECT_EQ(GraphFile::read(bytes, "g", error)->unusedTensors(), "");
  graph.set("pos", "F32", {3, 2}, std::vector<double>(6));
  graph.set("batch", "U64", {1}, std::vector<double>(8));
  bytes = graph.bytes();
  EXPECT_EQ(GraphFile::read(bytes, "g", error)->unusedTensors(),
            "the graph 'g' has what nothing here uses: 'batch', 'pos'");
  for (int i = 0; i < 8; ++i)
    graph.set("a" + std::to_string(i), "U8", {1}, {0});
  bytes = graph.bytes();
  std::string text = GraphFile::read(bytes, "g", error)->unusedTensors();
  EXPECT_NE(text.find("'a7' and 2 more"), std::string::npos) << text;
}

TEST(GraphFile, CountsEdgesWithinAClass) {
  auto homophilyOf = [](const TensorBytes &tensors) {
    std::string bytes = tensors.bytes(), error;
    auto file = GraphFile::read(bytes, "g", error);
    EXPECT_TRUE(file) << error;
    return file ? file->homophily() : -1;
  };
  TensorBytes graph = smallGraph();
  EXPECT_EQ(homophilyOf(graph), 0.25);
  graph.set("y", "U8", {3}, {1, 1, 0});
  EXPECT_EQ(homophilyOf(graph), 0.75);
  // Node 1 is of no class: of the other edges there is one loop alone.
  graph.set("y", "I8", {3}, {1, -1, 1});
  graph.set("val_mask", "BOOL", {3}, {0, 0, 0});
  EXPECT_EQ(homophilyOf(graph), 1.0);
  graph.set("edge_index", "I64", {2, 0}, {});
  EXPECT_TRUE(std::isnan(homophilyOf(graph)));
}

TEST(GraphFile, IsNotForTrainingWithoutTrainingNodes) {
  TensorBytes graph = smallGraph();
  std::string bytes = graph.bytes(), error;
  EXPECT_EQ(GraphFile::read(bytes, "g", error)->trainingError(), "");
  graph.set("train_mask", "BOOL", {3}, {0, 0, 0});
  bytes = graph.bytes();
  EXPECT_EQ(GraphFile::read(bytes, "g", error)->trainingError(),
            "the graph 'g' cannot be used for training: tensor 'train_mask' "
            "selects no node");
}

} // namespace
