//===- Evaluation.cpp - How well targets are predicted --------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/training/Evaluation.h"
#include "runtime/core/Error.h"
#include "runtime/program/SlotNames.h"
#include <algorithm>

namespace tessera::runtime {

Evaluation::Evaluation(tessera_context &context)
    : context(context),
      entry(context.entry((context.program->name + ".run").c_str())) {}

const Slot &Evaluation::input(const char *name) const {
  const Slot *slot = context.program->input(name);
  if (!slot)
    fatal("the program '%s' has no input '%s': compile the specification "
          "again with this version of tessera",
          context.program->name.c_str(), name);
  return *slot;
}

void Evaluation::read(const char *name, std::vector<float> &values) const {
  const Slot *slot = context.program->output(name);
  if (!slot)
    fatal("the program '%s' gives no '%s': compile the specification again "
          "with this version of tessera",
          context.program->name.c_str(), name);
  values.resize(slot->elements());
  context.device->read(values.data(), context.arena + slot->offset,
                       slot->bytes());
}

void Evaluation::run() {
  context.run(entry);
  read(slotNames::logProbability, logProbabilities);
  read(slotNames::correct, correct);
}

TokenEvaluation::TokenEvaluation(tessera_context &context,
                                 const TokenFile &file, int64_t limit)
    : evaluation(context), file(file), length(context.manifest->model.sequence),
      batch(evaluation.input(slotNames::tokens).elements() / length),
      samples(file.samples(length)), tokens(batch * (length + 1)) {
  if (samples < 1)
    fatal("the data '%s' has %lld tokens; one sample takes %lld",
          file.path().c_str(), static_cast<long long>(file.count()),
          static_cast<long long>(length + 1));
  if (limit)
    samples = std::min(samples, limit);
}

/// Samples [first, first + rows). What cannot be read is zeros: the rank goes
/// on to meet the others.
void TokenEvaluation::read(int64_t first, int64_t rows) {
  for (int64_t i = 0; i < rows; ++i)
    if (std::string error; !file.read((first + i) * length, length + 1,
                                      &tokens[i * (length + 1)], error))
      reason = error;
}

/// The samples that were read, without the first \p shift tokens of each, and
/// rows of \p unused behind them.
void TokenEvaluation::fill(const char *name, int32_t unused, int64_t shift,
                           int64_t rows) {
  evaluation.fill(evaluation.input(name), [&](char *address) {
    auto *out = reinterpret_cast<int32_t *>(address);
    for (int64_t i = 0; i < rows; ++i)
      std::copy_n(&tokens[i * (length + 1) + shift], length, out + i * length);
    std::fill_n(out + rows * length, (batch - rows) * length, unused);
  });
}

std::optional<Score> TokenEvaluation::run(const Hooks &hooks) {
  tessera_context &context = evaluation.context;
  int64_t together = batch * context.size();
  struct Sums {
    double logProbability = 0;
    int64_t correct = 0, failed = 0;
  } mine;
  for (int64_t round = 0; round < samples; round += together) {
    int64_t first = round + context.rank() * batch;
    // A batch that the data does not fill ends in rows that do not count.
    int64_t rows = std::clamp<int64_t>(samples - first, 0, batch);
    read(first, rows);
    fill(slotNames::tokens, 0, 0, rows);
    fill(slotNames::targets, ignoredTarget, 1, rows);
    evaluation.run();
    for (int64_t i = 0; i < rows; ++i) {
      Sample sample{
          first + i, {&tokens[i * (length + 1) + 1], size_t(length)}, 0, 0};
      for (int64_t row = i * length; row < (i + 1) * length; ++row) {
        sample.logProbability += evaluation.logProbability(row);
        sample.correct += evaluation.isCorrect(row);
      }
      mine.logProbability += sample.logProbability;
      mine.correct += sample.correct;
      if (hooks.see)
        hooks.see(sample);
    }
    if (hooks.goOn && !hooks.goOn(std::min(round + together, samples)))
      return std::nullopt;
  }
  mine.failed = !reason.empty();
  std::vector<Sums> all(context.size(), mine);
  if (context.size() > 1)
    context.communicator->exchange(&mine, all.data(), sizeof mine);
  Sums sums;
  for (const Sums &rank : all) {
    sums.logProbability += rank.logProbability;
    sums.correct += rank.correct;
    sums.failed += rank.failed;
  }
  anyFailed = sums.failed > 0;
  if (anyFailed)
    return std::nullopt;
  double count = double(targetCount());
  return Score{-sums.logProbability / count, double(sums.correct) / count};
}

GraphEvaluation::GraphEvaluation(tessera_context &context,
                                 const std::string &path, bool warns)
    : evaluation(context), graph(*context.manifest, path, warns) {}

void GraphEvaluation::load() {
  tessera_context &context = evaluation.context;
  std::vector<const Slot *> slots;
  for (const Slot &slot : context.program->inputs)
    if (slot.when == "load")
      slots.push_back(&slot);
  if (const Slot *slot = graph.load(context, slots))
    fatal("the program '%s' has an input '%s' that this runtime does not know",
          context.program->name.c_str(), slot->name.c_str());
}

std::vector<SplitScore>
GraphEvaluation::run(std::span<const char *const> splits) {
  const Slot &targets = evaluation.input(slotNames::targets);
  evaluation.fill(targets, [&](char *address) {
    std::copy(graph.labels().begin(), graph.labels().end(),
              reinterpret_cast<int32_t *>(address));
  });
  evaluation.run();
  std::vector<SplitScore> scores;
  for (const char *name : splits) {
    const std::vector<int32_t> &nodes = graph.split(name);
    if (nodes.empty())
      continue;
    double logProbability = 0;
    int64_t correct = 0;
    for (int32_t node : nodes) {
      logProbability += evaluation.logProbability(node);
      correct += evaluation.isCorrect(node);
    }
    double count = double(nodes.size());
    scores.push_back(
        {name, {-logProbability / count, double(correct) / count}});
  }
  return scores;
}

} // namespace tessera::runtime
