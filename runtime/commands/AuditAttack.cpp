//===- AuditAttack.cpp - The model that tells members apart ---------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/AuditAttack.h"
#include "runtime/core/Error.h"
#include "runtime/core/Random.h"
#include "runtime/program/SlotNames.h"
#include <algorithm>
#include <cstring>

namespace tessera::runtime {
namespace {

AttackInput inputNamed(const std::string &name) {
  return name == "sorted"       ? AttackInput::Sorted
         : name == "top_k"      ? AttackInput::TopK
         : name == "label_only" ? AttackInput::LabelOnly
                                : AttackInput::Posteriors;
}

/// Batches of answers in an order of each epoch's own; the last batch of an
/// epoch has what is left.
class AnswerBatches final : public BatchSource {
public:
  /// Of \p inputs, [rows, columns], the first \p members rows are of members.
  AnswerBatches(const std::vector<float> &inputs, int64_t columns,
                int64_t members, int64_t batch, uint64_t seed)
      : inputs(inputs), columns(columns), members(members),
        rows(std::ssize(inputs) / columns), batch(batch), seed(seed) {}

  int64_t batchesOfEpoch() const { return (rows + batch - 1) / batch; }

  bool fill(const Slot &slot, char *address, const GlobalBatch &step,
            int64_t) override {
    int64_t epoch = step.position / batchesOfEpoch();
    int64_t begin = step.position % batchesOfEpoch() * batch;
    bool isFeatures = slot.name == slotNames::features;
    if (!isFeatures && slot.name != slotNames::targets)
      return false;
    if (order.empty() || epoch != epochOfOrder) {
      order = permutation(rows, seed, epoch);
      epochOfOrder = epoch;
    }
    memset(address, 0, slot.bytes());
    auto *numbers = reinterpret_cast<float *>(address);
    auto *targets = reinterpret_cast<int32_t *>(address);
    for (int64_t i = 0; i < batch; ++i) {
      if (begin + i >= rows) {
        if (!isFeatures)
          targets[i] = -100;
        continue;
      }
      auto row = static_cast<int64_t>(order[begin + i]);
      if (isFeatures)
        std::copy_n(inputs.data() + row * columns, columns,
                    numbers + i * columns);
      else
        targets[i] = row < members;
    }
    return true;
  }

  float scale(const GlobalBatch &step) const override {
    int64_t begin = step.position % batchesOfEpoch() * batch;
    return static_cast<float>(
        1.0 / static_cast<double>(std::min(batch, rows - begin)));
  }
  int64_t tokens(const GlobalBatch &) const override { return 0; }
  std::string describe() const override { return "answers of the shadow"; }

private:
  const std::vector<float> &inputs;
  int64_t columns, members, rows, batch;
  uint64_t seed;
  std::vector<uint64_t> order; ///< The rows of epoch `epochOfOrder`.
  int64_t epochOfOrder = 0;
};

} // namespace

ShadowAttack::ShadowAttack(AuditModel &model, const AuditSettings &settings)
    : model(model), settings(settings),
      input(inputNamed(settings.attackInput)) {}

std::vector<float> ShadowAttack::inputsOf(const MemberAnswers &answers) const {
  int64_t columns = model.manifest.model.features;
  std::vector<float> inputs =
      attackFeatures(input, answers.members, settings.topK, columns);
  std::vector<float> others =
      attackFeatures(input, answers.nonMembers, settings.topK, columns);
  inputs.insert(inputs.end(), others.begin(), others.end());
  return inputs;
}

void ShadowAttack::train(const MemberAnswers &shadow, uint64_t seed) {
  std::vector<float> inputs = inputsOf(shadow);
  int64_t columns = model.manifest.model.features;
  if (settings.standardize) {
    standardization = Standardization::of(inputs, columns);
    standardization.apply(inputs);
  }
  AnswerBatches batches(inputs, columns, shadow.members.rows,
                        settings.attackBatch, seed);
  model.initialize(seed);
  model.train(batches, settings.attackEpochs * batches.batchesOfEpoch());
}

AttackScores ShadowAttack::score(const MemberAnswers &target) {
  std::vector<float> inputs = inputsOf(target);
  if (settings.standardize)
    standardization.apply(inputs);
  std::vector<float> logits =
      model.predict(slotNames::predictAll, [&](const tessera_context &context) {
        const Slot &slot = context.program->inputs.front();
        if (slot.name != slotNames::features ||
            slot.elements() < std::ssize(inputs))
          fatal("the attack's program has no room for %zu numbers: compile "
                "the specification again",
                inputs.size());
        char *address = context.device->beginInput(context, slot);
        memset(address, 0, slot.bytes());
        memcpy(address, inputs.data(), inputs.size() * sizeof(float));
        context.device->commitInput(context, slot);
      });
  int64_t rows = target.members.rows + target.nonMembers.rows;
  std::vector<double> scores = memberScores(std::span(logits).first(2 * rows));
  auto border = scores.begin() + target.members.rows;
  return {{scores.begin(), border}, {border, scores.end()}};
}

} // namespace tessera::runtime
