//===- PlanReport.cpp - The plan for a reader -------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "report/PlanReport.h"
#include "dialects/nn/NN.h"
#include "dialects/spec/Spec.h"
#include "dialects/zero/Zero.h"
#include "report/Figures.h"
#include "report/GroupReport.h"
#include "target/Target.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::plan;

/// Each collective with how often a step runs it.
static std::vector<PlanReport::Collective> listCollectives(ProgramOp program) {
  std::vector<PlanReport::Collective> all;
  for (auto [start, times] : getCollectives(program))
    all.push_back({stringifyCollective(start.getKind()).str(),
                   start.getGroup() ? start.getGroup()->str() : "",
                   start.getElements(), start.getMembers(program.getWorld()),
                   start.getReceivedBytes(program.getWorld()), times});
  return all;
}

static std::vector<PlanReport::State> sumStates(ProgramOp program) {
  llvm::MapVector<StringRef, PlanReport::State> sums;
  for (auto state : program.getBody().getOps<StateOp>()) {
    PlanReport::State &sum = sums[state.getState()];
    sum.state = state.getState();
    int64_t bytes = state.getBuffer().getDefiningOp<BufferOp>().getBytes();
    sum.bytes += bytes;
    if (!state.getSharded())
      sum.wholeBytes += bytes;
  }
  std::vector<PlanReport::State> states;
  for (auto &[kind, sum] : sums)
    states.push_back(std::move(sum));
  return states;
}

static std::vector<PlanReport::Group> listGroups(ProgramOp program) {
  std::vector<PlanReport::Group> groups;
  for (const GroupFacts &facts : getGroupFacts(program)) {
    zero::GroupOp op = facts.op;
    bool staysWhole =
        op.getPersistent() && program.getStage() == 3 && program.getWorld() > 1;
    groups.push_back({op.getSymName().str(),
                      static_cast<int64_t>(op.getParameters().size()),
                      static_cast<int64_t>(op.getElements()),
                      static_cast<int64_t>(op.getPadded()), facts.bucketBytes,
                      facts.parameterBytes, facts.isSharded, staysWhole,
                      facts.exceedsLimit});
  }
  return groups;
}

FailureOr<PlanReport> PlanReport::make(ModuleOp module) {
  auto program = module.lookupSymbol<ProgramOp>("train");
  if (!program)
    return module.emitError("has no program 'train' to report on: compile it "
                            "to the phase plan first");
  const Target *target = getTarget(module);
  if (!target)
    return failure();
  PlanReport report;
  spec::SpecificationAttr specification = spec::getSpecification(module);
  report.name = specification ? specification.getName().str() : "train";
  for (auto parameter : module.getOps<nn::ParameterOp>())
    report.parameters += parameter.getTensorType().getNumElements();
  report.groups = listGroups(program);
  for (const Group &group : report.groups)
    report.paddedElements += group.padded;
  report.world = program.getWorld();
  report.shards = program.getShards();
  report.stage = program.getStage();
  report.accumulation = program.getAccumulation();
  report.peak = program.getArenaBytes();
  if (auto validate = module.lookupSymbol<ProgramOp>("validate"))
    if (int64_t bytes = validate.getArenaBytes(); bytes > report.peak)
      report.validating = bytes;
  report.offloaded = program.getOffloadBytes();
  report.pinned = target->getPinnedBytes({program});
  for (int64_t i = 0; i < stepCategoryCount; ++i)
    report.memory[i] = program.getMemory(static_cast<Category>(i));
  report.flops = program.getFlops();
  if (spec::RecomputedAttr recomputed = spec::getRecomputed(module)) {
    report.layers = recomputed.getSegments();
    report.layersRecomputed = recomputed.getWhole();
    report.layersCheap = recomputed.getCheap();
  }
  auto transformer = dyn_cast_if_present<spec::TransformerAttr>(
      specification ? specification.getModel() : Attribute());
  if (transformer) {
    report.unit = "tokens";
    report.units = transformer.getSequenceLength() *
                   specification.getTraining().getGlobalBatch();
  } else if (specification && specification.getTraining().getSampling()) {
    report.unit = "nodes";
    report.units = specification.getTraining().getGlobalBatch();
  }
  if (specification) {
    report.steps = specification.getTraining().getSteps();
    report.isNarrow = specification.getTraining().getPrecision().getCompute() !=
                      spec::NumberType::FP32;
  }
  constexpr size_t buffersShown = 10;
  report.peakBuffers =
      listPeakBuffers(program, MemoryUsage::measure(program), buffersShown);
  report.collectives = listCollectives(program);
  report.states = sumStates(program);
  report.machine = Machine::get(module, *target, report.world);
  CostModel model(program, report.machine);
  report.predicted = Timeline::make(program, model).prediction;
  return report;
}

int64_t PlanReport::getVolume() const {
  int64_t bytes = 0;
  for (const Collective &collective : collectives)
    bytes += collective.times * collective.bytes;
  return bytes;
}

double PlanReport::getThroughput() const {
  return predicted.step > 0 ? units / predicted.step : 0;
}

double PlanReport::getUtilisation() const {
  double most = machine.perRank(isNarrow ? machine.bf16 : machine.fp32);
  return predicted.step > 0 && most > 0
             ? static_cast<double>(flops) / (predicted.step * most)
             : 0;
}

std::string PlanReport::formatThroughput() const {
  return unit == "epochs" ? formatFixed(getThroughput(), 1)
                          : groupDigits(std::llround(getThroughput()));
}

static std::string percent(double part, double whole) {
  return formatFixed(whole > 0 ? 100 * part / whole : 0, 1) + " %";
}

static void printMemory(const PlanReport &report, llvm::raw_ostream &out) {
  constexpr auto line = "  {0,-14} {1,+19} {2,+12} {3,+7}\n";
  out << "\n" << llvm::formatv(line, "memory", "bytes", "", "share");
  auto print = [&](StringRef name, int64_t bytes) {
    out << llvm::formatv(line, name, groupDigits(bytes), formatBytes(bytes),
                         percent(bytes, report.peak));
  };
  for (int64_t i = 0; i < stepCategoryCount; ++i)
    print(stringifyCategory(static_cast<Category>(i)), report.memory[i]);
  print("peak", report.peak);
  auto printBeside = [&](StringRef name, int64_t bytes) {
    if (bytes)
      out << llvm::formatv(line, name, groupDigits(bytes), formatBytes(bytes),
                           "");
  };
  printBeside("validating", report.validating);
  printBeside("offloaded", report.offloaded);
  printBeside("pinned (host)", report.pinned);
}

void tessera::printRemedies(ArrayRef<PlanReport::Remedy> remedies,
                            int64_t limit, llvm::raw_ostream &out) {
  for (const PlanReport::Remedy &remedy : remedies) {
    out << "   ";
    for (const std::string &setting : remedy.settings)
      out << " --set " << setting;
    out << ": " << groupDigits(remedy.bytes) << " bytes, ";
    if (remedy.bytes <= limit)
      out << "which fits\n";
    else
      out << "still " << groupDigits(remedy.bytes - limit) << " too many\n";
  }
}

/// Whether the plan fits the limit, and by how much.
static void printLimit(const PlanReport &report, llvm::raw_ostream &out) {
  int64_t left = report.limit - report.peak;
  out << "\n  " << (left >= 0 ? "fits " : "does not fit ")
      << formatBytes(report.limit) << ": "
      << formatBytes(static_cast<double>(std::abs(left))) << " ("
      << percent(static_cast<double>(std::abs(left)),
                 static_cast<double>(report.limit))
      << " of it) " << (left >= 0 ? "are left" : "too much") << "\n";
  if (left < 0 && !report.remedies.empty()) {
    out << "  the smallest change of each field that helps:\n";
    printRemedies(report.remedies, report.limit, out);
  }
}

static void printPeakBuffers(const PlanReport &report, llvm::raw_ostream &out) {
  constexpr auto line = "  {0,-30} {1,-14} {2,-14} {3,+12} {4,+7}\n";
  out << "\n"
      << llvm::formatv(line, "largest at the peak", "layer", "category", "",
                       "share");
  for (const PeakBuffer &buffer : report.peakBuffers)
    out << llvm::formatv(line, StringRef(buffer.name).take_front(30),
                         buffer.layer.empty() ? "-" : buffer.layer,
                         stringifyCategory(buffer.category),
                         formatBytes(buffer.bytes),
                         percent(buffer.bytes, report.peak));
}

static void printTraffic(const PlanReport &report, llvm::raw_ostream &out) {
  constexpr auto line = "  {0,-14} {1,-16} {2,+6} {3,+17} {4,+19} {5,+12}\n";
  struct Sum {
    int64_t times = 0, elements = 0, bytes = 0;
  };
  llvm::MapVector<std::pair<StringRef, StringRef>, Sum> lines;
  int64_t times = 0;
  for (const PlanReport::Collective &collective : report.collectives) {
    Sum &sum = lines[{collective.kind, collective.group}];
    sum.times += collective.times;
    sum.elements = collective.elements;
    sum.bytes += collective.times * collective.bytes;
    times += collective.times;
  }
  out << "\n"
      << llvm::formatv(line, "collective", "group", "times", "elements",
                       "bytes received", "");
  for (auto &[key, sum] : lines)
    out << llvm::formatv(line, key.first, key.second.empty() ? "-" : key.second,
                         groupDigits(sum.times), groupDigits(sum.elements),
                         groupDigits(sum.bytes), formatBytes(sum.bytes));
  int64_t volume = report.getVolume();
  out << llvm::formatv(line, "all", "", groupDigits(times), "",
                       groupDigits(volume), formatBytes(volume));
}

/// What a reader may not expect of groups: those that exceed the limit on
/// buckets, and those that stage 3 keeps whole.
static void printGroups(const PlanReport &report, llvm::raw_ostream &out) {
  for (const PlanReport::Group &group : report.groups) {
    if (group.exceedsLimit)
      out << "\n  " << group.name
          << " exceeds bucket_bytes: " << formatBytes(group.bucketBytes)
          << " of gradients of one parameter\n";
    if (group.staysWhole)
      out << "\n  " << group.name << " stays whole: " << group.parameters
          << " parameters, " << groupDigits(group.elements) << " elements, "
          << formatBytes(group.parameterBytes) << "\n";
  }
}

static void printTimes(const PlanReport &report, llvm::raw_ostream &out) {
  constexpr auto line = "  {0,-22} {1,+10} {2,+8} {3,+9} {4,+14} {5,+12}\n";
  const Prediction &all = report.predicted;
  out << "\n  predicted for " << report.machine.describe() << "\n"
      << llvm::formatv(line, "time", "", "share", "times", "arithmetic",
                       "bytes");
  for (const Prediction::Kind &kind : all.kinds)
    out << llvm::formatv(
        line, kind.name, formatSeconds(kind.seconds),
        percent(kind.seconds, all.step), groupDigits(kind.times),
        kind.flops && kind.busy
            ? formatDecimal(kind.flops / kind.busy, "flop/s")
            : "",
        kind.bytes && kind.busy ? formatDecimal(kind.bytes / kind.busy, "B/s")
                                : "");
  out << llvm::formatv(line, "step", formatSeconds(all.step), "100.0 %", "", "",
                       "")
      << "  bound by arithmetic " << formatSeconds(all.compute)
      << ", by memory " << formatSeconds(all.memory) << ", launches "
      << formatSeconds(all.launch) << ", exposed communication "
      << formatSeconds(all.exposed) << " of "
      << formatSeconds(all.communication) << "\n  " << report.formatThroughput()
      << " " << report.unit << " per second, MFU "
      << percent(report.getUtilisation(), 1) << " of "
      << formatDecimal(report.machine.perRank(report.isNarrow
                                                  ? report.machine.bf16
                                                  : report.machine.fp32),
                       "flop/s")
      << "\n";
  if (report.steps > 0) {
    int64_t units = report.steps * report.units;
    out << "  the " << groupDigits(report.steps)
        << (report.steps == 1 ? " step" : " steps") << " of the schedule: "
        << formatSeconds(static_cast<double>(report.steps) * all.step) << ", "
        << (units < 10000 ? groupDigits(units)
                          : formatDecimal(static_cast<double>(units), ""))
        << " " << report.unit << "\n";
  }
}

void tessera::printPlanText(const PlanReport &report, llvm::raw_ostream &out) {
  out << report.name << ": " << groupDigits(report.parameters)
      << " parameters, " << report.world
      << (report.world == 1 ? " rank" : " ranks") << ", ZeRO stage "
      << report.stage;
  if (report.world > report.shards)
    out << " within groups of " << report.shards;
  out << "\nOne rank, one step of " << report.accumulation
      << (report.accumulation == 1 ? " micro-batch" : " micro-batches")
      << ":\n";
  printMemory(report, out);
  if (report.limit)
    printLimit(report, out);
  printPeakBuffers(report, out);
  if (!report.collectives.empty())
    printTraffic(report, out);
  printGroups(report, out);
  if (report.layersRecomputed || report.layersCheap)
    out << "\n  recomputed     " << report.layersRecomputed << " of "
        << report.layers << " layers, and of " << report.layersCheap
        << " what is cheap\n";
  out << "\n  arithmetic     " << formatDecimal(report.flops, "flop") << "\n";
  printTimes(report, out);
}

void tessera::writePlanFigures(const PlanReport &report,
                               llvm::json::OStream &json) {
  json.attribute("world", report.world);
  json.attribute("stage", report.stage);
  json.attribute("shard_ranks", report.shards);
  json.attribute("peak_bytes", report.peak);
  if (report.limit) {
    json.attribute("limit_bytes", report.limit);
    json.attribute("fits", report.peak <= report.limit);
    json.attributeArray("remedies", [&] {
      for (const PlanReport::Remedy &remedy : report.remedies)
        json.object([&] {
          json.attributeArray("settings", [&] {
            for (const std::string &setting : remedy.settings)
              json.value(setting);
          });
          json.attribute("bytes", remedy.bytes);
        });
    });
  }
  json.attribute("validating_bytes", report.validating);
  json.attribute("offloaded_bytes", report.offloaded);
  json.attribute("pinned_bytes", report.pinned);
  json.attribute("parameters", report.parameters);
  json.attributeObject("memory", [&] {
    for (int64_t i = 0; i < stepCategoryCount; ++i)
      json.attribute(stringifyCategory(static_cast<Category>(i)),
                     report.memory[i]);
  });
  json.attribute("padded_elements", report.paddedElements);
  json.attributeArray("states", [&] {
    for (const PlanReport::State &state : report.states)
      json.object([&] {
        json.attribute("state", state.state);
        json.attribute("bytes", state.bytes);
        json.attribute("whole_bytes", state.wholeBytes);
      });
  });
  json.attribute("volume_bytes", report.getVolume());
  json.attribute("flops", report.flops);
  const Prediction &all = report.predicted;
  json.attributeObject("predicted", [&] {
    json.attribute("step_ms", 1e3 * all.step);
    json.attribute("compute_ms", 1e3 * all.compute);
    json.attribute("memory_ms", 1e3 * all.memory);
    json.attribute("launch_ms", 1e3 * all.launch);
    json.attribute("exposed_communication_ms", 1e3 * all.exposed);
    json.attribute("communication_ms", 1e3 * all.communication);
    json.attribute((report.unit + "_per_second").str(), report.getThroughput());
    json.attribute("mfu", report.getUtilisation());
    json.attribute("schedule_steps", report.steps);
    json.attribute("schedule_hours",
                   static_cast<double>(report.steps) * all.step / 3600);
    json.attributeArray("kinds", [&] {
      for (const Prediction::Kind &kind : all.kinds)
        json.object([&] {
          json.attribute("kind", kind.name);
          json.attribute("times", kind.times);
          json.attribute("ms", 1e3 * kind.seconds);
          json.attribute("flops", kind.flops);
          json.attribute("bytes", kind.bytes);
        });
    });
    json.attributeObject("machine", [&] {
      const Machine &machine = report.machine;
      json.attribute("name", machine.name);
      json.attribute("assumed", machine.assumed);
      json.attribute("ignored", machine.isForeign);
      json.attribute("cores", machine.cores);
      json.attribute("ranks_per_node", machine.ranksPerNode);
    });
  });
}

void tessera::printPlanJson(const PlanReport &report, llvm::raw_ostream &out) {
  llvm::json::OStream json(out, 2);
  json.object([&] {
    json.attribute("name", report.name);
    writePlanFigures(report, json);
    json.attributeObject("recomputed", [&] {
      json.attribute("layers", report.layers);
      json.attribute("whole", report.layersRecomputed);
      json.attribute("cheap", report.layersCheap);
    });
    json.attributeArray("largest_at_peak", [&] {
      for (const PeakBuffer &buffer : report.peakBuffers)
        json.object([&] {
          json.attribute("name", buffer.name);
          json.attribute("layer", buffer.layer);
          json.attribute("category", stringifyCategory(buffer.category));
          json.attribute("bytes", buffer.bytes);
        });
    });
    json.attributeArray("groups", [&] {
      for (const PlanReport::Group &group : report.groups)
        json.object([&] {
          json.attribute("name", group.name);
          json.attribute("parameters", group.parameters);
          json.attribute("elements", group.elements);
          json.attribute("padded", group.padded);
          json.attribute("bucket_bytes", group.bucketBytes);
          json.attribute("parameter_bytes", group.parameterBytes);
          json.attribute("sharded", group.isSharded);
          json.attribute("exceeds_limit", group.exceedsLimit);
        });
    });
    json.attributeArray("collectives", [&] {
      for (const PlanReport::Collective &collective : report.collectives)
        json.object([&] {
          json.attribute("kind", collective.kind);
          json.attribute("group", collective.group);
          json.attribute("elements", collective.elements);
          json.attribute("ranks", collective.ranks);
          json.attribute("bytes", collective.bytes);
          json.attribute("times", collective.times);
        });
    });
  });
  out << "\n";
}
