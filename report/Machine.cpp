//===- Machine.cpp - The machine that times are predicted for ---*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "report/Machine.h"
#include "report/Figures.h"
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
} // namespace

Machine Machine::get(ModuleOp module, const Target &target, int64_t world) {
  Given given{module->getAttrOfType<DictionaryAttr>("tessera.machine")};
  Machine machine;
  machine.assumed = !given.fields || given.fields.empty();
  auto name = given.get<StringAttr>("name");
  machine.name = name ? name.str() : "";
  machine.hasDevices = target.hasDevices();
  machine.cores =
      given.integer("cores", std::max(1u, std::thread::hardware_concurrency()));
  machine.ranksPerNode =
      std::min(world, given.integer("ranks_per_node",
                                    target.getRanksPerNode(machine.cores)));
  NodeFigures assumed =
      target.assumeNode(module, machine.cores, machine.ranksPerNode);
  if (!assumed.name.empty() && machine.assumed)
    machine.name = "an assumed " + assumed.name;

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
  // Messages of devices travel on a stream of their own.
  machine.inside = given.link("inside", assumed.insideLatency,
                              memory * (assumed.inside / assumed.memory),
                              machine.hasDevices);
  machine.between = given.link("between", assumed.betweenLatency,
                               assumed.between, machine.hasDevices);
  return machine;
}

std::string Machine::describe() const {
  std::string text = assumed && !hasDevices
                         ? "an assumed machine (tessera calibrate measures "
                           "yours)"
                     : name.empty() ? "the machine given"
                                    : name;
  text += ": ";
  if (!hasDevices)
    text += std::to_string(cores) + (cores == 1 ? " core, " : " cores, ");
  return text + std::to_string(ranksPerNode) +
         (ranksPerNode == 1 ? " rank a node, " : " ranks a node, ") +
         formatDecimal(fp32, "flop/s") + ", memory " +
         formatDecimal(memory, "B/s");
}
