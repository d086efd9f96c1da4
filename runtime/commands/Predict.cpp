//===- Predict.cpp - The command predict ----------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Posteriors.h"
#include "runtime/commands/AllCommands.h"
#include "runtime/commands/Open.h"
#include "runtime/commands/PredictionFile.h"
#include "runtime/commands/Samples.h"
#include "runtime/commands/SharedOptions.h"
#include "runtime/commands/StopSignals.h"
#include "runtime/commands/TextData.h"
#include "runtime/core/Error.h"
#include "runtime/core/Text.h"
#include "runtime/data/Graph.h"
#include "runtime/program/SlotNames.h"
#include "runtime/training/Evaluation.h"
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <span>

namespace tessera::runtime {
namespace {

/// Logits and posteriors of all nodes, and in a table their likeliest class.
int predictNodes(const Manifest &manifest, const Options &options) {
  tessera_context &context = openLocal(manifest, options, "predict");
  const Slot *slot = context.program->output(slotNames::logits);
  if (!slot || slot->shape.size() != 2)
    fatal("the program 'predict' gives no '%s': compile the specification "
          "again with this version of tessera",
          slotNames::logits);
  int64_t nodes = slot->shape[0], classes = slot->shape[1];
  PredictionFile file(options.out, nodes,
                      {{"", "node", 0, /*isInteger=*/true},
                       {"", "class", 0, /*isInteger=*/true},
                       {"logits", "logit", classes},
                       {"posteriors", "posterior", classes}});
  Graph graph(manifest, options.data);
  std::vector<const Slot *> inputs;
  inputs.reserve(context.program->inputs.size());
  for (const Slot &input : context.program->inputs)
    inputs.push_back(&input);
  if (const Slot *unknown = graph.load(context, inputs))
    fatal("the program 'predict' has an input '%s' that this runtime does not "
          "know",
          unknown->name.c_str());
  context.run(context.entry("predict.run"));
  std::vector<float> logits(slot->elements());
  context.device->read(logits.data(), context.arena + slot->offset,
                       slot->bytes());
  std::vector<int64_t> numbers(nodes), likeliest(nodes);
  for (int64_t node = 0; node < nodes; ++node) {
    numbers[node] = node;
    likeliest[node] =
        predictedClass({logits.data() + node * classes, size_t(classes)});
  }
  std::vector<float> posteriors = softmax(logits, nodes, classes).values;
  file.write({std::move(numbers), std::move(likeliest), std::move(logits),
              std::move(posteriors)});
  printf("predictions of %s nodes for %" PRId64 " classes in '%s'\n",
         countText(nodes).c_str(), classes, options.out.c_str());
  return 0;
}

/// How likely each sample of a text is.
int predictSamples(const Manifest &manifest, const Options &options) {
  tessera_context &context = openLocal(manifest, options, "eval");
  TokenFile tokens = openTokens(manifest, options);
  TokenEvaluation evaluation(context, tokens, options.samples);
  TargetBytes bytes(manifest.model);
  int64_t samples = evaluation.sampleCount();
  std::vector<PredictionFile::Column> columns = {
      {"", "sample", 0, /*isInteger=*/true},
      {"log_likelihood", "log_likelihood"},
      {"mean", "mean"},
      {"tokens", "tokens", 0, /*isInteger=*/true},
      {"correct", "correct", 0, /*isInteger=*/true}};
  if (bytes.areKnown()) {
    columns.push_back({"bytes", "bytes", 0, /*isInteger=*/true});
    columns.push_back({"bits_per_byte", "bits_per_byte"});
  }
  PredictionFile file(options.out, samples, std::move(columns));
  deferStopSignals();
  std::vector<int64_t> numbers, counts, correct, lengths;
  std::vector<float> sums, means, bits;
  ProgressLine progress;
  int stopped = 0;
  std::optional<Score> score =
      evaluation.run({[&](const TokenEvaluation::Sample &sample) {
                        double count = double(sample.targets.size());
                        numbers.push_back(sample.index);
                        sums.push_back(float(sample.logProbability));
                        means.push_back(float(sample.logProbability / count));
                        counts.push_back(std::ssize(sample.targets));
                        correct.push_back(sample.correct);
                        lengths.push_back(bytes.add(sample.targets));
                        bits.push_back(float(-sample.logProbability /
                                             (M_LN2 * double(lengths.back()))));
                      },
                      [&](int64_t done) {
                        showSamples(progress, done, samples);
                        stopped = stopSignal(notedStop());
                        return !stopped && !evaluation.error();
                      }});
  progress.end();
  if (stopped) {
    fprintf(stderr, "stopped by %s; --out is not written\n",
            stopSignalName(stopped));
    return 128 + stopped;
  }
  if (!score)
    fatal("%s", evaluation.error());
  std::vector<PredictionFile::Values> values = {
      std::move(numbers), std::move(sums), std::move(means), std::move(counts),
      std::move(correct)};
  if (bytes.areKnown()) {
    values.push_back(std::move(lengths));
    values.push_back(std::move(bits));
  }
  file.write(values);
  printf("log-likelihoods of %s samples of %" PRId64 " tokens in '%s': "
         "perplexity %.6g\n",
         countText(samples).c_str(), manifest.model.sequence,
         options.out.c_str(), std::exp(score->loss));
  return 0;
}

} // namespace

static int runPredict(const Manifest &manifest, const Options &options) {
  std::vector<UsedFile> used = dataFiles(options.data);
  used.push_back({"the weights of --init", options.init});
  requireApart("--out", options.out, used);
  return manifest.model.isGraph() ? predictNodes(manifest, options)
                                  : predictSamples(manifest, options);
}

static void checkOptions(const Options &options) {
  if (!PredictionFile::accepts(options.out))
    refuseCommandLine("--out takes a file that ends in .safetensors or .csv, "
                      "not '%s'",
                      options.out.c_str());
}

static constexpr Option predictionOption = {
    "--out", "FILE",
    "write logits and posteriors of a graph's nodes, or log-likelihoods of a "
    "text's samples: a file that ends in .safetensors or .csv",
    keepText<&Options::out>};

static constexpr Option options[] = {required(dataOption),
                                     dataTypeOption,
                                     fieldOption,
                                     linesOption,
                                     endOption,
                                     noEndOption,
                                     samplesOption,
                                     weightsOption,
                                     allowOption,
                                     required(predictionOption)};

const Command predictCommand = {
    .name = "predict",
    .summary = "what a graph's nodes are, how likely a text's samples are",
    .options = options,
    .run = runPredict,
    .check = checkOptions,
    .runsPrograms = true,
    .usesThreads = true};

} // namespace tessera::runtime
