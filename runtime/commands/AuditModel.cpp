//===- AuditModel.cpp - A model that an audit trains and asks -------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/AuditModel.h"
#include "runtime/checkpoint/Parameters.h"
#include "runtime/core/Error.h"
#include "runtime/core/Threads.h"
#include "runtime/program/SlotNames.h"
#include "runtime/training/Step.h"
#include <algorithm>
#include <cmath>
#include <cstring>

namespace tessera::runtime {

AuditArena::AuditArena(const std::vector<const Manifest *> &manifests,
                       int localRank, int localSize)
    : openedDevice(tessera_open_device(manifests.front(), localRank)) {
  Program whole;
  for (const Manifest *manifest : manifests)
    for (const auto &[name, program] : manifest->programs)
      size = std::max(size, program.arenaBytes);
  whole.arenaBytes = size;
  if (manifests.front()->device.empty())
    requireMemory(size, localSize);
  arena = openedDevice->allocateArena(whole);
}

void AuditArena::clear() const {
  openedDevice->write(arena, size, [](char *host, int64_t begin, int64_t end) {
    memset(host + begin, 0, end - begin);
  });
}

/// Exits the process where programs of \p manifest have parameters in different
/// places: what one has trained another could not read.
static void requireSharedParameters(const Manifest &manifest) {
  const Program &first = manifest.program("train");
  for (const auto &[name, program] : manifest.programs)
    for (int group = 0; group < std::ssize(manifest.groups); ++group) {
      const State *mine = program.state(parameterState, group);
      const State *trained = first.state(parameterState, group);
      if (!mine || !trained || mine->offset != trained->offset ||
          mine->elements != trained->elements)
        fatal("the program '%s' has the parameters of '%s' in another place "
              "than 'train': compile the specification again",
              name.c_str(), manifest.groups[group].name.c_str());
    }
}

AuditModel::AuditModel(const Manifest &manifest, const AuditArena &arena,
                       int threads)
    : manifest(manifest), arena(arena),
      threads(std::min(threads, manifest.maxThreads)) {
  requireSharedParameters(manifest);
  open("train").prepareGemms();
}

tessera_context &AuditModel::open(const std::string &program) {
  setThreads(threads);
  std::unique_ptr<tessera_context> &context = contexts[program];
  if (!context) {
    context = std::make_unique<tessera_context>();
    context->manifest = &manifest;
    context->program = &manifest.program(program);
    context->device = &arena.device();
    context->arena = arena.address();
    context->threads = threads;
  }
  return *context;
}

void AuditModel::initialize(uint64_t newSeed) {
  arena.clear();
  seed = newSeed;
  initializeParameters(open("train"), seed);
}

void AuditModel::load(const std::string &path) {
  arena.clear();
  loadParameters(open("train"), path, {});
}

void AuditModel::train(BatchSource &source, int64_t steps) {
  tessera_context &context = open("train");
  TrainingStep step(context, source);
  Progress progress;
  progress.seed = seed;
  progress.lossScale = initialLossScale(manifest.training);
  while (progress.step < steps) {
    if (onStep)
      onStep();
    float loss = step.computeGradients(progress);
    if (!std::isfinite(loss))
      fatal("the loss of '%s' is %g at step %lld: lower the learning rate",
            manifest.name.c_str(), loss,
            static_cast<long long>(progress.step + 1));
    step.update(progress);
    ++progress.step;
    progress.samples += manifest.training.globalBatch;
  }
}

std::vector<float>
AuditModel::predict(const char *program,
                    const std::function<void(const tessera_context &)> &fill) {
  tessera_context &context = open(program);
  fill(context);
  context.run(context.entry((std::string(program) + ".run").c_str()));
  const Slot *slot = context.program->output(slotNames::logits);
  if (!slot)
    fatal("the program '%s' gives no '%s': compile the specification again",
          program, slotNames::logits);
  std::vector<float> logits(slot->elements());
  context.device->read(logits.data(), context.arena + slot->offset,
                       slot->bytes());
  return logits;
}

} // namespace tessera::runtime
