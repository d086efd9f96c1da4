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
#include "runtime/core/Text.h"
#include "runtime/data/Graph.h"
#include "runtime/generation/TextCodec.h"
#include "runtime/program/SlotNames.h"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <span>

namespace tessera::runtime {
namespace {

/// The inputs of an evaluation by name, and its run.
class Evaluation {
public:
  explicit Evaluation(tessera_context &context)
      : context(context), entry(context.entry("eval.run")) {}

  const Slot &input(const char *name) const {
    const Slot *slot = context.program->input(name);
    if (!slot)
      fatal("the program 'eval' has no input '%s': compile the specification "
            "again with this version of tessera",
            name);
    return *slot;
  }
  /// Has \p write(address) fill the input at `address`.
  template <typename Write> void fill(const Slot &slot, Write write) {
    write(context.device->beginInput(context, slot));
    context.device->commitInput(context, slot);
  }
  void run(int64_t targets) {
    fill(input(slotNames::scale), [&](char *address) {
      auto scale = static_cast<float>(1.0 / double(targets));
      memcpy(address, &scale, sizeof scale);
    });
    context.run(entry);
  }

  tessera_context &context;

private:
  const tessera_entry &entry;
};

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

void evaluateTokens(Evaluation &evaluation, const TokenFile &file) {
  const Model &model = evaluation.context.manifest->model;
  int64_t length = model.sequence, samples = file.samples(length);
  if (samples < 1)
    fatal("the data '%s' has %lld tokens; one sample takes %lld",
          file.path().c_str(), static_cast<long long>(file.count()),
          static_cast<long long>(length + 1));
  int64_t batch = evaluation.input(slotNames::tokens).elements() / length;
  double loss = 0, correct = 0;
  ByteCount bytes(model);
  for (int64_t first = 0; first < samples; first += batch) {
    // A batch that the data does not fill ends in rows that do not count.
    int64_t rows = std::min(batch, samples - first);
    auto fill = [&](const char *name, int32_t unused, int64_t shift) {
      evaluation.fill(evaluation.input(name), [&](char *address) {
        auto *tokens = reinterpret_cast<int32_t *>(address);
        std::fill_n(tokens + rows * length, (batch - rows) * length, unused);
        for (int64_t i = 0; i < rows; ++i)
          if (std::string error; !file.read((first + i) * length + shift,
                                            length, tokens + i * length, error))
            fatal("%s", error.c_str());
        if (shift)
          bytes.add({tokens, static_cast<size_t>(rows * length)});
      });
    };
    fill(slotNames::tokens, 0, 0);
    fill(slotNames::targets, -100, 1);
    evaluation.run(rows * length);
    loss += double(evaluation.context.output(slotNames::loss)) * double(rows);
    correct += evaluation.context.output(slotNames::correct);
  }
  loss /= double(samples);
  printf("data        %s\n", file.form().c_str());
  printf("samples     %s of %lld tokens\n", countText(samples).c_str(),
         static_cast<long long>(length));
  printf("loss        %.9g\n", loss);
  printf("perplexity  %.6g\n", std::exp(loss));
  if (int64_t count = bytes.finish())
    printf("bits/byte   %.6g\n",
           loss * double(samples * length) / (M_LN2 * double(count)));
  if (!std::isnan(correct))
    printf("accuracy    %.6f\n", correct / double(samples * length));
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

static int runEval(const Manifest &manifest, const Options &options) {
  if (manifest.model.isGraph())
    requireNoType(options.dataType);
  Evaluation evaluation(openLocal(manifest, options, "eval"));
  if (manifest.model.isGraph())
    evaluateGraph(evaluation, options.data);
  else
    evaluateTokens(evaluation, openTokens(manifest, options));
  return 0;
}

static constexpr Option options[] = {
    required(dataOption), dataTypeOption, fieldOption, linesOption, endOption,
    noEndOption,          initOption,     allowOption, seedOption};

const Command evalCommand = {.name = "eval",
                             .summary = "loss and accuracy on data",
                             .options = options,
                             .run = runEval,
                             .runsPrograms = true,
                             .usesThreads = true};

} // namespace tessera::runtime
