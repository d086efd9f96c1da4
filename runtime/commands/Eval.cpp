//===- Eval.cpp - The command eval ----------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/AllCommands.h"
#include "runtime/commands/Open.h"
#include "runtime/commands/SharedOptions.h"
#include "runtime/commands/TextData.h"
#include "runtime/core/Error.h"
#include "runtime/core/ProgressLine.h"
#include "runtime/core/Text.h"
#include "runtime/data/Graph.h"
#include "runtime/generation/TextCodec.h"
#include "runtime/program/SlotNames.h"
#include "runtime/training/Evaluation.h"
#include <cmath>
#include <cstdio>
#include <span>

namespace tessera::runtime {
namespace {

/// The bytes of text that targets stand for.
class ByteCount {
public:
  explicit ByteCount(const Model &model) : codec(textCodec(model)) {
    if (codec)
      stream = codec->decode();
  }

  void add(std::span<const int32_t> tokens) {
    for (int32_t token : stream ? tokens : std::span<const int32_t>()) {
      stream->push(token, text);
      count += static_cast<int64_t>(text.size());
      text.clear();
    }
  }
  /// 0 where it is not known what tokens stand for.
  int64_t finish() {
    if (stream)
      stream->finish(text);
    return count + static_cast<int64_t>(text.size());
  }

private:
  std::unique_ptr<TextCodec> codec;
  std::unique_ptr<TextStream> stream;
  std::string text;
  int64_t count = 0;
};

/// How far an evaluation is.
std::string describe(int64_t done, int64_t samples, double seconds) {
  char left[32];
  snprintf(left, sizeof left, "%.0f s left",
           seconds * double(samples - done) / double(done));
  return countText(done) + " of " + countText(samples) + " samples, " + left;
}

void evaluateTokens(tessera_context &context, const TokenFile &file,
                    int64_t limit) {
  TokenEvaluation evaluation(context, file, limit);
  const Model &model = context.manifest->model;
  ByteCount bytes(model);
  ProgressLine progress;
  std::optional<Score> score = evaluation.run(
      {[&](std::span<const int32_t> targets) { bytes.add(targets); },
       [&](int64_t done) {
         progress.show([&](double seconds) {
           return describe(done, evaluation.sampleCount(), seconds);
         });
         return !evaluation.error();
       }});
  progress.end();
  if (!score)
    fatal("%s", evaluation.error());
  printf("data        %s\n", file.form().c_str());
  printf("samples     %s of %lld tokens\n",
         countText(evaluation.sampleCount()).c_str(),
         static_cast<long long>(model.sequence));
  printf("loss        %.9g\n", score->loss);
  printf("perplexity  %.6g\n", std::exp(score->loss));
  if (int64_t count = bytes.finish())
    printf("bits/byte   %.6g\n", score->loss *
                                     double(evaluation.targetCount()) /
                                     (M_LN2 * double(count)));
  if (!std::isnan(score->accuracy))
    printf("accuracy    %.6f\n", score->accuracy);
}

void evaluateGraph(Evaluation &evaluation, const std::string &path) {
  tessera_context &context = evaluation.context;
  Graph graph(*context.manifest, path);
  std::vector<const Slot *> slots;
  for (const Slot &slot : context.program->inputs)
    if (slot.name != slotNames::targets && slot.name != slotNames::scale)
      slots.push_back(&slot);
  if (const Slot *slot = graph.load(context, slots))
    fatal("the program 'eval' has an input '%s' that this runtime does not "
          "know",
          slot->name.c_str());
  for (const char *split : {"train", "val", "test"}) {
    int64_t count = graph.split(split).size();
    if (count == 0)
      continue;
    const Slot &targets = evaluation.input(slotNames::targets);
    evaluation.fill(targets, [&](char *address) {
      graph.fillTargets(targets, address, split, 0, count);
    });
    evaluation.run(count);
    printf("%-5s  loss %-12.9g accuracy %.6f (%lld nodes)\n", split,
           context.output(slotNames::loss),
           context.output(slotNames::correct) / double(count),
           static_cast<long long>(count));
  }
}

} // namespace

/// What --samples says; 0: all.
static int64_t mostSamples = 0;

static int runEval(const Manifest &manifest, const Options &options) {
  if (manifest.model.isGraph())
    requireNoType(options.dataType);
  tessera_context &context = openLocal(manifest, options, "eval");
  if (manifest.model.isGraph()) {
    if (mostSamples)
      fatal("--samples is of no use: a graph has splits, and no samples");
    Evaluation evaluation(context);
    evaluateGraph(evaluation, options.data);
  } else {
    evaluateTokens(context, openTokens(manifest, options), mostSamples);
  }
  return 0;
}

static void storeSamples(Options &, const std::string &text) {
  mostSamples = readInteger("--samples", text, 1);
}

static constexpr Option options[] = {
    required(dataOption),
    dataTypeOption,
    fieldOption,
    linesOption,
    endOption,
    noEndOption,
    {"--samples", "N", "the first N samples of the data (default: all)",
     storeSamples},
    initOption,
    allowOption,
    seedOption};

const Command evalCommand = {.name = "eval",
                             .summary = "loss and accuracy on data",
                             .options = options,
                             .run = runEval,
                             .runsPrograms = true,
                             .usesThreads = true};

} // namespace tessera::runtime
