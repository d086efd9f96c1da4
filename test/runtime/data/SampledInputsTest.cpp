//===- SampledInputsTest.cpp - Tests of inputs that are sampled -----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/SampledInputs.h"
#include "runtime/program/SlotNames.h"
#include "test/runtime/data/ListedEdges.h"
#include <cstring>
#include <gtest/gtest.h>
#include <random>

using namespace tessera::runtime;

namespace {

using Ints = std::pmr::vector<int32_t>;

constexpr int64_t nodeCount = 40, edgeCount = 200;

/// Two layers whose means read the transpose of the last one, \p world ranks.
Manifest manifestOf(int world, int64_t accumulation) {
  Manifest manifest;
  manifest.model.kind = "gnn";
  manifest.model.nodes = nodeCount;
  manifest.model.edges = edgeCount;
  manifest.model.selfLoops = false;
  manifest.model.normalization = "mean";
  Training &training = manifest.training;
  training.world = world;
  training.sampling = {{3, 2}, 4, false};
  training.microBatch = 4;
  training.accumulation = accumulation;
  training.globalBatch = 4 * world * accumulation;
  std::vector<Slot> &inputs = manifest.programs["train"].inputs;
  auto add = [&](const std::string &name, int64_t elements,
                 const char *type = "i32") {
    inputs.push_back({name, type, "micro", {elements}, 0});
  };
  // 4 seeds, 12 in the first hop, 24 in the second: 40 nodes.
  add("nodes", 40);
  add("row_ptr.0", 17);
  add("col.0", 36);
  add("weight.0", 36, "f32");
  add("row_ptr.1", 5);
  add("col.1", 12);
  add("weight.1", 12, "f32");
  add("row_ptr_t.1", 17);
  add("col_t.1", 12);
  add("weight_t.1", 12, "f32");
  add("targets", 4);
  for (const char *count : {"count.0", "count.1", "count.2"})
    add(count, 1);
  return manifest;
}

struct Data {
  Data() {
    std::mt19937 random(1);
    Edges list;
    for (int i = 0; i < edgeCount; ++i)
      list.push_back({int32_t(random() % nodeCount),
                      int32_t(random() % nodeCount), float(random() % 5)});
    edges.emplace(nodeCount, list);
    for (int32_t i = 0; i < nodeCount; ++i)
      classes.push_back(100 + i);
  }
  SampledData rank(int64_t rank) const {
    return {*edges, classes, seeds, SampleOrder::Shuffled, 5, rank};
  }

  std::optional<ListedEdges> edges;
  Ints classes, seeds = {30, 31, 32, 33, 34, 35, 36, 37, 38, 39};
};

/// All inputs of a micro-batch, one after another.
std::vector<Ints> fillAll(SampledInputs &inputs, const Manifest &manifest,
                          int64_t position, int64_t micro) {
  std::vector<Ints> all;
  GlobalBatch batch{position, manifest.training.accumulation};
  for (const Slot &slot : manifest.programs.at("train").inputs) {
    // Words that a fill leaves are seen.
    Ints words(slot.elements(), -7);
    EXPECT_TRUE(inputs.fill(slot, reinterpret_cast<char *>(words.data()), batch,
                            micro));
    all.push_back(words);
  }
  return all;
}

TEST(SampledInputs, AreBlocksWithEndsThatRepeat) {
  Manifest manifest = manifestOf(1, 1);
  Data data;
  SampledInputs inputs(manifest, data.rank(0));
  inputs.start();
  MicroBatchSampler sampler = inputs.newSampler();
  SampledMicroBatch expected = inputs.reserve();
  // The last batch of an epoch of 10 has two seeds.
  for (int64_t position : {0, 4, 8, 12}) {
    std::vector<Ints> all = fillAll(inputs, manifest, position, 0);
    sampler.make(position, expected);
    const SampledGraph &graph = expected.graph;
    const SampledBlocks &blocks = expected.blocks;
    auto seeds = static_cast<int64_t>(expected.seeds.size());
    EXPECT_EQ(seeds, position == 8 ? 2 : 4);
    EXPECT_EQ(inputs.seedsOf({position, 1}), seeds);
    EXPECT_FLOAT_EQ(inputs.scale({position, 1}), 1.0f / float(seeds));
    auto expectPadded = [](const Ints &actual, const Ints &values,
                           int32_t beyond) {
      Ints padded = values;
      padded.resize(actual.size(), beyond);
      EXPECT_EQ(actual, padded);
    };
    expectPadded(all[0], graph.nodes, 0);
    expectPadded(all[1],
                 Ints(blocks.rowPtrs(), blocks.rowPtrs() + blocks.rows(0) + 1),
                 static_cast<int32_t>(blocks.entries(0)));
    expectPadded(all[2], Ints(blocks.cols(), blocks.cols() + blocks.entries(0)),
                 -7);
    expectPadded(all[4],
                 Ints(blocks.rowPtrs(), blocks.rowPtrs() + blocks.rows(1) + 1),
                 static_cast<int32_t>(blocks.entries(1)));
    const SparseRows &transpose = blocks.transpose(1);
    expectPadded(
        all[7],
        Ints(transpose.rowPtr, transpose.rowPtr + blocks.columns(1) + 1),
        static_cast<int32_t>(blocks.entries(1)));
    expectPadded(all[8], Ints(transpose.col, transpose.col + blocks.entries(1)),
                 -7);
    for (auto [i, weights, block] :
         std::vector<std::tuple<int, const float *, int64_t>>{
             {3, blocks.weights(), 0},
             {6, blocks.weights(), 1},
             {9, transpose.weight, 1}})
      EXPECT_EQ(memcmp(all[i].data(), weights, 4 * blocks.entries(block)), 0);
    Ints targets;
    for (int32_t seed : expected.seeds)
      targets.push_back(100 + seed);
    expectPadded(all[10], targets, -100);
    for (int hop : {0, 1, 2})
      EXPECT_EQ(all[11 + hop], Ints{int32_t(graph.counts[hop])});
  }
  char nothing;
  EXPECT_FALSE(
      inputs.fill({"other", "f32", "micro", {1}, 0}, &nothing, {0, 1}, 0));
}

TEST(SampledInputs, FirstBlocksMayHaveTheGraphsNodesAsColumns) {
  Manifest manifest = manifestOf(1, 1), whole = manifest;
  whole.programs["train"].inputs[2].name = "source.0";
  Data data;
  SampledInputs ofBlock(manifest, data.rank(0)), ofGraph(whole, data.rank(0));
  ofBlock.start();
  ofGraph.start();
  std::vector<Ints> all = fillAll(ofBlock, manifest, 4, 0);
  std::vector<Ints> other = fillAll(ofGraph, whole, 4, 0);
  const Ints &nodes = all[0];
  for (int32_t &col : all[2])
    if (col >= 0)
      col = nodes[col];
  EXPECT_EQ(other, all);
}

TEST(SampledInputs, RanksAreLikeAccumulation) {
  Manifest one = manifestOf(1, 4), two = manifestOf(2, 2);
  Data data;
  SampledInputs whole(one, data.rank(0)), first(two, data.rank(0)),
      second(two, data.rank(1));
  for (SampledInputs *inputs : {&whole, &first, &second})
    inputs->start();
  // An epoch is one step, whose last micro-batches are smaller or empty.
  for (int64_t position : {0, 16, 32})
    for (int64_t micro : {0, 1}) {
      EXPECT_EQ(fillAll(first, two, position, micro),
                fillAll(whole, one, position, micro));
      EXPECT_EQ(fillAll(second, two, position, micro),
                fillAll(whole, one, position, 2 + micro));
      EXPECT_EQ(second.scale({position, 2}), whole.scale({position, 4}));
    }
}

TEST(SampledInputs, NothingIsEmpty) {
  Manifest manifest = manifestOf(1, 4);
  Data data;
  SampledInputs inputs(manifest, data.rank(0));
  inputs.start();
  std::vector<Ints> all = fillAll(inputs, manifest, 0, 3);
  EXPECT_EQ(all[0], Ints(40, 0));
  EXPECT_EQ(all[1], Ints(17, 0));
  EXPECT_EQ(all[7], Ints(17, 0));
  EXPECT_EQ(all[10], Ints(4, -100));
  EXPECT_EQ(all[13], Ints(1, 0));
}

TEST(SampledInputs, SayWhatTheySample) {
  Manifest manifest = manifestOf(2, 1);
  Data data;
  auto rows = SampledInputs(manifest, data.rank(0)).settings(7);
  ASSERT_EQ(rows.size(), 5u);
  EXPECT_EQ(rows[0].second, "8 seeds (4 x 1 micro-batches x 2 ranks)");
  EXPECT_EQ(rows[1].second, "3, 2 edges into a node by hop, without "
                            "replacement");
  EXPECT_EQ(rows[2].second, "3.5 of 2 steps, each of 10 training nodes");
  EXPECT_NE(rows[3].second.find("in the mean of 2 micro-batches, room for 40 "
                                "and 36"),
            std::string::npos)
      << rows[3].second;
}

TEST(SampledInputs, RefuseRootsOfNegativeNumbers) {
  Manifest manifest = manifestOf(1, 1);
  manifest.model.normalization = "symmetric";
  Data data;
  ListedEdges negative(nodeCount, {{1, 2, 1}, {3, 2, -0.5}}, true);
  SampledData sampled = {negative, data.classes, data.seeds};
  EXPECT_EXIT(SampledInputs(manifest, sampled), testing::ExitedWithCode(1),
              "edge 3 -> 2 has the weight -0.5 in 'edge_weight', and "
              "normalization SYMMETRIC takes roots");
  manifest.model.normalization = "none";
  SampledInputs(manifest, sampled);
}

TEST(SampledInputs, RefuseTooLittleRoom) {
  Manifest manifest = manifestOf(1, 1);
  manifest.programs["train"].inputs[2].shape = {35};
  Data data;
  EXPECT_EXIT(SampledInputs(manifest, data.rank(0)), testing::ExitedWithCode(1),
              "input 'col.0' holds 35 elements, a sampled micro-batch has up "
              "to 36");
}

} // namespace
