//===- Sample.cpp - The command sample ------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/AllCommands.h"
#include "runtime/commands/Open.h"
#include "runtime/commands/SharedOptions.h"
#include "runtime/core/Error.h"
#include "runtime/data/Graph.h"
#include "runtime/data/SampledInputs.h"
#include "runtime/files/Safetensors.h"
#include <algorithm>
#include <cstdio>
#include <iterator>

namespace tessera::runtime {

namespace {

/// One micro-batch as the file has it.
class Dump {
public:
  explicit Dump(const std::vector<int32_t> &classes) : classes(classes) {}

  void declare(SafetensorsWriter &writer, const std::string &prefix,
               const SampledGraph &graph) const {
    writer.declare(prefix + "counts", {std::ssize(graph.counts)}, "I64");
    writer.declare(prefix + "nodes", {graph.counts.back()}, "I64");
    writer.declare(prefix + "edge_index", {2, graph.edges()}, "I64");
    writer.declare(prefix + "edge_weight", {graph.edges()});
    writer.declare(prefix + "y", {graph.counts.front()}, "I64");
  }

  void write(SafetensorsWriter &writer, const SampledGraph &graph) {
    writer.write(graph.counts.data(), std::ssize(graph.counts));
    wide.assign(graph.nodes.begin(), graph.nodes.end());
    writer.write(wide.data(), std::ssize(wide));
    wide.assign(graph.source.begin(), graph.source.end());
    for (int64_t row = 0; row < graph.expanded(); ++row)
      wide.insert(wide.end(), graph.rowPtr[row + 1] - graph.rowPtr[row], row);
    writer.write(wide.data(), std::ssize(wide));
    writer.write(graph.weight.data(), std::ssize(graph.weight));
    wide.clear();
    std::transform(
        graph.nodes.begin(), graph.nodes.begin() + graph.counts.front(),
        std::back_inserter(wide), [&](int32_t node) { return classes[node]; });
    writer.write(wide.data(), std::ssize(wide));
  }

private:
  const std::vector<int32_t> &classes;
  std::vector<int64_t> wide;
};

} // namespace

static int runSample(const Manifest &manifest, const Options &options) {
  if (!manifest.training.sampling)
    fatal("this executable samples no neighbourhoods: compile the "
          "specification of a graph's model with training.sampling");
  requireApart("--save", options.save, dataFiles(options.data));
  Graph graph(manifest, options.data);
  if (std::string error = graph.trainingError(); !error.empty())
    fatal("%s", error.c_str());
  uint64_t seed = options.seed.value_or(manifest.training.seed);
  SampleOrder order = options.order == "sequential" ? SampleOrder::Sequential
                                                    : SampleOrder::Shuffled;
  SampledInputs inputs(manifest, {graph.edges(), graph.labels(),
                                  graph.split("train"), order, seed});
  MicroBatchSampler sampler = inputs.newSampler();
  int64_t steps = options.steps.value_or(1);
  const Training &training = manifest.training;
  int64_t batch = training.sampling->batch;
  // The same draws each time that it is called.
  auto forBatches = [&](auto body) {
    SampledMicroBatch sampled = inputs.reserve();
    for (int64_t step = 0; step < steps; ++step)
      for (int64_t i = 0; i < training.globalBatch / batch; ++i) {
        sampler.sample(step * training.globalBatch + i * batch, sampled);
        body("step." + std::to_string(step + 1) + ".batch." +
                 std::to_string(i) + ".",
             sampled.graph);
      }
  };
  SafetensorsWriter writer(options.save, {{"seed", std::to_string(seed)}});
  Dump dump(graph.labels());
  int64_t seeds = 0, edges = 0;
  forBatches([&](const std::string &prefix, const SampledGraph &sampled) {
    dump.declare(writer, prefix, sampled);
    seeds += sampled.counts.front();
    edges += sampled.edges();
  });
  writer.begin();
  forBatches([&](const std::string &, const SampledGraph &sampled) {
    dump.write(writer, sampled);
  });
  writer.commit();
  printf("%lld seeds and %lld edges of %lld steps in '%s'\n",
         static_cast<long long>(seeds), static_cast<long long>(edges),
         static_cast<long long>(steps), options.save.c_str());
  return 0;
}

static void storeSteps(Options &options, const std::string &text) {
  options.steps = readInteger("--steps", text, 1);
}

static constexpr Option options[] = {
    required(dataOption),
    required({"--save", "FILE", "the safetensors file to write",
              keepText<&Options::save>}),
    {"--steps", "N", "of the first N steps (default: 1)", storeSteps},
    seedOption,
    orderOption};

const Command sampleCommand = {
    .name = "sample",
    .summary = "write the neighbourhoods that training samples",
    .options = options,
    .run = runSample};

} // namespace tessera::runtime
