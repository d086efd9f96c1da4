//===- SampleStreamTest.cpp - Tests of micro-batches in a run's order -----===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/SampleStream.h"
#include "test/runtime/data/ListedEdges.h"
#include <algorithm>
#include <gtest/gtest.h>
#include <random>

using namespace tessera::runtime;

namespace {

using Ints = std::pmr::vector<int32_t>;

Ints seedsAt(const SeedOrder &order, int64_t position, int64_t count) {
  Ints seeds;
  order.seedsAt(position, count, seeds);
  return seeds;
}

TEST(SeedOrder, AnEpochEndsInWhatIsLeft) {
  Ints nodes = {3, 5, 7, 11, 13};
  SeedOrder order(nodes, 4, SampleOrder::Sequential, 1);
  EXPECT_EQ(order.stepsPerEpoch(), 2);
  EXPECT_EQ(seedsAt(order, 0, 2), (Ints{3, 5}));
  EXPECT_EQ(seedsAt(order, 2, 2), (Ints{7, 11}));
  EXPECT_EQ(seedsAt(order, 4, 2), (Ints{13}));
  EXPECT_EQ(seedsAt(order, 6, 2), Ints());
  EXPECT_EQ(seedsAt(order, 8, 2), (Ints{3, 5}));
  EXPECT_EQ(order.countAt(0, 4), 4);
  EXPECT_EQ(order.countAt(4, 4), 1);
  EXPECT_EQ(order.countAt(12, 4), 1);
}

TEST(SeedOrder, EpochsAreOtherPermutations) {
  Ints nodes;
  for (int32_t i = 0; i < 50; ++i)
    nodes.push_back(2 * i);
  SeedOrder order(nodes, 8, SampleOrder::Shuffled, 7);
  EXPECT_EQ(order.stepsPerEpoch(), 7);
  std::vector<Ints> epochs;
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    Ints all;
    for (int64_t step = 0; step < 7; ++step) {
      Ints some = seedsAt(order, 8 * (7 * epoch + step), 8);
      EXPECT_EQ(std::ssize(some), step == 6 ? 2 : 8);
      all.insert(all.end(), some.begin(), some.end());
    }
    for (const Ints &other : epochs)
      EXPECT_NE(all, other);
    epochs.push_back(all);
    std::sort(all.begin(), all.end());
    EXPECT_EQ(all, nodes);
  }
  SeedOrder again(nodes, 8, SampleOrder::Shuffled, 7),
      other(nodes, 8, SampleOrder::Shuffled, 8);
  EXPECT_EQ(seedsAt(again, 72, 8), seedsAt(order, 72, 8));
  EXPECT_NE(seedsAt(other, 72, 8), seedsAt(order, 72, 8));
  // A run of other global batches sees the first epoch in the same order.
  SeedOrder larger(nodes, 16, SampleOrder::Shuffled, 7);
  EXPECT_EQ(larger.stepsPerEpoch(), 4);
  EXPECT_EQ(seedsAt(larger, 40, 8), seedsAt(order, 40, 8));
}

/// What samples from a graph of 100 nodes.
struct Sampled {
  explicit Sampled(uint64_t seed = 3) : sampler(edges, order, sampling, seed) {}

  static ListedEdges listed() {
    std::mt19937 random(1);
    Edges edges;
    for (int i = 0; i < 900; ++i)
      edges.push_back({int32_t(random() % 100), int32_t(random() % 100)});
    return {100, edges};
  }
  static Ints firstNodes() {
    Ints nodes(30);
    for (int32_t i = 0; i < 30; ++i)
      nodes[i] = i;
    return nodes;
  }

  SampledMicroBatch reserve() const {
    return sampler.reserve(SampleRoom({100, 900, sampling.fanOut, 8, false}),
                           {.selfLoops = true}, {true, true});
  }

  Sampling sampling = {{4, 3}, 8, false};
  Ints nodes = firstNodes();
  InEdges edges{listed(), false};
  SeedOrder order{nodes, 16, SampleOrder::Shuffled, 3};
  MicroBatchSampler sampler;
};

TEST(SampleAhead, GivesWhatIsMadeAtOnce) {
  Sampled here, there;
  SampledMicroBatch expected = here.reserve();
  SampleAhead ahead(there.sampler, there.reserve(), there.reserve());
  // As a rank takes them; then from another place on, twice the same, and one
  // that was not foreseen.
  for (auto [position, next] :
       std::vector<std::pair<int64_t, int64_t>>{{0, 16},
                                                {16, 32},
                                                {32, 48},
                                                {176, 184},
                                                {184, 0},
                                                {184, 0},
                                                {8, 24},
                                                {24, 40}}) {
    const SampledMicroBatch &taken = ahead.take(position, next);
    here.sampler.make(position, expected);
    EXPECT_EQ(taken.position, position);
    EXPECT_EQ(taken.seeds, expected.seeds);
    EXPECT_TRUE(taken.graph == expected.graph) << position;
    ASSERT_EQ(taken.blocks.entries(0), expected.blocks.entries(0));
    EXPECT_TRUE(std::equal(taken.blocks.cols(),
                           taken.blocks.cols() + taken.blocks.entries(0),
                           expected.blocks.cols()));
  }
}

TEST(SampleAhead, EndsWithoutHavingBeenAsked) {
  Sampled sampled;
  SampleAhead(sampled.sampler, sampled.reserve(), sampled.reserve());
  SampleAhead ahead(sampled.sampler, sampled.reserve(), sampled.reserve());
  ahead.take(0, 16);
}

/// Memory that counts how often it is asked for some.
struct CountingMemory : std::pmr::memory_resource {
  int count = 0;

private:
  void *do_allocate(size_t bytes, size_t alignment) override {
    ++count;
    return std::pmr::get_default_resource()->allocate(bytes, alignment);
  }
  void do_deallocate(void *place, size_t bytes, size_t alignment) override {
    std::pmr::get_default_resource()->deallocate(place, bytes, alignment);
  }
  bool do_is_equal(const memory_resource &other) const noexcept override {
    return this == &other;
  }
};

// The compiler plans what is taken, but for a few bits of the largest degree.
TEST(MicroBatchSampler, TakesTheMemoryThatIsPlanned) {
  Sampled sampled;
  SampleRoom room({100, 900, sampled.sampling.fanOut, 8, false});
  for (bool symmetric : {false, true}) {
    SampleForm form = {
        .selfLoops = true, .symmetric = symmetric, .transposed = {false, true}};
    int64_t planned = samplingBytes(100, 900, room, 8, form);
    for (int64_t lacking : {0, 4}) {
      std::vector<char> memory(planned - lacking);
      CountingMemory beside;
      std::pmr::monotonic_buffer_resource resource(memory.data(), memory.size(),
                                                   &beside);
      InEdges edges(Sampled::listed(), false, &resource);
      MicroBatchSampler sampler(edges, sampled.order, sampled.sampling, 1,
                                &resource);
      AdjacencyForm its = {.selfLoops = true, .symmetric = symmetric};
      for (int i = 0; i < 2; ++i) {
        SampledMicroBatch batch =
            sampler.reserve(room, its, form.transposed, &resource);
        EXPECT_EQ(batch.bytes(), microBatchBytes(room, 8, form));
        sampler.make(16 * i, batch);
      }
      EXPECT_EQ(beside.count, lacking ? 1 : 0);
    }
  }
}

TEST(MicroBatchSampler, StaysWithinItsRoom) {
  Sampled sampled;
  SampledMicroBatch batch = sampled.reserve();
  // docs/runtime.md: 100 nodes of which 40 are expanded, 128 edges.
  int64_t bytes = 4 * (8 + 100 + 40 + 1) + 8 * 128 + 4 * (40 + 1) +
                  8 * (128 + 40) + 4 * 100 + (4 * 101 + 8 * (128 + 40)) +
                  (4 * 101 + 8 * (32 + 8));
  EXPECT_EQ(batch.bytes(), bytes);
  int64_t most = sampled.edges.mostInto();
  EXPECT_EQ(sampled.sampler.bytes(),
            4 * (100 + 1) + 4 * 900 + 4 * 100 + 8 * ((most + 63) / 64) + 4 * 4);
  for (int64_t position = 0; position < 3200; position += 8)
    sampled.sampler.make(position, batch);
  EXPECT_EQ(batch.bytes(), bytes);
}

} // namespace
