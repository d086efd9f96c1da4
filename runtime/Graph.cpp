//===- Graph.cpp - A graph and its splits ---------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/Graph.h"
#include "runtime/Error.h"
#include "runtime/Safetensors.h"
#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstring>
#include <numeric>
#include <tuple>

namespace tessera {

static constexpr const char *splitNames[3] = {"train", "val", "test"};
/// The class of a node that does not count.
static constexpr int32_t ignoredTarget = -100;

/// Sorts the edges by row, then column, keeping the order of equal ones.
static SparseRows compress(int64_t nodes, const std::vector<int32_t> &row,
                           const std::vector<int32_t> &column,
                           const std::vector<float> &weight) {
  std::vector<int64_t> order(row.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return std::tie(row[a], column[a], a) < std::tie(row[b], column[b], b);
  });
  SparseRows rows;
  rows.rowPtr.assign(nodes + 1, 0);
  for (int64_t edge : order) {
    ++rows.rowPtr[row[edge] + 1];
    rows.col.push_back(column[edge]);
    rows.weight.push_back(weight[edge]);
  }
  std::partial_sum(rows.rowPtr.begin(), rows.rowPtr.end(), rows.rowPtr.begin());
  return rows;
}

Adjacency buildAdjacency(int64_t nodes, const std::vector<int32_t> &sources,
                         const std::vector<int32_t> &targets, bool selfLoops,
                         bool symmetric) {
  std::vector<int32_t> from, to;
  for (size_t i = 0; i < sources.size(); ++i)
    if (!selfLoops || sources[i] != targets[i]) {
      from.push_back(sources[i]);
      to.push_back(targets[i]);
    }
  if (selfLoops)
    for (int32_t node = 0; node < nodes; ++node) {
      from.push_back(node);
      to.push_back(node);
    }
  std::vector<float> factor(nodes, 1.0f), weight(from.size(), 1.0f);
  if (symmetric) {
    std::vector<int32_t> degree(nodes, 0);
    for (int32_t target : to)
      ++degree[target];
    for (int64_t node = 0; node < nodes; ++node)
      factor[node] =
          degree[node] ? 1.0f / std::sqrt(static_cast<float>(degree[node])) : 0;
    for (size_t i = 0; i < from.size(); ++i)
      weight[i] = factor[from[i]] * factor[to[i]];
  }
  return {compress(nodes, to, from, weight), compress(nodes, from, to, weight)};
}

namespace {

/// Reads the tensors of a graph's file and knows how to complain.
class GraphReader {
public:
  explicit GraphReader(const SafetensorsFile &file) : file(file) {}

  const Tensor &tensor(const char *name, const std::vector<int64_t> &shape) {
    const Tensor *found = file.find(name);
    if (!found)
      fatal("the graph '%s' has no tensor '%s'", file.path().c_str(), name);
    if (found->shape != shape)
      fatal("tensor '%s' of the graph '%s' has shape %s, the model was "
            "compiled for %s: compile it with this graph's sizes",
            name, file.path().c_str(), shapeText(found->shape).c_str(),
            shapeText(shape).c_str());
    return *found;
  }

  std::vector<int32_t>
  integers(const char *name, const std::vector<int64_t> &shape, int64_t limit) {
    const Tensor &found = tensor(name, shape);
    bool wide = found.dtype == "I64",
         flag = found.dtype == "BOOL" || found.dtype == "U8";
    if (!wide && !flag && found.dtype != "I32")
      fatal("tensor '%s' of the graph '%s' has type %s: I64, I32 or BOOL is "
            "wanted",
            name, file.path().c_str(), found.dtype.c_str());
    std::vector<int32_t> values(found.elements());
    for (size_t i = 0; i < values.size(); ++i) {
      int64_t value = 0;
      if (wide)
        memcpy(&value, found.data + 8 * i, 8);
      else if (flag)
        value = found.data[i] != 0;
      else {
        int32_t narrow;
        memcpy(&narrow, found.data + 4 * i, 4);
        value = narrow;
      }
      if (value < 0 || value >= limit)
        fatal("element %zu of tensor '%s' of the graph '%s' is %" PRId64
              ": it must lie in [0, %" PRId64 ")",
              i, name, file.path().c_str(), value, limit);
      values[i] = static_cast<int32_t>(value);
    }
    return values;
  }

private:
  const SafetensorsFile &file;
};

} // namespace

Graph::Graph(const Manifest &manifest, const std::string &path)
    : filePath(path), nodes(manifest.model.nodes) {
  const Model &model = manifest.model;
  std::string error;
  file = SafetensorsFile::open(path, error);
  if (!file)
    fatal("%s", error.c_str());
  GraphReader reader(*file);
  features = &reader.tensor("x", {nodes, model.features});
  if (!copyAsFloat(*features, 0, 0, nullptr))
    fatal("tensor 'x' of the graph '%s' has type %s: F32, BF16 or F16 is "
          "wanted",
          path.c_str(), features->dtype.c_str());
  std::vector<int32_t> edges =
      reader.integers("edge_index", {2, model.edges}, nodes);
  adjacency =
      buildAdjacency(nodes, {edges.begin(), edges.begin() + model.edges},
                     {edges.begin() + model.edges, edges.end()},
                     model.selfLoops, model.normalization == "symmetric");
  classes = reader.integers("y", {nodes}, model.classes);
  for (int i = 0; i < 3; ++i) {
    std::string name = std::string(splitNames[i]) + "_mask";
    std::vector<int32_t> mask = reader.integers(name.c_str(), {nodes}, 2);
    for (int32_t node = 0; node < nodes; ++node)
      if (mask[node])
        splits[i].push_back(node);
  }
}

const std::vector<int32_t> &Graph::split(const std::string &name) const {
  for (int i = 0; i < 3; ++i)
    if (name == splitNames[i])
      return splits[i];
  fatal("internal error: no split '%s'", name.c_str());
}

template <typename Element>
static void put(const Slot &slot, char *address,
                const std::vector<Element> &values) {
  if (static_cast<int64_t>(values.size()) > slot.elements())
    fatal("input '%s' holds %" PRId64 " elements, the graph has %zu",
          slot.name.c_str(), slot.elements(), values.size());
  memcpy(address, values.data(), values.size() * sizeof(Element));
}

bool Graph::fill(const Slot &slot, char *address) const {
  bool transposed = slot.name.ends_with("_t");
  const SparseRows &rows = transposed ? adjacency.transpose : adjacency.rows;
  std::string name =
      transposed ? slot.name.substr(0, slot.name.size() - 2) : slot.name;
  if (name == "row_ptr")
    put(slot, address, rows.rowPtr);
  else if (name == "col")
    put(slot, address, rows.col);
  else if (name == "weight")
    put(slot, address, rows.weight);
  else if (slot.name == "features") {
    copyAsFloat(*features, 0, features->elements(),
                reinterpret_cast<float *>(address));
    SafetensorsFile::release(*features);
  } else
    return false;
  return true;
}

void Graph::fillTargets(const Slot &slot, char *address,
                        const std::string &splitName, int64_t begin,
                        int64_t end) const {
  auto *targets = reinterpret_cast<int32_t *>(address);
  std::fill_n(targets, slot.elements(), ignoredTarget);
  const std::vector<int32_t> &members = split(splitName);
  for (int64_t i = begin; i < end; ++i)
    targets[members[i]] = classes[members[i]];
}

namespace {

/// A global batch is the whole graph; the training nodes are dealt to ranks
/// and micro-batches in contiguous shares.
class GraphBatches final : public BatchSource {
public:
  GraphBatches(const Manifest &manifest, const std::string &path, int rank,
               int ranks)
      : graph(manifest, path), rank(rank), ranks(ranks),
        count(graph.split("train").size()) {
    if (count == 0)
      fatal("train_mask of the graph '%s' selects no node", path.c_str());
  }

  bool fill(const Slot &slot, char *address, const GlobalBatch &batch,
            int64_t micro) override {
    if (slot.name != "targets")
      return graph.fill(slot, address);
    int64_t share = rank * batch.microBatches + micro;
    int64_t shares = ranks * batch.microBatches;
    graph.fillTargets(slot, address, "train", count * share / shares,
                      count * (share + 1) / shares);
    return true;
  }

  float scale(const GlobalBatch &) const override {
    return static_cast<float>(1.0 / count);
  }
  int64_t tokens(const GlobalBatch &) const override { return 0; }
  std::optional<DataFingerprint> fingerprint() const override {
    std::string error;
    std::unique_ptr<InputFile> content =
        InputFile::open(graph.path(), "the graph ", error);
    if (!content)
      fatal("%s", error.c_str());
    return fingerprintOf(*content, {});
  }
  std::string describe() const override {
    return graph.path() + " (" + std::to_string(count) + " training nodes, " +
           std::to_string(graph.split("val").size()) + " for validation, " +
           std::to_string(graph.split("test").size()) + " for the test)";
  }

private:
  Graph graph;
  int64_t rank, ranks, count;
};

} // namespace

std::unique_ptr<BatchSource> openGraphBatches(const Manifest &manifest,
                                              const std::string &path, int rank,
                                              int ranks) {
  return std::make_unique<GraphBatches>(manifest, path, rank, ranks);
}

} // namespace tessera
