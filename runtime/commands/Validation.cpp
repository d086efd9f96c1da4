//===- Validation.cpp - Measuring while a run trains ----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/Validation.h"
#include "runtime/checkpoint/CheckpointDirectory.h"
#include "runtime/commands/StopSignals.h"
#include "runtime/commands/TextData.h"
#include "runtime/core/Error.h"
#include "runtime/core/Text.h"
#include "runtime/training/Evaluation.h"
#include <algorithm>
#include <cmath>
#include <cstring>

namespace tessera::runtime {

static constexpr int64_t everyByDefault = 100;

static ValidationOptions asked;

const ValidationOptions &validationOptions() { return asked; }

void storeEvalData(Options &, const std::string &text) { asked.data = text; }

void storeEvalEvery(Options &, const std::string &text) {
  asked.every = readInteger("--eval-every", text, 1);
}

void storeEvalSamples(Options &, const std::string &text) {
  asked.samples = readInteger("--eval-samples", text, 1);
}

void storeKeepBest(Options &, const std::string &) { asked.keepBest = true; }

void storePatience(Options &, const std::string &text) {
  asked.patience = readInteger("--patience", text, 1);
}

int64_t Validation::every() {
  return asked.every ? asked.every : everyByDefault;
}

Validation::Outcome Validation::run(int64_t step, Progress &progress,
                                    StepReport &report, uint8_t &stopBits) {
  Outcome outcome = measure(report, stopBits);
  if (outcome != Outcome::Done) {
    report.scoreCount = 0;
    return outcome;
  }
  ValidationProgress &known = progress.validation;
  known.step = step;
  known.samples = asked.samples;
  known.data = data;
  // A graph may have no nodes for validation.
  const SplitScore &first = report.scores[0];
  double loss = std::strcmp(first.name, "val") == 0 ? first.score.loss : NAN;
  if (!std::isfinite(loss) || (known.bestStep && loss >= known.best)) {
    ++known.withoutBetter;
    return Outcome::Done;
  }
  known.best = loss;
  known.bestStep = step;
  known.withoutBetter = 0;
  return Outcome::Better;
}

std::string Validation::describe() const {
  std::string text =
      "every " + std::to_string(every()) + " steps on " + describeData();
  if (asked.patience)
    text += "; the run ends after " + std::to_string(asked.patience) +
            " in a row that are not better";
  return text;
}

std::string Validation::describeBest(const Progress &progress,
                                     const Options &options) const {
  const ValidationProgress &known = progress.validation;
  if (!known.bestStep)
    return "";
  char loss[32];
  snprintf(loss, sizeof loss, "%.9g", known.best);
  std::string text = std::string("best: val_loss ") + loss + " after step " +
                     std::to_string(known.bestStep);
  if (asked.keepBest)
    text += ", in '" + options.checkpointDir + "/" + bestName + "'";
  return text + "\n";
}

namespace {

/// Of samples of tokens, by all ranks together.
class TokenValidation : public Validation {
public:
  TokenValidation(tessera_context &context, TokenFile tokens,
                  DataFingerprint data)
      : Validation(data), context(context), file(std::move(tokens)),
        evaluation(context, file, asked.samples) {}

  const char *error() const override { return evaluation.error(); }

private:
  Outcome measure(StepReport &report, uint8_t &stopBits) override {
    // A signal does not wait for the end of what may be long.
    std::optional<Score> score =
        evaluation.run({{}, [&](int64_t) {
                          stopBits =
                              context.communicator->agree(notedStop()).any;
                          return stopBits == 0;
                        }});
    if (evaluation.failed())
      return Outcome::Failed;
    if (!score)
      return Outcome::Stopped;
    report.scores[0] = {"val", *score};
    report.scoreCount = 1;
    return Outcome::Done;
  }
  std::string describeData() const override {
    return countText(evaluation.sampleCount()) + " samples of " + file.path() +
           " (" + file.form() + ")";
  }

  tessera_context &context;
  TokenFile file;
  TokenEvaluation evaluation;
};

/// Of the splits of the graph that is learned from. All ranks compute all of
/// them.
class GraphValidation : public Validation {
public:
  GraphValidation(tessera_context &context, const tessera_context &training,
                  const std::string &path, DataFingerprint data)
      : Validation(data), context(context),
        evaluation(context, path, /*warns=*/false) {
    if ((asked.keepBest || asked.patience) &&
        evaluation.data().split("val").empty())
      fatal("the graph '%s' has no nodes for validation (val_mask), whose loss "
            "decides by %s: give it some, or leave the option out",
            path.c_str(), asked.keepBest ? "--keep-best" : "--patience");
    if (needsLoading(training))
      evaluation.load();
  }

private:
  /// What decides comes first.
  static constexpr const char *splits[] = {"val", "train", "test"};

  /// Whether an input is not one that the training fills as well.
  bool needsLoading(const tessera_context &training) const {
    return std::any_of(context.program->inputs.begin(),
                       context.program->inputs.end(), [&](const Slot &slot) {
                         const Slot *other = training.program->input(slot.name);
                         return slot.when == "load" && !slot.isUnread &&
                                !(other && other->when == "load" &&
                                  other->offset == slot.offset &&
                                  other->shape == slot.shape);
                       });
  }

  Outcome measure(StepReport &report, uint8_t &) override {
    std::vector<SplitScore> scores = evaluation.run(splits);
    report.scoreCount = static_cast<int>(scores.size());
    std::copy(scores.begin(), scores.end(), report.scores.begin());
    if (context.size() == 1)
      return Outcome::Done;
    // Ranks may have as many threads as they like, and so other bits: one's
    // count.
    std::vector<Score> all(context.size());
    for (int i = 0; i < report.scoreCount; ++i) {
      Score &score = report.scores[i].score;
      context.communicator->exchange(&score, all.data(), sizeof score);
      score = all.front();
    }
    return Outcome::Done;
  }
  std::string describeData() const override {
    return "the splits of the graph";
  }

  tessera_context &context;
  GraphEvaluation evaluation;
};

} // namespace

static bool isAsked() {
  return !asked.data.empty() || asked.every || asked.samples ||
         asked.patience || asked.keepBest;
}

/// Exits the process where an executable has no such program.
static const Program &programOf(const Manifest &manifest) {
  auto program = manifest.programs.find("validate");
  if (program == manifest.programs.end())
    fatal("this executable has no program that measures the model while it "
          "trains: compile the specification again with this version of "
          "tessera");
  return program->second;
}

int64_t Validation::arenaBytes(const Manifest &manifest) {
  return isAsked() ? programOf(manifest).arenaBytes : 0;
}

/// The program "validate" in the arena of \p training.
static tessera_context &openWithin(const tessera_context &training) {
  static tessera_context context;
  context = training;
  context.program = &programOf(*training.manifest);
  return context;
}

static std::unique_ptr<Validation>
openTokenValidation(const tessera_context &training, const Options &options) {
  if (asked.data.empty())
    fatal("what is measured while the run trains is not said: give "
          "--eval-data PATH");
  Options data = options;
  data.data = asked.data;
  Communicator *ranks = training.size() > 1 ? training.communicator : nullptr;
  TokenFile tokens = openTokens(*training.manifest, data, ranks);
  DataFingerprint fingerprint = tokens.fingerprint();
  return std::make_unique<TokenValidation>(openWithin(training),
                                           std::move(tokens), fingerprint);
}

static std::unique_ptr<Validation>
openGraphValidation(const tessera_context &training, const Options &options,
                    const BatchSource &source) {
  return std::make_unique<GraphValidation>(openWithin(training), training,
                                           options.data,
                                           source.fingerprint().value());
}

std::unique_ptr<Validation> Validation::open(const tessera_context &training,
                                             const Options &options,
                                             const BatchSource &source,
                                             Progress &progress) {
  if (!isAsked())
    return nullptr;
  std::unique_ptr<Validation> result =
      training.manifest->model.isGraph()
          ? openGraphValidation(training, options, source)
          : openTokenValidation(training, options);
  ValidationProgress &known = progress.validation;
  if (known.step &&
      (known.data != result->data || known.samples != asked.samples)) {
    if (training.rank() == 0)
      warning("the checkpoint's validation was on other data, or on other "
              "samples of it: what was best there is forgotten");
    known = {};
  }
  return result;
}

} // namespace tessera::runtime
