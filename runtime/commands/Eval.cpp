//===- Eval.cpp - The command eval ----------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/AllCommands.h"
#include "runtime/commands/Open.h"
#include "runtime/commands/Samples.h"
#include "runtime/commands/SharedOptions.h"
#include "runtime/commands/TextData.h"
#include "runtime/core/Error.h"
#include "runtime/core/Text.h"
#include "runtime/training/Evaluation.h"
#include <cmath>
#include <cstdio>

namespace tessera::runtime {
namespace {

void evaluateTokens(tessera_context &context, const Options &options) {
  TokenFile file = openTokens(*context.manifest, options);
  TokenEvaluation evaluation(context, file, options.samples);
  TargetBytes bytes(context.manifest->model);
  ProgressLine progress;
  std::optional<Score> score =
      evaluation.run({[&](const TokenEvaluation::Sample &sample) {
                        bytes.add(sample.targets);
                      },
                      [&](int64_t done) {
                        showSamples(progress, done, evaluation.sampleCount());
                        return !evaluation.error();
                      }});
  progress.end();
  if (!score)
    fatal("%s", evaluation.error());
  printf("data        %s\n", file.form().c_str());
  printf("samples     %s of %lld tokens\n",
         countText(evaluation.sampleCount()).c_str(),
         static_cast<long long>(context.manifest->model.sequence));
  printf("loss        %.9g\n", score->loss);
  printf("perplexity  %.6g\n", std::exp(score->loss));
  if (int64_t count = bytes.finish())
    printf("bits/byte   %.6g\n", score->loss *
                                     double(evaluation.targetCount()) /
                                     (M_LN2 * double(count)));
  printf("accuracy    %.6f\n", score->accuracy);
}

void evaluateGraph(tessera_context &context, const Options &options) {
  static constexpr const char *splits[] = {"train", "val", "test"};
  GraphEvaluation evaluation(context, options.data, /*warns=*/true);
  evaluation.load();
  for (const auto &[name, score] : evaluation.run(splits))
    printf("%-5s  loss %-12.9g accuracy %.6f (%zu nodes)\n", name, score.loss,
           score.accuracy, evaluation.data().split(name).size());
}

} // namespace

static int runEval(const Manifest &manifest, const Options &options) {
  tessera_context &context = openLocal(manifest, options, "eval");
  if (manifest.model.isGraph())
    evaluateGraph(context, options);
  else
    evaluateTokens(context, options);
  return 0;
}

static void checkOptions(const Options &options) {
  if (options.seed && !options.init.empty())
    refuseCommandLine("%s", "--seed is of random weights, and --init gives "
                            "others: leave one of them out");
}

static constexpr Option options[] = {
    required(dataOption),
    dataTypeOption,
    fieldOption,
    linesOption,
    endOption,
    noEndOption,
    samplesOption,
    initOption,
    allowOption,
    {"--seed", "S", "seed of random weights", storeSeed}};

const Command evalCommand = {.name = "eval",
                             .summary = "loss and accuracy on data",
                             .options = options,
                             .run = runEval,
                             .check = checkOptions,
                             .runsPrograms = true,
                             .usesThreads = true};

} // namespace tessera::runtime
