//===- Training.cpp - What training may be --------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/spec/Limits.h"
#include "frontends/validation/Validator.h"
#include "runtime/core/Text.h"

using namespace tessera;

std::string tessera::getMultiplesNear(int64_t number, int64_t unit) {
  int64_t below = number / unit * unit;
  return (below ? std::to_string(below) + " or " : std::string()) +
         std::to_string(below + unit);
}

void Validator::checkBatches() {
  if (!message.has_transformer())
    return;
  require("training.global_batch", "give the samples of one step");
  if (!sound({"training.global_batch"}) ||
      llvm::is_contained(refused, "parallel.world") ||
      llvm::is_contained(refused, "training.micro_batch"))
    return;
  int64_t global = message.training().global_batch();
  int64_t world = message.parallel().world();
  bool hasMicro = given("training.micro_batch");
  int64_t micro = hasMicro ? message.training().micro_batch() : 1;
  if (global % (micro * world) != 0) {
    int64_t unit = micro * world;
    std::string product =
        hasMicro
            ? "`training.micro_batch` * `parallel.world` (" +
                  std::to_string(micro) + " * " + std::to_string(world) + ")"
            : "`parallel.world` (" + std::to_string(world) + ")";
    diagnostics.error("training.global_batch",
                      "`training.global_batch` (" + llvm::Twine(global) +
                          ") is not divisible by " + product,
                      "give a global batch of " +
                          getMultiplesNear(global, unit) +
                          (hasMicro ? ", or a smaller micro batch" : ""));
    return;
  }
  if (!hasMicro)
    micro = global / world;
  if (message.training().has_batch_ramp())
    checkRamp(micro * world);
  if (sound({"transformer.sequence_length"}) &&
      micro * message.transformer().sequence_length() > 16777216)
    diagnostics.error(
        hasMicro ? "training.micro_batch" : "training.global_batch",
        "a micro-batch of " + llvm::Twine(micro) + " samples has " +
            llvm::Twine(micro * message.transformer().sequence_length()) +
            " tokens",
        "give a `training.micro_batch` of at most " +
            llvm::Twine(std::max<int64_t>(
                1, 16777216 / message.transformer().sequence_length())));
}

/// Each batch of a ramp must be whole micro-batches, \p unit samples.
void Validator::checkRamp(int64_t unit) {
  const spec::Training &training = message.training();
  const spec::BatchRamp &ramp = training.batch_ramp();
  for (const char *path :
       {"training.batch_ramp.start", "training.batch_ramp.increment",
        "training.batch_ramp.samples"})
    require(path, "give start, increment and samples");
  if (training.l2_penalty() != 0)
    diagnostics.error("training.l2_penalty",
                      "`training.l2_penalty` is for batches of one size, not "
                      "with `training.batch_ramp`",
                      "give `training.optimizer.weight_decay` instead");
  if (!sound({"training.batch_ramp.start", "training.batch_ramp.increment"}))
    return;
  for (auto [path, samples] :
       {std::pair("training.batch_ramp.start", ramp.start()),
        {"training.batch_ramp.increment", ramp.increment()}})
    if (samples % unit != 0) {
      diagnostics.error(path,
                        "`" + llvm::Twine(path) + "` (" + llvm::Twine(samples) +
                            ") is not divisible by `training.micro_batch` * "
                            "`parallel.world` (" +
                            llvm::Twine(unit / message.parallel().world()) +
                            " * " + llvm::Twine(message.parallel().world()) +
                            ")",
                        "give " + getMultiplesNear(samples, unit) +
                            ", or a smaller " + "`training.micro_batch`");
      return;
    }
  int64_t global = training.global_batch();
  if (ramp.start() >= global)
    diagnostics.error("training.batch_ramp.start",
                      "`training.batch_ramp.start` (" +
                          llvm::Twine(ramp.start()) +
                          ") is not below `training.global_batch` (" +
                          llvm::Twine(global) + ")",
                      "give a smaller start, or no ramp");
  else if ((global - ramp.start()) % ramp.increment() != 0)
    diagnostics.error(
        "training.batch_ramp.increment",
        "steps of " + llvm::Twine(ramp.increment()) + " do not lead from " +
            llvm::Twine(ramp.start()) + " to `training.global_batch` (" +
            llvm::Twine(global) + ")",
        "give an increment that divides " + llvm::Twine(global - ramp.start()));
}

void Validator::checkMemory() {
  const spec::Training &training = message.training();
  const char *example = "give a number and a unit, such as \"24GB\" or "
                        "\"512MiB\"";
  if (training.has_memory_limit()) {
    if (!runtime::parseByteSize(training.memory_limit()))
      diagnostics.error("training.memory_limit",
                        "`training.memory_limit` cannot be `" +
                            training.memory_limit() + "`",
                        example);
  } else if (training.recompute() == spec::Training::AUTO) {
    diagnostics.error("training.recompute",
                      "`training.recompute` is AUTO, but "
                      "`training.memory_limit` is missing",
                      example);
  }
}

void Validator::checkSchedule() {
  const spec::Training &training = message.training();
  const spec::Schedule &schedule = training.schedule();
  bool bySamples = given("training.schedule.warmup_samples") ||
                   given("training.schedule.decay_samples");
  for (const char *path :
       {"training.schedule.warmup_steps", "training.schedule.decay_steps"})
    if (bySamples && given(path)) {
      diagnostics.error(path,
                        "the schedule counts both in steps and in samples",
                        "give all of it in samples, or in steps");
      return;
    }
  if (schedule.kind() != spec::Schedule::COSINE)
    return;
  std::string unit = bySamples ? "samples" : "steps";
  std::string warmupPath = "training.schedule.warmup_" + unit,
              decayPath = "training.schedule.decay_" + unit;
  if (bySamples)
    require(decayPath, "give the sample at which the cosine ends");
  // Steps have a default.
  bool hasDecay = given(decayPath);
  std::string lengthPath = hasDecay || bySamples ? decayPath : "training.steps";
  auto count = [&](llvm::StringRef path) {
    return static_cast<int64_t>(fieldAt(message, path).number());
  };
  if (sound({lengthPath, warmupPath}) && count(warmupPath) >= count(lengthPath))
    diagnostics.error(warmupPath,
                      "the warmup (" + llvm::Twine(count(warmupPath)) + " " +
                          unit + ") does not end before the decay (" +
                          unit.substr(0, unit.size() - 1) + " " +
                          llvm::Twine(count(lengthPath)) + ")",
                      "give a smaller `" + warmupPath + "` or a larger `" +
                          decayPath + "`");
  if (sound({"training.schedule.min_lr", "training.optimizer.lr"}) &&
      schedule.min_lr() > training.optimizer().lr())
    diagnostics.error("training.schedule.min_lr",
                      "`training.schedule.min_lr` (" +
                          spec::getNumberText(schedule.min_lr()) +
                          ") is above `training.optimizer.lr` (" +
                          spec::getNumberText(training.optimizer().lr()) + ")",
                      "give a smaller `training.schedule.min_lr`");
}

void Validator::checkPrecision() {
  const spec::Precision &precision = message.training().precision();
  std::string compute = spec::Precision::Type_Name(precision.compute());
  if (message.has_gnn() && precision.compute() != spec::Precision::FP32)
    diagnostics.error("training.precision.compute",
                      "a graph's model computes in FP32, not in " + compute,
                      "give FP32 or leave it out");
  if (precision.gradients() != spec::Precision::FP32 &&
      precision.gradients() != precision.compute())
    diagnostics.error("training.precision.gradients",
                      "gradients in " +
                          spec::Precision::Type_Name(precision.gradients()) +
                          " do not go with computing in " + compute,
                      "give FP32 or the type of `training.precision.compute`");
  if (precision.has_loss_scale() &&
      precision.compute() != spec::Precision::FP16)
    diagnostics.error("training.precision.loss_scale",
                      "only FP16 scales the loss, and `compute` is " + compute,
                      "remove it, or give compute: FP16");
  if (sound({"training.precision.loss_scale.initial",
             "training.precision.loss_scale.minimum"}) &&
      precision.loss_scale().initial() < precision.loss_scale().minimum())
    diagnostics.error("training.precision.loss_scale.initial",
                      "the loss scale starts below its minimum " +
                          spec::getNumberText(precision.loss_scale().minimum()),
                      "give a larger `initial`, or a smaller `minimum`");
}
