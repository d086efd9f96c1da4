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

/// \p given, with what is not given taken from \p assumed.
static Machine::Link getLink(spec::LinkAttr given, Machine::Link assumed) {
  Machine::Link link = assumed;
  if (given.getLatencyUs())
    link.latency = 1e-6 * *given.getLatencyUs();
  if (given.getGbytes())
    link.rate = 1e9 * *given.getGbytes();
  if (given.getOverlapsCompute())
    link.overlapsCompute = given.getOverlapsCompute().getValue();
  return link;
}

Machine Machine::get(ModuleOp module, const Target &target, int64_t world) {
  spec::MachineAttr given = spec::getMachine(module);
  auto choose = [](std::optional<spec::Real> number, double assumed) {
    return number ? static_cast<double>(*number) : assumed;
  };
  Machine machine;
  // Cores are of CPUs alone: calibrate writes them.
  machine.isForeign = target.hasDevices() && given.getCores().has_value();
  if (machine.isForeign)
    given = spec::MachineAttr::get(module.getContext());
  machine.assumed = given == spec::MachineAttr::get(module.getContext());
  machine.name = given.getName() ? given.getName().str() : "";
  machine.hasDevices = target.hasDevices();
  machine.cores = given.getCores().value_or(
      std::max(1u, std::thread::hardware_concurrency()));
  machine.ranksPerNode = std::min(
      world,
      given.getRanksPerNode().value_or(target.getRanksPerNode(machine.cores)));
  NodeFigures assumed =
      target.assumeNode(module, machine.cores, machine.ranksPerNode);
  if (!assumed.name.empty() && machine.assumed)
    machine.name = "an assumed " + assumed.name;

  double fp32 = choose(given.getFp32Gflops(), assumed.fp32);
  double bf16 =
      choose(given.getBf16Gflops(), fp32 * (assumed.bf16 / assumed.fp32));
  double memory = choose(given.getMemoryGbytes(), assumed.memory);
  machine.fp32 = 1e9 * fp32;
  machine.bf16 = 1e9 * bf16;
  machine.fp32Gemm =
      1e9 * choose(given.getFp32GemmGflops(), assumed.fp32Share * fp32);
  machine.bf16Gemm =
      1e9 * choose(given.getBf16GemmGflops(), assumed.bf16Share * bf16);
  machine.memory = 1e9 * memory;
  machine.cache = 1e9 * choose(given.getCacheGbytes(),
                               memory * (assumed.cache / assumed.memory));
  machine.cacheBytes =
      choose(given.getCacheMib(), assumed.cacheMiB) * (int64_t(1) << 20);
  machine.launch = 1e-6 * choose(given.getLaunchUs(), assumed.launch);
  // Messages of devices travel on a stream of their own.
  machine.intraNode =
      getLink(given.getIntraNode(),
              {1e-6 * assumed.intraNodeLatency,
               1e9 * (memory * (assumed.intraNode / assumed.memory)),
               machine.hasDevices});
  machine.interNode = getLink(given.getInterNode(),
                              {1e-6 * assumed.interNodeLatency,
                               1e9 * assumed.interNode, machine.hasDevices});
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
         (ranksPerNode == 1 ? " rank" : " ranks") + " per node; of a rank " +
         formatDecimal(perRank(fp32), "flop/s") + " in fp32, " +
         formatDecimal(perRank(bf16), "flop/s") + " in bf16, memory " +
         formatDecimal(perRank(memory), "B/s");
}
