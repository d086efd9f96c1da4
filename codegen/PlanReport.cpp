//===- PlanReport.cpp - The plan for a reader -------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/PlanReport.h"
#include "codegen/GroupReport.h"
#include "dialects/nn/NN.h"
#include "dialects/plan/Plan.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::plan;

namespace {

/// Collectives of one kind on one group.
struct Traffic {
  int64_t times = 0, elements = 0, bytes = 0;
};

/// Everything that both forms print.
struct Report {
  ModuleOp module;
  ProgramOp program;
  std::string name;
  int64_t parameters = 0;
  /// Each collective with how often a step runs it.
  SmallVector<std::pair<StartOp, int64_t>> collectives;

  static FailureOr<Report> make(ModuleOp module);
};

} // namespace

FailureOr<Report> Report::make(ModuleOp module) {
  Report report;
  report.module = module;
  report.program = module.lookupSymbol<ProgramOp>("train");
  if (!report.program)
    return module.emitError("has no program 'train' to report on: compile it "
                            "to the phase plan first");
  report.name = "train";
  if (auto spec = module->getAttrOfType<DictionaryAttr>("tessera.spec"))
    if (auto name = spec.getAs<StringAttr>("name"))
      report.name = name.str();
  for (auto parameter : module.getOps<nn::ParameterOp>())
    report.parameters += parameter.getTensorType().getNumElements();
  int64_t times = 1;
  for (Operation &op : report.program.getBody().front()) {
    if (auto section = dyn_cast<SectionOp>(op))
      times = section.getName() == "micro" ? report.program.getAccumulation()
                                           : uint64_t(1);
    else if (auto start = dyn_cast<StartOp>(op))
      report.collectives.emplace_back(start, times);
  }
  return report;
}

/// 1234567 as 1,234,567.
static std::string group(int64_t number) {
  std::string digits = std::to_string(number);
  for (int64_t at = digits.size() - 3; at > 0; at -= 3)
    digits.insert(at, ",");
  return digits;
}

/// A number with a binary or decimal prefix and three digits.
static std::string scale(double number, double base,
                         ArrayRef<const char *> units) {
  size_t unit = 0;
  while (number >= base && unit + 1 < units.size()) {
    number /= base;
    ++unit;
  }
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format(number < 10    ? "%.2f "
                                                 : number < 100 ? "%.1f "
                                                                : "%.0f ",
                                                 number)
                                 << units[unit];
  return text;
}

static std::string bytes(int64_t number) {
  return scale(number, 1024, {"B", "KiB", "MiB", "GiB", "TiB"});
}

static void printMemory(ProgramOp program, llvm::raw_ostream &out) {
  constexpr auto line = "  {0,-14} {1,+19} {2,+12} {3,+7}\n";
  int64_t peak = program.getArenaBytes();
  auto share = [&](int64_t part) {
    std::string text;
    llvm::raw_string_ostream(text)
        << llvm::format("%.1f %%", peak ? 100.0 * part / peak : 0.0);
    return text;
  };
  out << "\n" << llvm::formatv(line, "memory", "bytes", "", "share");
  for (int64_t i = 0; i < kCategories; ++i) {
    auto category = static_cast<Category>(i);
    int64_t part = program.getMemory(category);
    out << llvm::formatv(line, stringifyCategory(category), group(part),
                         bytes(part), share(part));
  }
  out << llvm::formatv(line, "peak", group(peak), bytes(peak), share(peak));
  if (int64_t file = program.getOffloadBytes())
    out << llvm::formatv(line, "offloaded", group(file), bytes(file), "");
}

static void printTraffic(const Report &report, llvm::raw_ostream &out) {
  constexpr auto line = "  {0,-14} {1,-16} {2,+6} {3,+17} {4,+19} {5,+12}\n";
  llvm::MapVector<std::pair<StringRef, StringRef>, Traffic> lines;
  Traffic all;
  ProgramOp program = report.program;
  for (auto [op, times] : report.collectives) {
    StartOp start = op;
    StringRef name = start.getGroup() ? *start.getGroup() : "-";
    Traffic &entry = lines[{stringifyCollective(start.getKind()), name}];
    int64_t received = start.getReceivedBytes(program.getWorld());
    entry.times += times;
    entry.elements = start.getElements();
    entry.bytes += times * received;
    all.times += times;
    all.bytes += times * received;
  }
  out << "\n"
      << llvm::formatv(line, "collective", "group", "times", "elements",
                       "bytes received", "");
  for (auto &[key, entry] : lines)
    out << llvm::formatv(line, key.first, key.second, group(entry.times),
                         group(entry.elements), group(entry.bytes),
                         bytes(entry.bytes));
  out << llvm::formatv(line, "all", "", group(all.times), "", group(all.bytes),
                       bytes(all.bytes));
}

/// What a reader may not expect of groups: those that exceed the limit on
/// buckets, and those that stage 3 keeps whole.
static void printGroups(ProgramOp program, llvm::raw_ostream &out) {
  for (const GroupFacts &facts : getGroupFacts(program)) {
    zero::GroupOp op = facts.op;
    if (facts.exceedsLimit)
      out << "\n  " << op.getSymName()
          << " exceeds bucket_bytes: " << bytes(facts.bucketBytes)
          << " of gradients of one parameter\n";
    if (op.getPersistent() && program.getStage() == 3 && program.getWorld() > 1)
      out << "\n  " << op.getSymName()
          << " stays whole: " << op.getParameters().size() << " parameters, "
          << group(op.getElements()) << " elements, "
          << bytes(facts.parameterBytes) << "\n";
  }
}

LogicalResult tessera::printPlanText(ModuleOp module, llvm::raw_ostream &out) {
  FailureOr<Report> report = Report::make(module);
  if (failed(report))
    return failure();
  ProgramOp program = report->program;
  int64_t world = program.getWorld();
  out << report->name << ": " << group(report->parameters) << " parameters, "
      << world << (world == 1 ? " rank" : " ranks") << ", ZeRO stage "
      << program.getStage();
  if (program.getReplicas() > 1)
    out << " within groups of " << program.getShards();
  out << "\nOne rank, one step of " << program.getAccumulation()
      << (program.getAccumulation() == 1 ? " micro-batch" : " micro-batches")
      << ":\n";
  printMemory(program, out);
  if (!report->collectives.empty())
    printTraffic(*report, out);
  printGroups(program, out);
  out << "\n  arithmetic     "
      << scale(program.getFlops(), 1000,
               {"flop", "kflop", "Mflop", "Gflop", "Tflop", "Pflop", "Eflop"})
      << "\n";
  return success();
}

LogicalResult tessera::printPlanJson(ModuleOp module, llvm::raw_ostream &out) {
  FailureOr<Report> report = Report::make(module);
  if (failed(report))
    return failure();
  ProgramOp program = report->program;
  llvm::json::OStream json(out, 2);
  json.object([&] {
    json.attribute("name", report->name);
    json.attribute("world", program.getWorld());
    json.attribute("stage", program.getStage());
    json.attribute("shard_ranks", program.getShards());
    json.attribute("peak_bytes", program.getArenaBytes());
    json.attribute("parameters", report->parameters);
    json.attributeObject("memory", [&] {
      for (int64_t i = 0; i < kCategories; ++i) {
        auto category = static_cast<Category>(i);
        json.attribute(stringifyCategory(category),
                       program.getMemory(category));
      }
    });
    json.attributeArray("groups", [&] {
      for (const GroupFacts &facts : getGroupFacts(program))
        json.object([&] {
          zero::GroupOp op = facts.op;
          json.attribute("name", op.getSymName());
          json.attribute("parameters",
                         static_cast<int64_t>(op.getParameters().size()));
          json.attribute("elements", op.getElements());
          json.attribute("padded", op.getPadded());
          json.attribute("bucket_bytes", facts.bucketBytes);
          json.attribute("parameter_bytes", facts.parameterBytes);
          json.attribute("sharded", facts.isSharded);
          json.attribute("exceeds_limit", facts.exceedsLimit);
        });
    });
    json.attribute("offloaded_bytes", program.getOffloadBytes());
    json.attributeArray("collectives", [&] {
      for (auto [op, times] : report->collectives) {
        StartOp start = op;
        json.object([&, times = times] {
          json.attribute("kind", stringifyCollective(start.getKind()));
          json.attribute("group", start.getGroup() ? start.getGroup()->str()
                                                   : std::string());
          json.attribute("elements", start.getElements());
          json.attribute("ranks", start.getMembers(program.getWorld()));
          json.attribute("bytes", start.getReceivedBytes(program.getWorld()));
          json.attribute("times", times);
        });
      }
    });
    json.attribute("flops", program.getFlops());
  });
  out << "\n";
  return success();
}
