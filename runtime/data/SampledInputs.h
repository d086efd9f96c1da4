//===- SampledInputs.h - Inputs that are sampled neighbourhoods -*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_DATA_SAMPLEDINPUTS_H
#define TESSERA_RUNTIME_DATA_SAMPLEDINPUTS_H

#include "runtime/data/SampleStream.h"
#include "runtime/program/Context.h"
#include <map>
#include <optional>

namespace tessera::runtime {

/// What a rank of a run samples from.
struct SampledData {
  const EdgeSource &edges;
  std::span<const int32_t> classes; ///< of all nodes
  std::span<const int32_t> seeds;   ///< training nodes, at least one
  SampleOrder order = SampleOrder::Shuffled;
  uint64_t seed = 1;
  int64_t rank = 0;
  std::span<char> memory = {}; ///< for the edges and micro-batches
};

/// Fills the inputs of a train program that are a sampled micro-batch: see
/// slotNames.
class SampledInputs {
public:
  /// \p data's spans must outlive this, its edges need not. Exits the process
  /// where they have weights that cannot be sampled, or an input of the train
  /// program too little room.
  SampledInputs(const Manifest &manifest, const SampledData &data);

  /// Starts the thread that samples ahead; called once, before fill.
  void start() {
    auto inMemory = [&] {
      return sampler.reserve(room, form, transposed, resource());
    };
    ahead.emplace(sampler, inMemory(), inMemory());
  }
  /// As BatchSource::fill.
  bool fill(const Slot &slot, char *address, const GlobalBatch &batch,
            int64_t micro);

  /// Seeds of \p batch.
  int64_t seedsOf(const GlobalBatch &batch) const;
  float scale(const GlobalBatch &batch) const {
    return static_cast<float>(1.0 / static_cast<double>(seedsOf(batch)));
  }

  /// What `train` says of it at the start: a row's name and its text, for
  /// \p steps steps.
  std::vector<std::pair<std::string, std::string>>
  settings(int64_t steps) const;

  /// See BatchSource.
  double epochs(int64_t position) const {
    return double(position) /
           double(seeds.stepsPerEpoch() * training.globalBatch);
  }

  /// A sampler like the one that fills the inputs.
  MicroBatchSampler newSampler() const {
    return {edges, seeds, sampling, seed};
  }
  /// A micro-batch with the room of the program.
  SampledMicroBatch reserve() const {
    return sampler.reserve(room, form, transposed);
  }

private:
  enum class Array { Nodes, Targets, Count, RowPtr, Col, Weight, Source };
  /// What fills an input.
  struct Input {
    Array array = Array::Nodes;
    int64_t index = 0; ///< of the layer, or the hop
    bool transposed = false;
  };
  void findInputs(const Program &program);
  /// The elements that fill \p input at most.
  int64_t most(const Input &input) const;
  Memory resource() {
    return memoryBytes ? &memory : std::pmr::get_default_resource();
  }

  const Training training;
  const Sampling sampling;
  AdjacencyForm form;
  SampleRoom room;
  std::span<const int32_t> classes;
  int64_t rank;
  uint64_t seed;
  SeedOrder seeds;
  int64_t memoryBytes; ///< that the program has for what follows
  std::pmr::monotonic_buffer_resource memory;
  InEdges edges;
  std::map<std::string, Input> inputs; ///< of the train program
  std::vector<bool> transposed;        ///< of which layers' blocks
  MicroBatchSampler sampler;
  std::optional<SampleAhead> ahead;
};

/// A graph of which sampled neighbourhoods are learned from.
std::unique_ptr<BatchSource> openSampledBatches(const Manifest &manifest,
                                                const std::string &path,
                                                SampleOrder order,
                                                uint64_t seed, int rank,
                                                std::span<char> memory);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_DATA_SAMPLEDINPUTS_H
