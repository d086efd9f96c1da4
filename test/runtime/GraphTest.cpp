//===- GraphTest.cpp - Tests of graphs ------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/Graph.h"
#include <cmath>
#include <fstream>
#include <gtest/gtest.h>

using namespace tessera;

namespace {

// 0 -> 1, 2 -> 1, 1 -> 0, and an edge of 2 to itself.
const std::vector<int32_t> sources = {0, 2, 1, 2}, targets = {1, 1, 0, 2};

TEST(Adjacency, AddsSelfLoopsOnceAndNormalises) {
  Adjacency adjacency = buildAdjacency(3, sources, targets, true, true);
  EXPECT_EQ(adjacency.rows.rowPtr, (std::vector<int32_t>{0, 2, 5, 6}));
  EXPECT_EQ(adjacency.rows.col, (std::vector<int32_t>{0, 1, 0, 1, 2, 2}));
  // Edges into the nodes, with self-loops: 2, 3, 1.
  float expected[] = {1 / 2.0f, 1 / std::sqrt(6.0f), 1 / std::sqrt(6.0f),
                      1 / 3.0f, 1 / std::sqrt(3.0f), 1.0f};
  for (int i = 0; i < 6; ++i)
    EXPECT_FLOAT_EQ(adjacency.rows.weight[i], expected[i]) << i;
  EXPECT_EQ(adjacency.transpose.rowPtr, (std::vector<int32_t>{0, 2, 4, 6}));
  EXPECT_EQ(adjacency.transpose.col, (std::vector<int32_t>{0, 1, 0, 1, 1, 2}));
  EXPECT_FLOAT_EQ(adjacency.transpose.weight[4], 1 / std::sqrt(3.0f));
}

TEST(Adjacency, CanLeaveEdgesAsTheyAre) {
  Adjacency adjacency = buildAdjacency(3, sources, targets, false, false);
  EXPECT_EQ(adjacency.rows.rowPtr, (std::vector<int32_t>{0, 1, 3, 4}));
  EXPECT_EQ(adjacency.rows.col, (std::vector<int32_t>{1, 0, 2, 2}));
  for (float weight : adjacency.rows.weight)
    EXPECT_EQ(weight, 1.0f);
}

struct GraphFile {
  std::string x = "F32", xShape = "[3,2]";
  int64_t edges = 4, badEdge = 0;
  bool withMask = true;

  std::string write() const {
    std::string path = testing::TempDir() + "graph.safetensors";
    std::string data, header = "{";
    auto add = [&](const char *name, const std::string &type,
                   const std::string &shape, const void *bytes, size_t size) {
      header += (header.size() > 1 ? ",\"" : "\"") + std::string(name) +
                "\":{\"dtype\":\"" + type + "\",\"shape\":" + shape +
                ",\"data_offsets\":[" + std::to_string(data.size()) + "," +
                std::to_string(data.size() + size) + "]}";
      data.append(static_cast<const char *>(bytes), size);
    };
    float features[6] = {1, 2, 3, 4, 5, 6};
    int64_t edgeIndex[8] = {0, 2, 1, 2, 1, 1, badEdge, 2};
    int64_t y[3] = {1, 0, 1};
    bool train[3] = {true, false, true}, val[3] = {false, true, false},
         test[3] = {false, false, false};
    add("x", x, xShape, features, sizeof features);
    add("edge_index", "I64", "[2,4]", edgeIndex, sizeof edgeIndex);
    add("y", "I64", "[3]", y, sizeof y);
    add("train_mask", "BOOL", "[3]", train, 3);
    add("val_mask", "BOOL", "[3]", val, 3);
    if (withMask)
      add("test_mask", "BOOL", "[3]", test, 3);
    header += "}";
    uint64_t length = header.size();
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<char *>(&length), 8);
    file << header << data;
    return path;
  }
};

Manifest manifestOf() {
  Manifest manifest;
  manifest.model.kind = "gnn";
  manifest.model.nodes = 3;
  manifest.model.edges = 4;
  manifest.model.features = 2;
  manifest.model.classes = 2;
  return manifest;
}

TEST(Graph, FillsTheInputsOfARank) {
  Manifest manifest = manifestOf();
  std::string path = GraphFile().write();
  for (int rank = 0; rank < 2; ++rank) {
    auto source = openGraphBatches(manifest, path, rank, 2);
    EXPECT_FLOAT_EQ(source->scale({}), 0.5f);
    EXPECT_EQ(source->tokens({}), 0);
    int32_t targets[3];
    EXPECT_TRUE(source->fill({"targets", "i32", "begin", {3}, 0},
                             reinterpret_cast<char *>(targets), {}, 0));
    EXPECT_EQ(targets[0], rank == 0 ? 1 : -100);
    EXPECT_EQ(targets[1], -100);
    EXPECT_EQ(targets[2], rank == 1 ? 1 : -100);
    float features[6];
    EXPECT_TRUE(source->fill({"features", "f32", "load", {3, 2}, 0},
                             reinterpret_cast<char *>(features), {}, 0));
    EXPECT_EQ(features[5], 6.0f);
    // Room for a self-loop a node, though one exists already.
    int32_t columns[7] = {};
    EXPECT_TRUE(source->fill({"col_t", "i32", "load", {7}, 0},
                             reinterpret_cast<char *>(columns), {}, 0));
    EXPECT_EQ(columns[5], 2);
    char nothing;
    EXPECT_FALSE(
        source->fill({"other", "f32", "load", {1}, 0}, &nothing, {}, 0));
  }
}

TEST(GraphDeathTest, SaysWhatIsWrong) {
  auto fails = [](const GraphFile &file, const char *message) {
    std::string path = file.write();
    EXPECT_EXIT(Graph(manifestOf(), path), testing::ExitedWithCode(1), message);
  };
  GraphFile file;
  file.xShape = "[2,3]";
  fails(file, "tensor 'x' of the graph .* has shape .2, 3., the model was "
              "compiled for .3, 2.");
  file = GraphFile();
  file.withMask = false;
  fails(file, "has no tensor 'test_mask'");
  file = GraphFile();
  file.badEdge = 3;
  fails(file, "element 6 of tensor 'edge_index' .* is 3: it must lie in .0, 3");
  file = GraphFile();
  file.x = "I32";
  fails(file, "tensor 'x' .* has type I32");
}

} // namespace
