//===- SampleStream.h - Sampled micro-batches in a run's order --*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_DATA_SAMPLESTREAM_H
#define TESSERA_RUNTIME_DATA_SAMPLESTREAM_H

#include "runtime/data/Data.h"
#include "runtime/data/SampleRoom.h"
#include "runtime/data/SampledBlocks.h"
#include <condition_variable>
#include <mutex>
#include <thread>

namespace tessera::runtime {

/// The order in which training nodes are seeds. An epoch has each of them once,
/// then places without a seed up to a multiple of the global batch: so a step
/// learns from one epoch, and the last of an epoch from what is left.
class SeedOrder {
public:
  /// Of \p nodes, at least one, which must outlive this.
  SeedOrder(std::span<const int32_t> nodes, int64_t globalBatch,
            SampleOrder order, uint64_t seed);

  int64_t nodeCount() const { return std::ssize(nodes); }
  int64_t stepsPerEpoch() const { return epoch / globalBatch; }
  /// How many of the \p count places from \p position on, within one global
  /// batch, have a seed: the first of them.
  int64_t countAt(int64_t position, int64_t count) const;
  /// Writes these.
  void seedsAt(int64_t position, int64_t count,
               std::pmr::vector<int32_t> &seeds) const;

private:
  std::span<const int32_t> nodes;
  int64_t globalBatch, epoch;
  SampleOrder order;
  uint64_t seed;
};

/// A sampled micro-batch.
struct SampledMicroBatch {
  int64_t position = -1; ///< of its first seed in the order of the data
  std::pmr::vector<int32_t> seeds;
  SampledGraph graph;
  SampledBlocks blocks;

  /// Bytes that it takes with its room.
  int64_t bytes() const;
};

/// Samples the micro-batches of a run.
class MicroBatchSampler {
public:
  /// \p edges must outlive this, as must \p memory, which it lies in.
  MicroBatchSampler(const InEdges &edges, SeedOrder order,
                    const Sampling &sampling, uint64_t seed,
                    Memory memory = std::pmr::get_default_resource());

  /// A micro-batch with room for all, so that make() allocates nothing; in
  /// \p memory.
  SampledMicroBatch
  reserve(const SampleRoom &room, AdjacencyForm form,
          const std::vector<bool> &transposed,
          Memory memory = std::pmr::get_default_resource()) const;
  /// Makes \p batch the one that begins at \p position.
  void make(int64_t position, SampledMicroBatch &batch);
  /// Its subgraph alone.
  void sample(int64_t position, SampledMicroBatch &batch);

  /// Bytes that it and the edges take, without micro-batches.
  int64_t bytes() const { return sampler.bytes(); }

private:
  SeedOrder seeds;
  int64_t batch;
  NeighborSampler sampler;
};

/// Micro-batches one after another, each made by a thread while the one before
/// is learned from.
class SampleAhead {
public:
  /// \p sampler must outlive this, which alone uses it from now on.
  SampleAhead(MicroBatchSampler &sampler, SampledMicroBatch first,
              SampledMicroBatch second);
  ~SampleAhead();
  SampleAhead(const SampleAhead &) = delete;
  SampleAhead &operator=(const SampleAhead &) = delete;

  /// The micro-batch at \p position, after which the one at \p next will
  /// probably be asked for. It stays as it is until another is asked for.
  const SampledMicroBatch &take(int64_t position, int64_t next);

private:
  void work();
  void start(int64_t position);
  void wait();

  MicroBatchSampler &sampler;
  SampledMicroBatch batches[2];
  int taken = 0; ///< The other one is the thread's while it is busy.
  std::mutex mutex;
  std::condition_variable changed;
  int64_t wanted = -1;
  bool busy = false, quits = false;
  std::thread thread;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_DATA_SAMPLESTREAM_H
