//===- Machine.cpp - The machine that times are predicted for ---*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Machine.h"
#include "codegen/Figures.h"
#include "passes/Spec.h"
#include <thread>

using namespace mlir;
using namespace tessera;

namespace {
/// The fields of a dictionary, where there is one.
struct Given {
  DictionaryAttr fields;

  template <typename T> T get(StringRef name) const {
    return fields ? fields.getAs<T>(name) : T();
  }
  double number(StringRef name, double missing) const {
    auto value = get<FloatAttr>(name);
    return value ? value.getValueAsDouble() : missing;
  }
  int64_t integer(StringRef name, int64_t missing) const {
    auto value = get<IntegerAttr>(name);
    return value ? value.getInt() : missing;
  }
  Machine::Link link(StringRef name, double latency, double gbytes,
                     bool besideComputation) const {
    Given own{get<DictionaryAttr>(name)};
    auto beside = own.get<BoolAttr>("beside_computation");
    return {1e-6 * own.number("latency_us", latency),
            1e9 * own.number("gbytes", gbytes),
            beside ? beside.getValue() : besideComputation};
  }
};

/// What is known of a node, before the specification says otherwise.
struct Assumed {
  double fp32, bf16;              ///< Gflop/s
  double fp32Share, bf16Share;    ///< that products reach
  double memory, cache, cacheMiB; ///< GB/s, GB/s, MiB
  double launch;                  ///< microseconds
  double insideLatency, inside;   ///< microseconds, GB/s
  double betweenLatency, between;
};

/// The figures of one GPU.
struct Gpu {
  const char *name;
  int64_t architecture; ///< the first that these are the figures of
  double fp32, bf16;    ///< Gflop/s, without sparsity
  double memory;        ///< GB/s
  double cacheMiB;
  double link; ///< GB/s that it receives from the GPUs of its node
};
} // namespace

/// NVIDIA's data sheets of the A100 80GB SXM, the H100 SXM and the B200.
static constexpr Gpu gpus[] = {
    {"A100", 80, 19500, 312000, 2039, 40, 300},
    {"H100", 90, 67000, 989000, 3350, 50, 450},
    {"B200", 100, 75000, 2250000, 8000, 126, 900},
};
/// GPUs of a node, each with a link of 400 Gbit/s to other nodes.
static constexpr int64_t kGpusOfNode = 8;
static constexpr double kGpuLink = 50;

/// The GPU that \p module is compiled for.
static const Gpu &getGpu(ModuleOp module) {
  int64_t number = 0;
  StringRef architecture = getSpecText(module, "target.arch", "");
  architecture.split(',').first.trim().drop_front(3).rtrim("af").getAsInteger(
      10, number);
  const Gpu *found = gpus;
  for (const Gpu &gpu : gpus)
    if (gpu.architecture <= number)
      found = &gpu;
  return *found;
}

/// A node of \p ranks GPUs. What products, caches and links reach of their
/// peak is a guess, until a machine is given.
static Assumed assumeGpus(const Gpu &gpu, double ranks) {
  return {ranks * gpu.fp32,
          ranks * gpu.bf16,
          0.85,
          0.7,
          ranks * gpu.memory,
          ranks * 2 * gpu.memory,
          ranks * gpu.cacheMiB,
          2,
          5,
          ranks * gpu.link,
          10,
          ranks * kGpuLink};
}

static Assumed assumeCores(double cores) {
  return {100 * cores, 200 * cores, 0.85, 0.85,       20 * cores, 60 * cores,
          cores,       5,           1,    10 * cores, 5,          12.5};
}

Machine Machine::get(ModuleOp module, int64_t world) {
  Given given{module->getAttrOfType<DictionaryAttr>("tessera.machine")};
  Machine machine;
  machine.assumed = !given.fields || given.fields.empty();
  auto name = given.get<StringAttr>("name");
  machine.name = name ? name.str() : "";
  machine.isCuda = tessera::isCuda(module);
  machine.cores =
      given.integer("cores", std::max(1u, std::thread::hardware_concurrency()));
  machine.ranksPerNode = std::min(
      world, given.integer("ranks_per_node",
                           machine.isCuda ? kGpusOfNode : machine.cores));
  Assumed assumed = machine.isCuda
                        ? assumeGpus(getGpu(module), machine.ranksPerNode)
                        : assumeCores(machine.cores);
  if (machine.isCuda && machine.assumed)
    machine.name = "an assumed " + std::string(getGpu(module).name);

  double fp32 = given.number("fp32_gflops", assumed.fp32);
  double bf16 =
      given.number("bf16_gflops", fp32 * (assumed.bf16 / assumed.fp32));
  double memory = given.number("memory_gbytes", assumed.memory);
  machine.fp32 = 1e9 * fp32;
  machine.bf16 = 1e9 * bf16;
  machine.fp32Product =
      1e9 * given.number("fp32_product_gflops", assumed.fp32Share * fp32);
  machine.bf16Product =
      1e9 * given.number("bf16_product_gflops", assumed.bf16Share * bf16);
  machine.memory = 1e9 * memory;
  machine.cache = 1e9 * given.number("cache_gbytes",
                                     memory * (assumed.cache / assumed.memory));
  machine.cacheBytes =
      given.number("cache_mib", assumed.cacheMiB) * (int64_t(1) << 20);
  machine.launch = 1e-6 * given.number("launch_us", assumed.launch);
  // Messages of GPUs travel on a stream of their own.
  machine.inside =
      given.link("inside", assumed.insideLatency,
                 memory * (assumed.inside / assumed.memory), machine.isCuda);
  machine.between = given.link("between", assumed.betweenLatency,
                               assumed.between, machine.isCuda);
  return machine;
}

std::string Machine::describe() const {
  std::string text = assumed && !isCuda
                         ? "an assumed machine (tessera calibrate measures "
                           "yours)"
                     : name.empty() ? "the machine given"
                                    : name;
  text += ": ";
  if (!isCuda)
    text += std::to_string(cores) + (cores == 1 ? " core, " : " cores, ");
  return text + std::to_string(ranksPerNode) +
         (ranksPerNode == 1 ? " rank a node, " : " ranks a node, ") +
         formatDecimal(fp32, "flop/s") + ", memory " +
         formatDecimal(memory, "B/s");
}
