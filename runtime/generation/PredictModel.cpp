//===- PredictModel.cpp - The program predict as a token model ------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/generation/PredictModel.h"
#include "runtime/core/Error.h"
#include "runtime/program/SlotNames.h"
#include <algorithm>
#include <cstring>

namespace tessera::runtime {

PredictModel::PredictModel(tessera_context &context)
    : program(context), tokens(context.program->input(slotNames::tokens)),
      position(context.program->input(slotNames::position)),
      logits(context.program->output(slotNames::logits)),
      entry(context.entry("predict.run")), scores(vocabulary()) {
  if (!tokens || !position || !logits)
    fatal("the program 'predict' lacks tokens, position or logits: compile the "
          "specification again with this version of tessera");
}

int64_t PredictModel::context() const {
  return program.manifest->model.sequence;
}

int64_t PredictModel::vocabulary() const {
  return program.manifest->model.vocabulary;
}

const float *PredictModel::append(int64_t, std::span<const int32_t> added) {
  text.insert(text.end(), added.begin(), added.end());
  Device &device = *program.device;
  auto *window =
      reinterpret_cast<int32_t *>(device.beginInput(program, *tokens));
  std::copy(text.begin(), text.end(), window);
  std::fill(window + text.size(), window + context(), 0);
  device.commitInput(program, *tokens);
  auto last = static_cast<int32_t>(text.size() - 1);
  memcpy(device.beginInput(program, *position), &last, sizeof last);
  device.commitInput(program, *position);
  program.run(entry);
  device.read(scores.data(), program.arena + logits->offset,
              static_cast<int64_t>(sizeof(float) * scores.size()));
  return scores.data();
}

const float *PredictModel::step(std::span<const int64_t> slots,
                                std::span<const int32_t> added) {
  return append(slots[0], added);
}

void PredictModel::copy(int64_t, int64_t, int64_t count) { text.resize(count); }

void PredictModel::clear(int64_t) { text.clear(); }

} // namespace tessera::runtime
