//===- SampledInputs.cpp - Inputs that are sampled neighbourhoods ---------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/SampledInputs.h"
#include "runtime/core/Error.h"
#include "runtime/core/Text.h"
#include "runtime/data/Graph.h"
#include "runtime/program/SlotNames.h"
#include <algorithm>
#include <cinttypes>
#include <cstdio>

namespace tessera::runtime {

/// Exits the process where roots of sums of some of \p edges' weights may be
/// taken of negative numbers: which of them are drawn nobody knows.
static void requireRoots(const EdgeSource &edges, AdjacencyForm form) {
  if (!edges.weightName() || !form.symmetric)
    return;
  edges.forEdges([&](const EdgeBlock &block) {
    for (int64_t i = 0; i < block.count; ++i)
      if (block.weight[i] < 0)
        fatal("the graph '%s' cannot be sampled: its edge %d -> %d has the "
              "weight %g in '%s', and normalization SYMMETRIC takes roots of "
              "sums of those drawn; change it, or give normalization: NONE",
              edges.path().c_str(), block.source[i], block.target[i],
              block.weight[i], edges.weightName());
  });
  edges.release();
}

SampledInputs::SampledInputs(const Manifest &manifest, const SampledData &data)
    : training(manifest.training), sampling(*training.sampling),
      form(adjacencyFormOf(manifest.model)),
      room({manifest.model.nodes, manifest.model.edges, sampling.fanOut,
            sampling.batch, sampling.replace}),
      classes(data.classes), rank(data.rank), seed(data.seed),
      seeds(data.seeds, training.globalBatch, data.order, data.seed),
      memoryBytes(std::ssize(data.memory)),
      memory(data.memory.data(), data.memory.size()),
      edges(data.edges, data.edges.weightName() && form.readsWeights(),
            resource()),
      transposed(sampling.fanOut.size()),
      sampler(edges, seeds, sampling, data.seed, resource()) {
  requireRoots(data.edges, form);
  findInputs(manifest.program("train"));
}

void SampledInputs::findInputs(const Program &program) {
  inputs[slotNames::nodes] = {Array::Nodes};
  inputs[slotNames::targets] = {Array::Targets};
  auto layers = static_cast<int64_t>(transposed.size());
  for (int64_t hop = 0; hop <= layers; ++hop)
    inputs[slotNames::countWithin(hop)] = {Array::Count, hop};
  inputs[slotNames::ofBlock(slotNames::source, 0)] = {Array::Source};
  for (int64_t layer = 0; layer < layers; ++layer)
    for (int i = 0; i < std::ssize(slotNames::edgeNames); ++i) {
      static constexpr Array arrays[] = {Array::RowPtr, Array::Col,
                                         Array::Weight};
      inputs[slotNames::ofBlock(slotNames::edgeNames[i], layer)] = {
          arrays[i % 3], layer, i >= 3};
    }
  for (const Slot &slot : program.inputs) {
    auto found = inputs.find(slot.name);
    if (found == inputs.end())
      continue;
    const Input &input = found->second;
    if (input.transposed)
      transposed[input.index] = true;
    if (slot.elements() < most(input))
      fatal("input '%s' holds %" PRId64 " elements, a sampled micro-batch has "
            "up to %" PRId64 ": compile the specification again with this "
            "version of tessera",
            slot.name.c_str(), slot.elements(), most(input));
  }
}

int64_t SampledInputs::most(const Input &input) const {
  switch (input.array) {
  case Array::Nodes:
    return room.nodesWithin(room.layers());
  case Array::Targets:
    return sampling.batch;
  case Array::Count:
    return 1;
  case Array::RowPtr: {
    BlockRoom block = room.block(input.index, form.selfLoops);
    return 1 + (input.transposed ? block.columns : block.rows);
  }
  case Array::Col:
  case Array::Weight:
  case Array::Source:
    return room.block(input.index, form.selfLoops).entries;
  }
  return 0;
}

int64_t SampledInputs::seedsOf(const GlobalBatch &batch) const {
  return seeds.countAt(batch.position, training.globalBatch);
}

/// Writes \p values to \p address, and \p beyond to the rest of \p slot.
template <typename Element>
static void copyPadded(const Slot &slot, char *address,
                       std::span<const Element> values, Element beyond) {
  auto *elements = reinterpret_cast<Element *>(address);
  std::fill(std::copy(values.begin(), values.end(), elements),
            elements + slot.elements(), beyond);
}

bool SampledInputs::fill(const Slot &slot, char *address,
                         const GlobalBatch &batch, int64_t micro) {
  // Is where all of this lies.
  if (slot.name == slotNames::sampleRoom)
    return true;
  auto found = inputs.find(slot.name);
  if (found == inputs.end())
    return false;
  int64_t first = batch.position + rank * batch.microBatches * sampling.batch;
  int64_t position = first + micro * sampling.batch;
  int64_t next = micro + 1 < batch.microBatches ? position + sampling.batch
                                                : first + training.globalBatch;
  const SampledMicroBatch &sampled = ahead->take(position, next);
  const SampledGraph &graph = sampled.graph;
  const SampledBlocks &blocks = sampled.blocks;
  const Input &input = found->second;
  int64_t layer = input.index;
  // What lies beyond the end of compressed rows is not read.
  auto copy = [&](const auto *values, int64_t count) {
    std::copy_n(
        values, count,
        reinterpret_cast<
            std::remove_const_t<std::remove_pointer_t<decltype(values)>> *>(
            address));
  };
  switch (input.array) {
  case Array::Nodes:
    copyPadded<int32_t>(slot, address, graph.nodes, 0);
    break;
  case Array::Targets: {
    auto *targets = reinterpret_cast<int32_t *>(address);
    std::fill_n(targets, slot.elements(), ignoredTarget);
    for (size_t i = 0; i < sampled.seeds.size(); ++i)
      targets[i] = classes[sampled.seeds[i]];
    break;
  }
  case Array::Count: {
    auto count = static_cast<int32_t>(graph.counts[input.index]);
    copy(&count, 1);
    break;
  }
  case Array::RowPtr: {
    const int32_t *rowPtr =
        input.transposed ? blocks.transpose(layer).rowPtr : blocks.rowPtrs();
    int64_t rows =
        input.transposed ? blocks.columns(layer) : blocks.rows(layer);
    copyPadded<int32_t>(slot, address, {rowPtr, size_t(rows) + 1},
                        rowPtr[rows]);
    break;
  }
  case Array::Col:
    copy(input.transposed ? blocks.transpose(layer).col : blocks.cols(),
         blocks.entries(layer));
    break;
  case Array::Source: {
    auto *sources = reinterpret_cast<int32_t *>(address);
    const int32_t *cols = blocks.cols();
    for (int64_t i = 0; i < blocks.entries(layer); ++i)
      sources[i] = graph.nodes[cols[i]];
    break;
  }
  case Array::Weight:
    copy(input.transposed ? blocks.transpose(layer).weight : blocks.weights(),
         blocks.entries(layer));
    break;
  }
  return true;
}

std::vector<std::pair<std::string, std::string>>
SampledInputs::settings(int64_t steps) const {
  std::string fanOut;
  for (int64_t count : sampling.fanOut)
    fanOut += (fanOut.empty() ? "" : ", ") +
              (count < 0 ? "all" : std::to_string(count));
  char text[256];
  std::vector<std::pair<std::string, std::string>> rows;
  snprintf(text, sizeof text,
           "%" PRId64 " seeds (%" PRId64 " x %" PRId64
           " micro-batches x %d ranks)",
           training.globalBatch, sampling.batch, training.accumulation,
           training.world);
  rows.push_back({"batch", text});
  rows.push_back({"sampling", fanOut + " edges into a node by hop, with" +
                                  (sampling.replace ? "" : "out") +
                                  " replacement"});
  int64_t perEpoch = seeds.stepsPerEpoch();
  snprintf(text, sizeof text,
           "%.4g of %" PRId64 " step%s, each of %" PRId64 " training nodes",
           static_cast<double>(steps) / static_cast<double>(perEpoch), perEpoch,
           perEpoch == 1 ? "" : "s", seeds.nodeCount());
  rows.push_back({"epochs", text});
  // The first of the run's micro-batches that are full.
  int64_t count =
      std::clamp<int64_t>(seeds.nodeCount() / sampling.batch, 1, 16);
  double nodes = 0, drawn = 0;
  MicroBatchSampler other = newSampler();
  SampledMicroBatch sampled = reserve();
  for (int64_t i = 0; i < count; ++i) {
    other.sample(i * sampling.batch, sampled);
    nodes += static_cast<double>(sampled.graph.counts.back());
    drawn += static_cast<double>(sampled.graph.edges());
  }
  size_t hops = room.layers();
  snprintf(text, sizeof text,
           "%s nodes and %s edges in the mean of %" PRId64
           " micro-batch%s, room for %s and %s",
           countText(static_cast<int64_t>(nodes) / count).c_str(),
           countText(static_cast<int64_t>(drawn) / count).c_str(), count,
           count == 1 ? "" : "es", countText(room.nodesWithin(hops)).c_str(),
           countText(room.edgesWithin(hops - 1)).c_str());
  rows.push_back({"sampled", text});
  int64_t bytes = sampler.bytes() + 2 * sampled.bytes();
  auto textOf = [](int64_t count) {
    return byteText(static_cast<double>(count));
  };
  std::string where = textOf(bytes) + " per rank, with two micro-batches, ";
  if (memoryBytes == 0)
    where += "beside the arena";
  else
    where += "in the arena";
  if (memoryBytes != 0 && bytes > memoryBytes)
    where += " but for " + textOf(bytes - memoryBytes);
  rows.push_back({"edges", where});
  return rows;
}

namespace {

class SampledGraphBatches final : public BatchSource {
public:
  SampledGraphBatches(const Manifest &manifest, const std::string &path,
                      SampleOrder order, uint64_t seed, int rank,
                      std::span<char> memory)
      : graph(manifest, path) {
    if (std::string error = graph.trainingError(); !error.empty())
      fatal("%s", error.c_str());
    inputs.emplace(manifest, SampledData{graph.edges(), graph.labels(),
                                         graph.split("train"), order, seed,
                                         rank, memory});
  }

  const Slot *load(const tessera_context &context,
                   const std::vector<const Slot *> &slots) override {
    inputs->start();
    return graph.load(context, slots);
  }
  bool fill(const Slot &slot, char *address, const GlobalBatch &batch,
            int64_t micro) override {
    return inputs->fill(slot, address, batch, micro);
  }
  float scale(const GlobalBatch &batch) const override {
    return inputs->scale(batch);
  }
  int64_t tokens(const GlobalBatch &) const override { return 0; }
  int64_t seeds(const GlobalBatch &batch) const override {
    return inputs->seedsOf(batch);
  }
  double epochs(int64_t position) const override {
    return inputs->epochs(position);
  }
  std::optional<DataFingerprint> fingerprint() const override {
    return graph.fingerprint();
  }
  std::string describeGraph() const override { return graph.describeShape(); }
  std::string describe() const override { return graph.describe(); }
  std::vector<std::pair<std::string, std::string>>
  settings(int64_t steps) const override {
    return inputs->settings(steps);
  }

private:
  Graph graph;
  std::optional<SampledInputs> inputs;
};

} // namespace

std::unique_ptr<BatchSource> openSampledBatches(const Manifest &manifest,
                                                const std::string &path,
                                                SampleOrder order,
                                                uint64_t seed, int rank,
                                                std::span<char> memory) {
  return std::make_unique<SampledGraphBatches>(manifest, path, order, seed,
                                               rank, memory);
}

} // namespace tessera::runtime
