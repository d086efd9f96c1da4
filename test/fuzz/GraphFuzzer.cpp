//===- GraphFuzzer.cpp - Graphs that may be anything ----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A file is refused with a reason, or its features, edges, classes and splits
// are what GraphFile.h promises, and edges become rows that a kernel can walk.
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Subgraph.h"
#include "runtime/data/Adjacency.h"
#include "runtime/data/Features.h"
#include "runtime/data/GraphFile.h"
#include "runtime/data/SampleRoom.h"
#include "runtime/data/SampledBlocks.h"
#include "test/fuzz/Exit.h"
#include "test/fuzz/TensorFile.h"
#include <algorithm>
#include <cmath>
#include <numeric>

using namespace tessera::runtime;
using namespace tessera::fuzz;

static constexpr const char *names[] = {
    "x",        "edge_index", "y",         "train_mask",
    "val_mask", "test_mask",  "edge_attr", "edge_weight",
    "x.indptr", "x.indices",  "x.values"};
const std::span<const char *const> tessera::fuzz::tensorNames = names;

/// A limit on what inputs of some kilobytes may ask for.
static constexpr int64_t mostElements = 1 << 20;

namespace {

struct RowMemory {
  std::vector<int32_t> rowPtr, col;
  std::vector<float> weight;
  RowMemory(int64_t nodes, int64_t edges)
      : rowPtr(nodes + 1), col(edges), weight(edges) {}
  SparseRows rows() { return {rowPtr.data(), col.data(), weight.data()}; }

  /// As compressed rows with \p columns columns.
  void check(int64_t columns) const {
    auto nodes = static_cast<int64_t>(rowPtr.size()) - 1;
    require(rowPtr.front() == 0 &&
                rowPtr.back() == static_cast<int64_t>(col.size()) &&
                std::is_sorted(rowPtr.begin(), rowPtr.end()),
            "rows follow one another");
    for (int64_t node = 0; node < nodes; ++node)
      require(std::is_sorted(col.begin() + rowPtr[node],
                             col.begin() + rowPtr[node + 1]),
              "columns ascend in a row");
    for (size_t i = 0; i < col.size(); ++i)
      require(col[i] >= 0 && col[i] < columns && !std::isnan(weight[i]),
              "a column exists and has a weight");
  }
};

} // namespace

static void checkFeatures(const GraphFile &file) {
  int64_t columns = file.shape().features + (file.hasSparseFeatures() ? 1 : 0);
  int64_t count = file.shape().nodes * columns;
  if (count > mostElements)
    return;
  std::vector<float> features(count);
  file.copyFeatures(columns, features.data());
  require(std::all_of(features.begin(), features.end(),
                      [](float value) { return std::isfinite(value); }),
          "features are finite");
  FeatureForm form = {columns, /*normalize=*/true};
  int64_t entries = file.featureEntries();
  if (entries > mostElements || !sparseFeaturesError(file, form).empty())
    return;
  RowMemory rows(file.shape().nodes, entries), transpose(columns, entries);
  copySparseFeatures(file, form, rows.rows(), transpose.rows());
  transpose.check(file.shape().nodes);
}

static void checkEdges(const GraphFile &file) {
  int64_t count = 0, nodes = file.shape().nodes;
  file.forEdges([&](const EdgeBlock &block) {
    count += block.count;
    for (int64_t i = 0; i < block.count; ++i)
      require(block.source[i] >= 0 && block.source[i] < nodes &&
                  block.target[i] >= 0 && block.target[i] < nodes &&
                  std::isfinite(block.weight[i]),
              "an edge lies between nodes and has a weight");
  });
  require(count == file.shape().edges, "edges are counted");
}

static void checkSplits(const GraphFile &file) {
  std::vector<int32_t> labels = file.labels();
  require(static_cast<int64_t>(labels.size()) == file.shape().nodes,
          "each node has a class or none");
  for (const char *name : {"train", "val", "test"}) {
    std::vector<int32_t> split = file.split(name);
    require(std::is_sorted(split.begin(), split.end(), std::less_equal<>()) ||
                split.size() < 2,
            "a split is ascending");
    for (int32_t node : split)
      require(node >= 0 && node < file.shape().nodes && labels[node] >= 0 &&
                  labels[node] < file.shape().classes,
              "a node of a split has a class");
  }
}

static void checkAdjacency(const EdgeSource &source, AdjacencyForm form) {
  NodeWeights nodes;
  std::string error;
  if (!weighNodes(source, form, nodes, error))
    return require(!error.empty(), "a refusal has a reason");
  // What the file has of self-loops is not doubled.
  int64_t count = source.nodeCount(), edges = countAdjacency(source, form);
  RowMemory rows(count, edges), transpose(count, edges);
  buildAdjacency(source, form, nodes, rows.rows(), transpose.rows());
  rows.check(count);
  transpose.check(count);
}

/// What an audit makes of a graph.
static void checkSubgraphs(const GraphFile &file) {
  std::vector<int32_t> half;
  for (int64_t node = file.shape().nodes - 1; node >= 0; node -= 2)
    half.push_back(static_cast<int32_t>(node));
  InducedEdges induced(file, half);
  SampledEdges sampled(file, 2, 1, 1), both(induced, 1, 1, 1);
  for (const EdgeSource *source :
       std::initializer_list<const EdgeSource *>{&induced, &sampled, &both})
    for (bool selfLoops : {false, true})
      checkAdjacency(*source, {selfLoops, /*symmetric=*/true});
  std::vector<int64_t> kept = inDegrees(sampled), all = inDegrees(file);
  for (size_t node = 0; node < all.size(); ++node)
    require(kept[node] == std::min<int64_t>(2, all[node]),
            "two neighbours are kept, or all");
}

/// What training on sampled neighbourhoods makes of a graph.
static void checkNeighborhoods(const GraphFile &file) {
  InEdges edges(file, file.weightName());
  std::vector<int32_t> seeds(std::min<int64_t>(3, file.shape().nodes));
  std::iota(seeds.begin(), seeds.end(), 0);
  SampledGraph graph;
  for (bool replace : {false, true}) {
    FanOut fanOut{{2, -1}, replace};
    SampleRoom room(SampleSizes{file.shape().nodes, file.shape().edges,
                                fanOut.counts, std::ssize(seeds), replace});
    NeighborSampler(edges, fanOut, 1).sample(seeds, 7, graph);
    for (size_t hop = 0; hop < graph.counts.size(); ++hop)
      require(graph.counts[hop] <= room.nodesWithin(hop), "nodes have room");
    for (bool selfLoops : {false, true})
      for (bool mean : {false, true}) {
        SampledBlocks blocks({selfLoops, /*symmetric=*/false, mean},
                             {true, true});
        blocks.build(graph);
        for (int64_t layer : {0, 1}) {
          BlockRoom most = room.block(layer, selfLoops);
          require(blocks.rows(layer) <= most.rows &&
                      blocks.columns(layer) <= most.columns &&
                      blocks.entries(layer) <= most.entries,
                  "a block has room");
          const SparseRows &transpose = blocks.transpose(layer);
          RowMemory copy(blocks.columns(layer), blocks.entries(layer));
          std::copy_n(transpose.rowPtr, copy.rowPtr.size(),
                      copy.rowPtr.begin());
          std::copy_n(transpose.col, copy.col.size(), copy.col.begin());
          std::copy_n(transpose.weight, copy.col.size(), copy.weight.begin());
          copy.check(blocks.rows(layer));
        }
      }
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string error;
  auto file = GraphFile::read({reinterpret_cast<const char *>(data), size},
                              "graph", error);
  if (!file) {
    require(!error.empty(), "a refusal has a reason");
    return 0;
  }
  checkFeatures(*file);
  checkEdges(*file);
  checkSplits(*file);
  file->trainingError();
  file->unusedTensors();
  for (bool selfLoops : {false, true})
    for (bool symmetric : {false, true})
      checkAdjacency(*file, {selfLoops, symmetric});
  checkSubgraphs(*file);
  checkNeighborhoods(*file);
  file->release();
  return 0;
}
