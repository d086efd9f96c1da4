//===- MemoryLimit.cpp - Plans that are too large ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/MemoryLimit.h"
#include "dialects/plan/Plan.h"
#include "dialects/spec/Spec.h"
#include "report/GroupReport.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace tessera;

static int64_t getTrainingBytes(ModuleOp module) {
  auto program = module.lookupSymbol<plan::ProgramOp>("train");
  return program ? static_cast<int64_t>(program.getArenaBytes()) : 0;
}

namespace {

using Remedy = PlanReport::Remedy;

/// Plans the same specification with other settings.
class Remedies {
public:
  Remedies(ModuleOp module, const Planner &planner, int64_t limit)
      : training(spec::getSpecification(module).getTraining()),
        parallel(spec::getParallel(module)), planner(planner), limit(limit),
        bytes(getTrainingBytes(module)) {
    if (auto program = module.lookupSymbol<plan::ProgramOp>("train"))
      for (const GroupFacts &facts : getGroupFacts(program))
        largestBucket = std::max(largestBucket, facts.bucketBytes);
  }

  /// One change each that makes training take less, and, where none of them is
  /// enough, all of them together.
  std::vector<Remedy> find();

private:
  std::optional<Remedy> plan(std::vector<std::string> settings);
  void tryRecompute();
  void tryStages();
  void tryMicroBatches();
  void tryBuckets();
  void tryWorlds();
  /// Adds the first of \p choices, best last, that is enough, or else the last
  /// one, if it helps at all.
  void addFirstThatFits(llvm::ArrayRef<std::vector<std::string>> choices);
  bool fits(const Remedy &remedy) { return remedy.bytes <= limit; }

  spec::TrainingAttr training;
  spec::ParallelAttr parallel;
  const Planner &planner;
  int64_t limit, bytes;
  int64_t largestBucket = 0; ///< bytes of gradients
  std::vector<Remedy> found;
};

} // namespace

std::optional<Remedy> Remedies::plan(std::vector<std::string> settings) {
  std::vector<std::string> all = settings;
  // What the compiler chooses within the limit is at best this.
  if (training.getRecompute() == spec::Recompute::Auto)
    all.push_back("training.recompute=LAYER");
  // Whatever takes less is of interest, beyond the limit too.
  all.push_back("training.memory_limit=" + std::to_string(bytes) + "B");
  Planner::Outcome outcome = planner.plan(all);
  if (!outcome.report)
    return std::nullopt;
  return Remedy{std::move(settings), outcome.report->peak};
}

void Remedies::addFirstThatFits(
    llvm::ArrayRef<std::vector<std::string>> choices) {
  std::optional<Remedy> best;
  for (const std::vector<std::string> &settings : choices) {
    std::optional<Remedy> remedy = plan(settings);
    if (!remedy || remedy->bytes >= (best ? best->bytes : bytes))
      continue;
    best = remedy;
    if (fits(*best))
      break;
  }
  if (best)
    found.push_back(*best);
}

void Remedies::tryRecompute() {
  if (training.getRecompute() == spec::Recompute::None)
    addFirstThatFits({{"training.recompute=LAYER"}});
}

void Remedies::tryStages() {
  std::vector<std::vector<std::string>> choices;
  if (parallel.getWorld() > 1)
    for (int64_t stage = parallel.getZeroStage() + 1; stage <= 3; ++stage)
      choices.push_back({"parallel.zero_stage=" + std::to_string(stage)});
  addFirstThatFits(choices);
}

/// Fewer samples at once, more times.
void Remedies::tryMicroBatches() {
  int64_t micro = training.getMicroBatch();
  std::vector<std::vector<std::string>> choices;
  for (int64_t size = micro - 1; size >= 1; --size) {
    while (micro % size)
      --size;
    std::string text = std::to_string(size);
    // Without a global batch it would follow from that of a sample.
    if (training.getSampling())
      choices.push_back({"training.sampling.batch=" + text,
                         "training.global_batch=" +
                             std::to_string(training.getGlobalBatch())});
    else
      choices.push_back({"training.micro_batch=" + text});
  }
  addFirstThatFits(choices);
}

/// Gradients that are reduced in smaller parts.
void Remedies::tryBuckets() {
  constexpr int64_t least = 64 << 10;
  std::vector<std::vector<std::string>> choices;
  if (parallel.getWorld() > 1)
    for (int64_t size = largestBucket / 2; size >= least; size /= 2)
      choices.push_back({"parallel.bucket_bytes=" + std::to_string(size)});
  addFirstThatFits(choices);
}

/// More ranks for the same batch. They help where something is partitioned.
void Remedies::tryWorlds() {
  constexpr int64_t most = 6;
  int64_t world = parallel.getWorld(), stage = parallel.getZeroStage();
  bool alone = world == 1;
  auto settings = [&](int64_t ranks) {
    std::vector<std::string> all = {"parallel.world=" + std::to_string(ranks)};
    if (alone && stage < 3)
      all.push_back("parallel.zero_stage=3");
    return all;
  };
  std::vector<std::vector<std::string>> choices;
  for (int64_t i = 1; i <= most && (alone || stage > 0); ++i) {
    // Those between the doubles that a specification can have, so that the
    // fewest are found.
    constexpr int64_t few = 8;
    int64_t low = world << (i - 1), high = world << i;
    for (int64_t ranks = low + 1; ranks < high && high <= few * world; ++ranks)
      if (planner.isValid(settings(ranks)))
        choices.push_back(settings(ranks));
    choices.push_back(settings(high));
  }
  addFirstThatFits(choices);
}

std::vector<Remedy> Remedies::find() {
  tryRecompute();
  tryStages();
  tryMicroBatches();
  tryBuckets();
  tryWorlds();
  auto less = [](const Remedy &a, const Remedy &b) {
    return a.bytes < b.bytes;
  };
  auto least = llvm::min_element(found, less);
  if (found.size() > 1 && !fits(*least)) {
    std::vector<std::string> all;
    for (const Remedy &remedy : found)
      llvm::append_range(all, remedy.settings);
    std::optional<Remedy> together = plan(all);
    if (together && less(*together, *least))
      found.push_back(*together);
  }
  return std::move(found);
}

std::vector<Remedy>
tessera::findRemedies(ModuleOp module, const Planner &planner, int64_t limit) {
  return Remedies(module, planner, limit).find();
}

LogicalResult tessera::checkMemoryLimit(ModuleOp module, StringRef place,
                                        const Planner *planner,
                                        llvm::raw_ostream &errors) {
  int64_t limit = spec::getMemoryLimit(module);
  int64_t bytes = getTrainingBytes(module);
  if (bytes <= limit)
    return success();
  std::vector<Remedy> remedies;
  if (planner)
    remedies = findRemedies(module, *planner, limit);
  errors << llvm::formatv(
      "{0}: error: training takes {1:N} bytes per rank, {2:N} more than "
      "`training.memory_limit` allows; ",
      place, bytes, bytes - limit);
  if (remedies.empty()) {
    errors << "give a higher limit, a smaller model or a shorter sequence\n";
    return failure();
  }
  errors << "give a higher limit, or:\n";
  printRemedies(remedies, limit, errors);
  return failure();
}
