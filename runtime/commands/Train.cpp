//===- Train.cpp - The command train --------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/checkpoint/Checkpoint.h"
#include "runtime/checkpoint/CheckpointDirectory.h"
#include "runtime/checkpoint/Parameters.h"
#include "runtime/checkpoint/SameRun.h"
#include "runtime/commands/AllCommands.h"
#include "runtime/commands/Open.h"
#include "runtime/commands/Profile.h"
#include "runtime/commands/RunOutputs.h"
#include "runtime/commands/SharedOptions.h"
#include "runtime/commands/StopSignals.h"
#include "runtime/commands/TextData.h"
#include "runtime/commands/Validation.h"
#include "runtime/core/Environment.h"
#include "runtime/core/Error.h"
#include "runtime/core/Text.h"
#include "runtime/program/SlotNames.h"
#include "runtime/program/StepRecorder.h"
#include "runtime/training/Schedule.h"
#include "runtime/training/Step.h"
#include <chrono>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <sys/resource.h>
#include <unistd.h>
#include <utility>

namespace tessera::runtime {
namespace {

/// What ranks exchange before a step's update, beside stopBits.
constexpr uint8_t partWritten = 1, inputFailed = 2;
static_assert(((partWritten | inputFailed) & stopBits) == 0);

/// Reads the count of a library that wraps the allocator (test/runtime), where
/// one is loaded and TESSERA_COUNT_ALLOCATIONS=1 asks for it.
class AllocationCounter {
public:
  AllocationCounter() {
    if (environmentFlag("TESSERA_COUNT_ALLOCATIONS", false))
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

/// What the run begins with and where its checkpoints go.
struct Start {
  Progress progress;
  std::vector<int64_t> refused; ///< see FoundCheckpoint
  /// The checkpoint's folder and data, where there is one.
  std::string folder;
  std::optional<DataFingerprint> data;
};

void printSettings(const tessera_context &context, const Options &options,
                   const BatchSource &source, const Validation *validation,
                   const Profile *profile, const Progress &progress,
                   int64_t steps, int64_t copyBytes) {
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
  if (training.ramp.increment) {
    snprintf(text, sizeof text,
             "%" PRId64 " samples at first, %" PRId64
             " more at a time, all after %" PRId64 " samples",
             training.ramp.start, training.ramp.increment,
             training.ramp.samples);
    row("ramp", text);
  }
  row("data", source.describe());
  if (manifest.model.isGraph())
    row("graph", source.describeGraph());
  if (!manifest.model.isGraph() || training.sampling)
    row("order", progress.order);
  for (const auto &[name, value] : source.settings(steps))
    row(name.c_str(), value);
  row("optimizer",
      training.optimizer.kind + ", " + training.optimizer.settings);
  const ScheduleSpec &schedule = training.schedule;
  bool bySamples = schedule.countsSamples;
  int length =
      snprintf(text, sizeof text, "warmup %" PRId64 " %s, ",
               bySamples ? schedule.warmupSamples : schedule.warmupSteps,
               bySamples ? "samples" : "steps");
  if (schedule.kind == "cosine")
    snprintf(text + length, sizeof text - length, "cosine to %g at %s %" PRId64,
             schedule.minLr, bySamples ? "sample" : "step",
             bySamples ? schedule.decaySamples : schedule.decaySteps);
  else
    snprintf(text + length, sizeof text - length, "then constant");
  row("schedule", text);
  row("seed", std::to_string(progress.seed));
  row("arena", byteText(double(context.program->arenaBytes)) + " per rank");
  for (const auto &[name, text] : context.device->settings())
    row(name.c_str(), text);
  if (context.offload)
    row("offloaded", byteText(double(context.offload->size())) +
                         " per rank, in a file in " +
                         context.offload->directory());
  if (!options.checkpointDir.empty()) {
    std::string text = "every " + std::to_string(options.checkpointEvery) +
                       " steps to '" + options.checkpointDir + "'";
    if (copyBytes)
      text += " while steps go on, from a copy of " +
              byteText(double(copyBytes)) + " per rank";
    row("checkpoints", text);
  }
  if (validation)
    row("validation", validation->describe());
  if (profile)
    row("profile", profile->describe());
  if (training.maxSkips > 0)
    row("not finite", "skipped, at most " + std::to_string(training.maxSkips) +
                          " steps in a row");
  if (progress.step > 0)
    row("resumed", "after step " + std::to_string(progress.step));
  row("steps", std::to_string(steps));
  printf("\n");
  fflush(stdout);
}

SampleOrder orderOf(const std::string &name) {
  return name == "sequential" ? SampleOrder::Sequential : SampleOrder::Shuffled;
}

/// Ends the run where the checkpoint is of another one.
void requireSameRun(const tessera_context &context, const Options &options,
                    const CheckpointIndex &index) {
  if (index.model != context.manifest->name)
    fatal("'%s' is a checkpoint of the model '%s', this is '%s': give another "
          "--checkpoint-dir",
          index.folder.c_str(), index.model.c_str(),
          context.manifest->name.c_str());
  const Progress &progress = index.progress;
  if (options.seed && *options.seed != progress.seed)
    fatal("the checkpoint was made with seed %" PRIu64 ", not %" PRIu64
          ": leave --seed out to resume",
          progress.seed, *options.seed);
  if (!options.order.empty() && options.order != progress.order)
    fatal("the checkpoint was made with --order %s: leave --order out to "
          "resume",
          progress.order.c_str());
  requireSameSettings(*context.manifest, index, CheckpointUse::Resume,
                      options.allow);
}

/// Loads a checkpoint, a file of weights or random ones.
Start begin(const tessera_context &context, const Options &options) {
  Progress progress;
  progress.seed = options.seed.value_or(context.manifest->training.seed);
  progress.lossScale = initialLossScale(context.manifest->training);
  if (!options.order.empty())
    progress.order = options.order;
  if (!options.checkpointDir.empty())
    openCheckpointDirectory(context, options.checkpointDir, options.resume);
  if (options.resume) {
    if (auto found = findCheckpoint(context, options.checkpointDir)) {
      requireSameRun(context, options, found->index);
      loadCheckpoint(context, found->index, savedStates(*context.manifest));
      LossScale first = progress.lossScale;
      progress = found->index.progress;
      // The checkpoint may be of a run in another precision.
      bool isScaled = context.manifest->training.lossScaling.initial > 0;
      if (!isScaled || progress.lossScale == LossScale())
        progress.lossScale = first;
      return {progress, std::move(found->refused), found->index.folder,
              found->index.data};
    }
    if (context.rank() == 0)
      printf("'%s' has no checkpoint yet: starting at step 0\n",
             options.checkpointDir.c_str());
  }
  startParameters(context, options, progress.seed);
  return {progress, {}, {}, {}};
}

bool isFinite(const StepReport &report, const Program &program) {
  return std::isfinite(report.loss) && (std::isfinite(report.gradNorm) ||
                                        !program.output(slotNames::gradNorm));
}

/// Ends the run where a step that is not finite may not be skipped. All ranks
/// see the same loss and norm, so all do the same.
void requireSkippable(const StepReport &report, const Progress &progress,
                      int64_t maxSkips) {
  if (maxSkips == 0)
    fatal("the loss is %g and the gradient's norm %g at step %" PRId64
          ": the run stops before the weights are lost; lower the learning "
          "rate or resume from an earlier checkpoint, or compile with "
          "--set training.non_finite=SKIP",
          report.loss, report.gradNorm, report.step);
  if (progress.skippedInRow > maxSkips)
    fatal("the loss is %g and the gradient's norm %g at step %" PRId64
          ", after %" PRId64 " skipped steps in a row, which is all that "
          "training.max_skips allows: lower the learning rate or resume from "
          "an earlier checkpoint",
          report.loss, report.gradNorm, report.step, maxSkips);
  warning("the loss is %g and the gradient's norm %g at step %" PRId64
          ": it is skipped, the %" PRId64 ". of at most %" PRId64 " in a row",
          report.loss, report.gradNorm, report.step, progress.skippedInRow,
          maxSkips);
}

/// The last lines of a run; \p stopped is the signal that cut it short, or 0,
/// and \p found what validation says at the end.
void printEnd(const tessera_context &context, const Progress &progress,
              int stopped, const std::string &found,
              const CheckpointWriter *checkpoints) {
  std::string text = found;
  if (stopped)
    text += std::string("stopped by ") + stopSignalName(stopped) +
            " after step " + std::to_string(progress.step) +
            (checkpoints ? "; --resume goes on from there\n" : "\n");
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  text += "done: " + std::to_string(progress.step) +
          " steps, peak resident memory " +
          byteText(double(usage.ru_maxrss) * 1024);
  if (int64_t taken = context.device->memoryTaken(); taken >= 0)
    text += " beside " + std::to_string(taken) + " B on the GPU";
  text += ", of which the plan's arena " +
          byteText(double(context.program->arenaBytes));
  if (checkpoints && checkpoints->copyBytes())
    text += " and the checkpoint's copy " +
            byteText(double(checkpoints->copyBytes()));
  text += "\n";
  // The end waits for no reader.
  writeUnlessStopped(STDOUT_FILENO, text.data(),
                     static_cast<int64_t>(text.size()));
}

/// Ends the run by the \p error, null on ranks without one, for which \p what
/// is given up after \p step. All ranks call it, with all outputs written.
[[noreturn]] void endWithoutInput(Communicator &communicator, const char *error,
                                  const std::string &what, int64_t step) {
  std::string reason;
  if (error)
    reason = error + ("; " + what) +
             " is given up, and what was to be saved is of step " +
             std::to_string(step);
  communicator.failTogether(error ? reason.c_str() : nullptr);
}

} // namespace

static int runTrain(const Manifest &manifest, const Options &options) {
  using Clock = std::chrono::steady_clock;
  auto millisecondsSince = [](Clock::time_point begin) {
    return std::chrono::duration<double, std::milli>(Clock::now() - begin)
        .count();
  };
  requireProfilable();
  tessera_context &context =
      openTraining(manifest, options, Validation::arenaBytes(manifest));
  Communicator &communicator = *context.communicator;
  int64_t steps = options.steps.value_or(manifest.training.steps);
  RunOutputs outputs(context, options, steps);
  auto [progress, refused, resumed, savedData] = begin(context, options);
  std::unique_ptr<BatchSource> source =
      openData(manifest, options, orderOf(progress.order), progress.seed,
               communicator, sampleMemory(context));
  std::optional<DataFingerprint> data = source->fingerprint();
  if (!resumed.empty())
    requireSameData(resumed, savedData, data, options.allow);
  std::unique_ptr<Validation> validation =
      Validation::open(context, options, *source, progress);
  outputs.openCheckpoints(refused, progress.step, data);
  Profile *profile = outputs.profile();
  if (profile)
    profile->choose(progress.step, steps);
  CheckpointWriter *checkpoints = outputs.checkpoints();
  int64_t copyBytes = checkpoints ? checkpoints->copyBytes() : 0;
  bool root = context.rank() == 0;
  if (root)
    printSettings(context, options, *source, validation.get(), profile,
                  progress, steps, copyBytes);
  if (progress.step > steps)
    warning("the checkpoint is of step %" PRId64 ", beyond the %" PRId64
            " steps of this run: no step is made; --steps N goes on to step N",
            progress.step, steps);

  if (!options.trustData)
    source->verify(communicator, options.checkpointDir);
  TrainingStep step(context, *source);
  bool givenUp = false;
  double waited = 0; // for a checkpoint, in ms
  int64_t maxSkips = manifest.training.maxSkips;
  const LossScaling &scaling = manifest.training.lossScaling;
  double peak = context.device->peakFlops();
  double operationsAtOnce =
      double(context.program->flops) / double(manifest.training.accumulation);
  deferStopSignals();
  // The signal that ends the run; 0: none.
  int stopped = stopSignal(communicator.agree(notedStop()).any);
  AllocationCounter allocations;
  bool unmeasured = false; // since its data cannot be read
  auto measure = [&](int64_t at, StepReport &report) {
    uint8_t bits = 0;
    Validation::Outcome outcome = validation->run(at, progress, report, bits);
    if (outcome == Validation::Outcome::Stopped)
      stopped = stopSignal(bits);
    unmeasured = outcome == Validation::Outcome::Failed;
    allocations.mark();
    return outcome == Validation::Outcome::Better;
  };
  // What the interrupted run would have done next.
  if (validation && !stopped && validation->isDue(progress.step, steps) &&
      progress.validation.step < progress.step) {
    StepReport report;
    report.step = progress.step;
    if (measure(progress.step, report) && checkpoints &&
        validationOptions().keepBest)
      outputs.saveCheckpoint(progress);
    if (report.scoreCount)
      outputs.log.writeScores(report);
  }
  auto isInVain = [&] { return validation && validation->isInVain(progress); };
  while (progress.step < steps && !stopped && !unmeasured && !isInVain()) {
    Clock::time_point begin = Clock::now();
    context.communicationMilliseconds = 0;
    StepReport report;
    report.step = progress.step + 1;
    setErrorStep(report.step);
    if (profile)
      profile->beginStep(report.step);
    report.loss = step.computeGradients(progress);
    report.gradNorm = context.output(slotNames::gradNorm);
    // One meeting per step; a rank without its input has taken part in all
    // others with zeros.
    auto agree = [&] {
      RecordedSpan recorded(Span::meeting);
      return communicator.agree(
          notedStop() |
          (checkpoints && checkpoints->partIsWritten() ? partWritten : 0) |
          (source->error() ? inputFailed : 0));
    };
    Communicator::Agreement agreement = agree();
    givenUp = agreement.any & inputFailed;
    if (givenUp)
      break;
    bool finite = isFinite(report, *context.program);
    if (finite)
      step.update(progress);
    report.batch = globalBatchAt(manifest.training, progress.samples);
    report.lr = learningRate(manifest.training,
                             {report.step, progress.samples + report.batch});
    report.tokens = source->tokens(step.batchAt(progress.samples));
    report.seeds = source->seeds(step.batchAt(progress.samples));
    report.epoch = source->epochs(progress.samples + report.batch);
    if (report.tokens)
      report.tokensSeen =
          (progress.samples + report.batch) * manifest.model.sequence;
    report.lossScale = scaling.initial > 0 ? progress.lossScale.scale : 0;
    // In fp16 a smaller scale may help.
    bool shrunk = false;
    if (scaling.initial > 0 && finite)
      growLossScale(scaling, progress.lossScale);
    else if (scaling.initial > 0)
      shrunk = shrinkLossScale(scaling, progress.lossScale);
    report.skipped = !finite && (shrunk || maxSkips > 0);
    double mean = progress.losses.mean;
    report.spike = finite && progress.losses.observe(report.loss);
    report.milliseconds = millisecondsSince(begin);
    if (profile)
      profile->endStep(report.step);
    // A device communicates while the host goes on.
    if (context.size() > 1 && !context.device->isAsynchronous())
      report.communication = context.communicationMilliseconds;
    if (peak > 0)
      report.mfu = operationsAtOnce *
                   double(step.batchAt(progress.samples).microBatches) /
                   (report.milliseconds * 1e-3 * peak);
    report.checkpointMilliseconds = std::exchange(waited, 0);
    report.allocations = allocations.sinceMark();
    allocations.mark();
    stopped = stopSignal(agreement.any);
    bool better = validation && !stopped &&
                  validation->isDue(report.step, steps) &&
                  measure(report.step, report);
    outputs.log.write(report);
    progress.step = report.step;
    progress.samples += report.batch;
    progress.skipped += !finite;
    progress.skippedInRow = finite || shrunk ? 0 : progress.skippedInRow + 1;
    if (!finite && !shrunk)
      requireSkippable(report, progress, maxSkips);
    if (report.spike)
      warning("the loss of step %" PRId64 ", %g, is a spike: the running mean "
              "is %g",
              report.step, report.loss, mean);
    if (profile && profile->isDue(progress.step)) {
      profile->write();
      allocations.mark();
    }
    if (agreement.all & partWritten)
      checkpoints->commit();
    if (checkpoints && (progress.step % options.checkpointEvery == 0 ||
                        (better && validationOptions().keepBest))) {
      begin = Clock::now();
      outputs.saveCheckpoint(progress);
      waited = millisecondsSince(begin);
      allocations.mark();
    }
  }
  setErrorStep(0);
  bool endsEarly = !stopped && isInVain();
  bool cutShort = progress.step < steps && !endsEarly;
  // Before the very first step nothing is learned.
  outputs.finish(progress, progress.step > 0 || !cutShort);
  if (givenUp)
    endWithoutInput(communicator, source->error(),
                    "step " + std::to_string(progress.step + 1), progress.step);
  if (unmeasured)
    endWithoutInput(communicator, validation->error(), "validation",
                    progress.step);
  if (root) {
    std::string found;
    if (endsEarly && progress.step < steps)
      found = "ended early: no measurement since step " +
              std::to_string(progress.validation.bestStep) + " was better\n";
    if (validation)
      found += validation->describeBest(progress, options);
    printEnd(context, progress, cutShort ? stopped : 0, found, checkpoints);
  }
  communicator.finish();
  if (stopped && cutShort)
    return 128 + stopped;
  return outputs.log.failed() || (profile && profile->failed()) ? 1 : 0;
}

static void storeSteps(Options &options, const std::string &text) {
  options.steps = readInteger("--steps", text, 0);
}

static void storeCheckpointEvery(Options &options, const std::string &text) {
  options.checkpointEvery = readInteger("--checkpoint-every", text, 1);
}

static void storeLogEvery(Options &options, const std::string &text) {
  options.logEvery = readInteger("--log-every", text, 1);
}

static void checkOptions(const Options &options) {
  checkProfileOptions();
  if (validationOptions().keepBest && options.checkpointDir.empty())
    refuseCommandLine("%s", "--keep-best needs --checkpoint-dir DIR, where the "
                            "checkpoints go");
  if (options.resume && options.checkpointDir.empty())
    refuseCommandLine("%s", "--resume needs --checkpoint-dir DIR, where the "
                            "checkpoints are");
  if (options.checkpointAsync && options.checkpointDir.empty())
    refuseCommandLine("%s", "--checkpoint-async needs --checkpoint-dir DIR, "
                            "where the checkpoints go");
}

static constexpr char graphsAreChecked[] =
    "a graph has no tokens, and is checked when it is read";

static constexpr Option options[] = {
    required(dataOption),
    dataTypeOption,
    fieldOption,
    linesOption,
    endOption,
    noEndOption,
    ofTexts<graphsAreChecked>(
        {"--trust-data", nullptr,
         "do not look through the data for tokens outside the vocabulary at "
         "the start",
         keepFlag<&Options::trustData>}),
    {"--steps", "N", "train until step N (default: the specification's)",
     storeSteps},
    initOption,
    {"--save", "PATH",
     "write the weights at the end: a file that ends in .safetensors, or a new "
     "or empty folder that transformers loads",
     keepText<&Options::save>},
    checkpointDirOption,
    {"--checkpoint-every", "K",
     "a checkpoint every K steps (default 100; one at the end in any case)",
     storeCheckpointEvery},
    {"--checkpoint-async", nullptr,
     "write checkpoints while steps go on, from a copy in memory",
     keepFlag<&Options::checkpointAsync>},
    {"--resume", nullptr,
     "go on from the newest checkpoint in --checkpoint-dir",
     keepFlag<&Options::resume>},
    allowOption,
    evalDataOption,
    evalEveryOption,
    evalSamplesOption,
    keepBestOption,
    patienceOption,
    offloadDirOption,
    seedOption,
    {"--log", "FILE",
     "write a line of JSON each step to FILE (--resume appends)",
     keepText<&Options::log>},
    {"--log-every", "N",
     "write lines of each N-th step, the first and the last (default 1)",
     storeLogEvery},
    profileOption,
    profileStepsOption,
    profileRanksOption,
    orderOption};

const Command trainCommand = {.name = "train",
                              .summary = "train the model",
                              .options = options,
                              .run = runTrain,
                              .check = checkOptions,
                              .isOfAllRanks = true,
                              .runsPrograms = true,
                              .usesThreads = true,
                              .readerMayLeave = true};

} // namespace tessera::runtime
