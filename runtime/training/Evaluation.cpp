//===- Evaluation.cpp - Loss and accuracy without learning ----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/training/Evaluation.h"
#include "runtime/core/Error.h"
#include "runtime/program/SlotNames.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace tessera::runtime {

/// The class of a target that does not count.
static constexpr int32_t noTarget = -100;

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

void Evaluation::run(int64_t targets) {
  fill(input(slotNames::scale), [&](char *address) {
    float scale = targets ? static_cast<float>(1.0 / double(targets)) : 0;
    memcpy(address, &scale, sizeof scale);
  });
  context.run(entry);
}

TokenEvaluation::TokenEvaluation(tessera_context &context,
                                 const TokenFile &file, int64_t limit)
    : evaluation(context), file(file), length(context.manifest->model.sequence),
      batch(evaluation.input(slotNames::tokens).elements() / length),
      samples(file.samples(length)) {
  if (samples < 1)
    fatal("the data '%s' has %lld tokens; one sample takes %lld",
          file.path().c_str(), static_cast<long long>(file.count()),
          static_cast<long long>(length + 1));
  if (limit)
    samples = std::min(samples, limit);
}

/// Samples [first, first + rows) shifted by \p shift tokens, and rows that do
/// not count behind them.
void TokenEvaluation::fill(const char *name, int32_t unused, int64_t shift,
                           int64_t first, int64_t rows, const Hooks &hooks) {
  evaluation.fill(evaluation.input(name), [&](char *address) {
    auto *tokens = reinterpret_cast<int32_t *>(address);
    std::fill_n(tokens + rows * length, (batch - rows) * length, unused);
    // What cannot be read is zeros: the rank goes on to meet the others.
    for (int64_t i = 0; i < rows; ++i)
      if (std::string error; !file.read((first + i) * length + shift, length,
                                        tokens + i * length, error))
        reason = error;
    if (shift && hooks.see)
      hooks.see({tokens, static_cast<size_t>(rows * length)});
  });
}

std::optional<Score> TokenEvaluation::run(const Hooks &hooks) {
  tessera_context &context = evaluation.context;
  int64_t together = batch * context.size();
  struct Sums {
    double loss = 0, correct = 0;
    int64_t failed = 0;
  } mine;
  for (int64_t round = 0; round < samples; round += together) {
    int64_t first = round + context.rank() * batch;
    // A batch that the data does not fill ends in rows that do not count.
    int64_t rows = std::clamp<int64_t>(samples - first, 0, batch);
    fill(slotNames::tokens, 0, 0, first, rows, hooks);
    fill(slotNames::targets, noTarget, 1, first, rows, hooks);
    evaluation.run(rows * length);
    mine.loss += double(context.output(slotNames::loss)) * double(rows);
    mine.correct += context.output(slotNames::correct);
    if (hooks.goOn && !hooks.goOn(std::min(round + together, samples)))
      return std::nullopt;
  }
  mine.failed = !reason.empty();
  std::vector<Sums> all(context.size(), mine);
  if (context.size() > 1)
    context.communicator->exchange(&mine, all.data(), sizeof mine);
  Sums sums;
  for (const Sums &rank : all) {
    sums.loss += rank.loss;
    sums.correct += rank.correct;
    sums.failed += rank.failed;
  }
  anyFailed = sums.failed > 0;
  if (anyFailed)
    return std::nullopt;
  return Score{sums.loss / double(samples),
               sums.correct / double(targetCount())};
}

} // namespace tessera::runtime
