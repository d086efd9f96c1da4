//===- SampleStream.cpp - Sampled micro-batches in a run's order ----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/SampleStream.h"
#include "runtime/core/Threads.h"
#include "runtime/data/Tokens.h"
#include <algorithm>
#include <utility>

namespace tessera::runtime {

SeedOrder::SeedOrder(std::span<const int32_t> nodes, int64_t globalBatch,
                     SampleOrder order, uint64_t seed)
    : nodes(nodes), globalBatch(globalBatch),
      epoch((nodeCount() + globalBatch - 1) / globalBatch * globalBatch),
      order(order), seed(seed) {}

int64_t SeedOrder::countAt(int64_t position, int64_t count) const {
  return std::clamp<int64_t>(nodeCount() - position % epoch, 0, count);
}

void SeedOrder::seedsAt(int64_t position, int64_t count,
                        std::pmr::vector<int32_t> &seeds) const {
  seeds.clear();
  int64_t first = position / epoch * nodeCount() + position % epoch;
  count = countAt(position, count);
  for (int64_t i = 0; i < count; ++i)
    seeds.push_back(nodes[sampleAt(order, first + i, nodeCount(), seed)]);
}

int64_t SampledMicroBatch::bytes() const {
  size_t words = seeds.capacity() + graph.nodes.capacity() +
                 graph.rowPtr.capacity() + graph.source.capacity() +
                 graph.weight.capacity();
  return blocks.bytes() + 4 * static_cast<int64_t>(words);
}

MicroBatchSampler::MicroBatchSampler(const InEdges &edges, SeedOrder order,
                                     const Sampling &sampling, uint64_t seed,
                                     Memory memory)
    : seeds(order), batch(sampling.batch),
      sampler(edges, {sampling.fanOut, sampling.replace}, seed, memory) {}

SampledMicroBatch
MicroBatchSampler::reserve(const SampleRoom &room, AdjacencyForm form,
                           const std::vector<bool> &transposed,
                           Memory memory) const {
  SampledMicroBatch result{-1, std::pmr::vector<int32_t>(memory),
                           SampledGraph::in(memory),
                           SampledBlocks(form, transposed, memory)};
  size_t hops = room.layers();
  int64_t nodes = room.nodesWithin(hops), edges = room.edgesWithin(hops - 1);
  result.seeds.reserve(batch);
  result.graph.counts.reserve(hops + 1);
  result.graph.nodes.reserve(nodes);
  result.graph.rowPtr.reserve(room.nodesWithin(hops - 1) + 1);
  result.graph.source.reserve(edges);
  result.graph.weight.reserve(edges);
  std::vector<int64_t> entries;
  for (size_t layer = 0; layer < hops; ++layer)
    entries.push_back(room.block(layer, form.selfLoops).entries);
  result.blocks.reserve(nodes, room.nodesWithin(hops - 1), entries);
  return result;
}

void MicroBatchSampler::sample(int64_t position, SampledMicroBatch &result) {
  result.position = position;
  seeds.seedsAt(position, batch, result.seeds);
  sampler.sample(result.seeds, position, result.graph);
}

void MicroBatchSampler::make(int64_t position, SampledMicroBatch &result) {
  sample(position, result);
  result.blocks.build(result.graph);
}

SampleAhead::SampleAhead(MicroBatchSampler &sampler, SampledMicroBatch first,
                         SampledMicroBatch second)
    : sampler(sampler), batches{std::move(first), std::move(second)},
      thread([this] { work(); }) {}

SampleAhead::~SampleAhead() {
  {
    std::lock_guard lock(mutex);
    quits = true;
    changed.notify_all();
  }
  thread.join();
}

void SampleAhead::work() {
  leaveSignalsToOthers();
  std::unique_lock lock(mutex);
  for (;;) {
    changed.wait(lock, [&] { return busy || quits; });
    if (quits)
      return;
    SampledMicroBatch &batch = batches[1 - taken];
    int64_t position = wanted;
    lock.unlock();
    sampler.make(position, batch);
    lock.lock();
    busy = false;
    changed.notify_all();
  }
}

void SampleAhead::start(int64_t position) {
  std::lock_guard lock(mutex);
  wanted = position;
  busy = true;
  changed.notify_all();
}

void SampleAhead::wait() {
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return !busy; });
}

const SampledMicroBatch &SampleAhead::take(int64_t position, int64_t next) {
  if (batches[taken].position == position)
    return batches[taken];
  wait();
  if (batches[1 - taken].position != position) {
    start(position);
    wait();
  }
  taken = 1 - taken;
  start(next);
  return batches[taken];
}

} // namespace tessera::runtime
