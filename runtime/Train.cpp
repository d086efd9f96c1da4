//===- Train.cpp - The command train --------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/Checkpoint.h"
#include "runtime/Commands.h"
#include "runtime/Error.h"
#include "runtime/Log.h"
#include "runtime/Parameters.h"
#include "runtime/Schedule.h"
#include "runtime/Step.h"
#include <chrono>
#include <cinttypes>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <sys/resource.h>

namespace tessera {
namespace {

volatile sig_atomic_t stopSignal = 0;

/// The first signal lets the step finish; a second one ends the process.
void requestStop(int number) {
  stopSignal = number;
  signal(number, SIG_DFL);
}

/// Reads the count of a library that wraps the allocator (test/runtime), where
/// one is loaded and TESSERA_COUNT_ALLOCATIONS=1 asks for it.
class AllocationCounter {
public:
  AllocationCounter() {
    const char *wanted = getenv("TESSERA_COUNT_ALLOCATIONS");
    if (wanted && !strcmp(wanted, "1"))
      read = reinterpret_cast<int64_t (*)()>(
          dlsym(RTLD_DEFAULT, "tessera_interposed_allocations"));
    mark();
  }
  void mark() { last = read ? read() : 0; }
  /// Allocations since the last mark, -1 where nobody counts.
  int64_t sinceMark() const { return read ? read() - last : -1; }

private:
  int64_t (*read)() = nullptr;
  int64_t last = 0;
};

void printSettings(const tsr_context &context, const BatchSource &source,
                   const Progress &progress, int64_t steps) {
  const Manifest &manifest = *context.manifest;
  const Training &training = manifest.training;
  auto row = [](const char *name, const std::string &value) {
    printf("  %-12s %s\n", name, value.c_str());
  };
  char text[256];
  printf("%s: training\n", manifest.name.c_str());
  row("parameters", countText(manifest.parameterCount()));
  snprintf(text, sizeof text,
           "%d (ZeRO stage %d, communication: %s), %d "
           "thread%s each",
           context.size(), training.stage, context.communicator->form(),
           context.threads, context.threads == 1 ? "" : "s");
  row("ranks", text);
  if (!manifest.model.isGraph()) {
    snprintf(text, sizeof text,
             "%" PRId64 " samples of %" PRId64 " tokens (%" PRId64 " x %" PRId64
             " micro-batches x %d ranks)",
             training.globalBatch, manifest.model.sequence, training.microBatch,
             training.accumulation, context.size());
    row("batch", text);
  }
  row("data", source.describe());
  if (!manifest.model.isGraph())
    row("order", progress.order);
  snprintf(text, sizeof text,
           "AdamW, lr %g, betas %g %g, eps %g, weight decay %g, clip %g",
           training.optimizer.lr, training.optimizer.beta1,
           training.optimizer.beta2, training.optimizer.eps,
           training.optimizer.weightDecay, training.optimizer.clip);
  row("optimizer", text);
  if (training.schedule.kind == "cosine")
    snprintf(text, sizeof text,
             "warmup %" PRId64 " steps, cosine to %g at step %" PRId64,
             training.schedule.warmupSteps, training.schedule.minLr,
             training.schedule.decaySteps);
  else
    snprintf(text, sizeof text, "warmup %" PRId64 " steps, then constant",
             training.schedule.warmupSteps);
  row("schedule", text);
  row("seed", std::to_string(progress.seed));
  row("arena", byteText(double(context.program->arenaBytes)) + " a rank");
  if (progress.step > 0)
    row("resumed", "after step " + std::to_string(progress.step));
  row("steps", std::to_string(steps));
  printf("\n");
  fflush(stdout);
}

SampleOrder orderOf(const std::string &name) {
  return name == "sequential" ? SampleOrder::sequential : SampleOrder::shuffled;
}

/// What the run begins with: a checkpoint, a file of weights or random ones.
Progress startingPoint(const tsr_context &context, const Options &options) {
  Progress progress;
  progress.seed = options.seed.value_or(context.manifest->training.seed);
  if (!options.order.empty())
    progress.order = options.order;
  if (!options.checkpointDir.empty())
    openCheckpointDirectory(context, options.checkpointDir);
  if (options.resume) {
    if (auto found = loadCheckpoint(context, options.checkpointDir)) {
      if (options.seed && *options.seed != found->seed)
        fatal("the checkpoint was made with seed %" PRIu64 ", not %" PRIu64
              ": leave --seed out to resume",
              found->seed, *options.seed);
      if (!options.order.empty() && options.order != found->order)
        fatal("the checkpoint was made with --order %s: leave --order out to "
              "resume",
              found->order.c_str());
      return *found;
    }
    if (context.rank() == 0)
      printf("'%s' has no checkpoint yet: starting at step 0\n",
             options.checkpointDir.c_str());
  }
  if (options.init.empty())
    initializeParameters(context, progress.seed);
  else
    loadParameters(context, options.init);
  return progress;
}

void requireFinite(const StepReport &report, const Program &program) {
  if (std::isfinite(report.loss) &&
      (std::isfinite(report.gradNorm) || !program.output("grad_norm")))
    return;
  fatal("the loss is %g and the gradient's norm %g at step %" PRId64
        ": the run stops before the weights are lost; lower the learning rate "
        "or resume from an earlier checkpoint",
        report.loss, report.gradNorm, report.step);
}

} // namespace

int runTrain(const Manifest &manifest, const Options &options) {
  using Clock = std::chrono::steady_clock;
  tsr_context &context = openTraining(manifest);
  Communicator &communicator = *context.communicator;
  Progress progress = startingPoint(context, options);
  std::unique_ptr<BatchSource> source =
      openBatchSource(manifest, options.data, orderOf(progress.order),
                      progress.seed, context.rank(), context.size());
  int64_t steps = options.steps.value_or(manifest.training.steps);
  bool root = context.rank() == 0;
  if (root)
    printSettings(context, *source, progress, steps);

  TrainingStep step(context, *source);
  StepLog log(!root, options.log, options.resume, steps);
  for (int number : {SIGTERM, SIGINT})
    signal(number, requestStop);
  bool checkpoints = !options.checkpointDir.empty(), stopped = false;
  int64_t saved = progress.step;
  communicator.barrier();
  AllocationCounter allocations;
  while (progress.step < steps && !stopped) {
    Clock::time_point begin = Clock::now();
    int64_t number = progress.step + 1;
    step.computeGradients(number, progress.samples);
    StepReport report;
    report.loss = context.output("loss");
    step.update(number, progress.samples);
    report.gradNorm = context.output("grad_norm");
    report.step = number;
    report.lr = learningRate(manifest.training, number);
    report.tokens = source->tokensPerStep();
    report.milliseconds =
        std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
    report.allocations = allocations.sinceMark();
    allocations.mark();
    log.write(report);
    requireFinite(report, *context.program);
    progress.step = number;
    progress.samples += manifest.training.globalBatch;
    stopped = communicator.any(stopSignal != 0);
    if (checkpoints && number % options.checkpointEvery == 0) {
      saveCheckpoint(context, options.checkpointDir, progress);
      saved = number;
      allocations.mark();
    }
  }
  log.clear();
  if (checkpoints && saved != progress.step)
    saveCheckpoint(context, options.checkpointDir, progress);
  if (!stopped && !options.save.empty())
    saveParameters(context, options.save);
  if (root) {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    if (stopped)
      printf("stopped by a signal after step %" PRId64 "%s\n", progress.step,
             checkpoints ? "; --resume goes on from there" : "");
    printf("done: %" PRId64 " steps, peak resident memory %s, of which the "
           "plan's arena %s\n",
           progress.step, byteText(double(usage.ru_maxrss) * 1024).c_str(),
           byteText(double(context.program->arenaBytes)).c_str());
    fflush(stdout);
  }
  communicator.finish();
  return 0;
}

} // namespace tessera
