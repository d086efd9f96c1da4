//===- Rotary.cpp - The table of rotary positions ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/program/Rotary.h"
#include "runtime/core/Error.h"
#include "runtime/program/Device.h"
#include "runtime/program/SlotNames.h"
#include <algorithm>
#include <cmath>

namespace tessera::runtime {

void computeRotary(const Rotary &rotary, int64_t positions, float *table) {
  auto count = static_cast<int64_t>(rotary.frequencies.size());
  float *sines = table + positions * count;
  auto factor = static_cast<float>(rotary.factor);
  for (int64_t position = 0; position < positions; ++position)
    for (double frequency : rotary.frequencies) {
      float angle =
          static_cast<float>(position) * static_cast<float>(frequency);
      *table++ = static_cast<float>(std::cos(double(angle))) * factor;
      *sines++ = static_cast<float>(std::sin(double(angle))) * factor;
    }
}

std::vector<float> makeRotary(const tessera_context &context) {
  const Slot *slot = context.program->input(slotNames::rotary);
  if (!slot)
    return {};
  const Model &model = context.manifest->model;
  auto count = static_cast<int64_t>(model.rotary.frequencies.size());
  if (slot->type != "f32" || slot->elements() != 2 * model.sequence * count)
    fatal("the embedded manifest does not say the %lld numbers of the input "
          "'%s': compile the specification again with this version of tessera",
          static_cast<long long>(slot->elements()), slot->name.c_str());
  std::vector<float> table(slot->elements());
  computeRotary(model.rotary, model.sequence, table.data());
  return table;
}

void fillRotary(const tessera_context &context, std::span<const float> table) {
  const Slot *slot = context.program->input(slotNames::rotary);
  if (!slot)
    return;
  std::copy(
      table.begin(), table.end(),
      reinterpret_cast<float *>(context.device->beginInput(context, *slot)));
  context.device->commitInput(context, *slot);
}

void fillRotary(const tessera_context &context) {
  fillRotary(context, makeRotary(context));
}

} // namespace tessera::runtime
