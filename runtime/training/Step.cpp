//===- Step.cpp - One training step ---------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/training/Step.h"
#include "runtime/core/Error.h"
#include "runtime/core/Random.h"
#include "runtime/program/SlotNames.h"
#include "runtime/program/StepRecorder.h"
#include "runtime/training/Schedule.h"
#include <algorithm>
#include <cinttypes>
#include <cstring>

namespace tessera::runtime {

/// Words of a draw's row of the input `draws`.
static constexpr int64_t drawWords = 4;

[[noreturn]] static void failForInput(const Slot &slot) {
  fatal("the program 'train' has an input '%s' that this runtime does not know",
        slot.name.c_str());
}

/// Exits the process where an input has another size than what fills it.
static void requireRoom(const Slot &slot, const Manifest &manifest) {
  size_t count = slot.elements();
  if (slot.name == slotNames::hyper)
    count = manifest.training.optimizer.scalars.size();
  if (slot.name == slotNames::classEnds) {
    count = 0;
    for (const Group &group : manifest.groups)
      count += group.classEnds.size();
  }
  // Whole draws.
  if (slot.name == slotNames::draws)
    count = (count + drawWords - 1) / drawWords * drawWords;
  if (count != size_t(slot.elements()))
    fatal("the embedded manifest gives input '%s' %" PRId64
          " elements, but %zu fill it",
          slot.name.c_str(), slot.elements(), count);
}

TrainingStep::TrainingStep(tessera_context &context, BatchSource &source)
    : context(context), source(source), begin(context.entry("train.begin")),
      micro(context.entry("train.micro")),
      reduce(context.entry("train.reduce")),
      apply(context.entry("train.update")) {
  std::vector<const Slot *> once;
  for (const Slot &slot : context.program->inputs) {
    requireRoom(slot, *context.manifest);
    // Some are filled when the program is opened: see fillRotary.
    if (slot.when == "load" && slot.name != slotNames::rotary)
      once.push_back(&slot);
    bool known = false;
    for (const char *when : {"load", "begin", "micro", "reduce", "update"})
      known = known || slot.when == when;
    if (!known)
      fatal("the embedded manifest fills input '%s' at an unknown time '%s'",
            slot.name.c_str(), slot.when.c_str());
  }
  if (const Slot *slot = source.load(context, once))
    failForInput(*slot);
}

GlobalBatch TrainingStep::batchAt(int64_t position) const {
  const Training &training = context.manifest->training;
  int64_t samplesAtOnce = training.globalBatch / training.accumulation;
  return {position, globalBatchAt(training, position) / samplesAtOnce};
}

int64_t classEnd(const Training &training, const Group &group, int64_t end,
                 int rank) {
  bool whole = training.stage == 0;
  int shards = training.shardRanks;
  int64_t part = whole ? group.padded : group.padded / shards;
  int64_t begin = whole ? 0 : part * (rank % shards);
  return std::clamp<int64_t>(end - begin, 0, part);
}

/// What the draws of a step begin with: see nn.random_bits.
static void fillDraws(const Slot &slot, const Progress &progress,
                      int32_t *words) {
  for (uint32_t draw = 0; draw < slot.elements() / drawWords; ++draw)
    for (uint64_t word : {uint64_t(progress.step), uint64_t(dropoutWord(draw)),
                          progress.seed, progress.seed >> 32})
      *words++ = static_cast<int32_t>(static_cast<uint32_t>(word));
}

void TrainingStep::fill(const char *when, const Progress &progress,
                        int64_t index) {
  RecordedSpan recorded(Span::inputs);
  const Training &training = context.manifest->training;
  GlobalBatch batch = batchAt(progress.samples);
  for (const Slot &slot : context.program->inputs) {
    if (slot.when != when)
      continue;
    char *address = context.device->beginInput(context, slot);
    if (slot.name == slotNames::scale) {
      auto scale =
          static_cast<float>(source.scale(batch) * progress.lossScale.scale);
      memcpy(address, &scale, sizeof scale);
    } else if (slot.name == slotNames::unscale) {
      auto unscale = static_cast<float>(1 / progress.lossScale.scale);
      memcpy(address, &unscale, sizeof unscale);
    } else if (slot.name == slotNames::hyper) {
      int64_t end =
          progress.samples + globalBatchAt(training, progress.samples);
      fillHyper(training, {progress.step + 1, end}, progress.updates() + 1,
                reinterpret_cast<float *>(address));
    } else if (slot.name == slotNames::draws) {
      fillDraws(slot, progress, reinterpret_cast<int32_t *>(address));
    } else if (slot.name == slotNames::classEnds) {
      auto *ends = reinterpret_cast<int64_t *>(address);
      for (const Group &group : context.manifest->groups)
        for (int64_t end : group.classEnds)
          *ends++ = classEnd(training, group, end, context.rank());
    } else if (!source.fill(slot, address, batch, index)) {
      failForInput(slot);
    }
    context.device->commitInput(context, slot);
  }
}

void TrainingStep::run(const tessera_entry &section, int64_t index) {
  RecordedSection recorded(section, index);
  context.run(section);
}

float TrainingStep::computeGradients(const Progress &progress) {
  fill("begin", progress);
  run(begin);
  int64_t count = batchAt(progress.samples).microBatches;
  for (int64_t i = 0; i < count; ++i) {
    fill("micro", progress, i);
    run(micro, i);
  }
  fill("reduce", progress);
  run(reduce);
  return static_cast<float>(context.output(slotNames::loss) /
                            progress.lossScale.scale);
}

void TrainingStep::update(const Progress &progress) {
  fill("update", progress);
  run(apply);
}

} // namespace tessera::runtime
