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
#include <cmath>

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
  if (outcome != Outcome::done) {
    report.scoreCount = 0;
    return outcome;
  }
  ValidationProgress &known = progress.validation;
  known.step = step;
  known.samples = asked.samples;
  known.data = data;
  double loss = report.scores[0].score.loss;
  if (!std::isfinite(loss) || (known.bestStep && loss >= known.best)) {
    ++known.withoutBetter;
    return Outcome::done;
  }
  known.best = loss;
  known.bestStep = step;
  known.withoutBetter = 0;
  return Outcome::better;
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
      return Outcome::failed;
    if (!score)
      return Outcome::stopped;
    report.scores[0] = {"val", *score};
    report.scoreCount = 1;
    return Outcome::done;
  }
  std::string describeData() const override {
    return countText(evaluation.sampleCount()) + " samples of " + file.path() +
           " (" + file.form() + ")";
  }

  tessera_context &context;
  TokenFile file;
  TokenEvaluation evaluation;
};

} // namespace

/// The program "validate" in the arena of \p training.
static tessera_context &openWithin(const tessera_context &training) {
  static tessera_context context;
  context = training;
  const Manifest &manifest = *training.manifest;
  auto program = manifest.programs.find("validate");
  if (program == manifest.programs.end())
    fatal("a model of graphs is not measured while it trains: 'eval' measures "
          "the splits of its graph, by the weights of a checkpoint");
  context.program = &program->second;
  return context;
}

std::unique_ptr<Validation> Validation::open(const tessera_context &training,
                                             const Options &options,
                                             Progress &progress) {
  bool isAsked =
      asked.every || asked.samples || asked.patience || asked.keepBest;
  if (asked.data.empty() && !isAsked)
    return nullptr;
  tessera_context &context = openWithin(training);
  if (asked.data.empty())
    fatal("what is measured while the run trains is not said: give "
          "--eval-data PATH");
  Options data = options;
  data.data = asked.data;
  Communicator *ranks = training.size() > 1 ? training.communicator : nullptr;
  TokenFile tokens = openTokens(*training.manifest, data, ranks);
  DataFingerprint fingerprint = tokens.fingerprint();
  auto result = std::make_unique<TokenValidation>(context, std::move(tokens),
                                                  fingerprint);
  ValidationProgress &known = progress.validation;
  if (known.step &&
      (known.data != fingerprint || known.samples != asked.samples)) {
    if (training.rank() == 0)
      warning("the checkpoint's validation was on other data, or on other "
              "samples of it: what was best there is forgotten");
    known = {};
  }
  return result;
}

} // namespace tessera::runtime
