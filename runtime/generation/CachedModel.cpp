//===- CachedModel.cpp - Prefill and decode as a token model --------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/generation/CachedModel.h"
#include "runtime/core/Error.h"
#include "runtime/program/GenerationNames.h"
#include "runtime/program/Rotary.h"
#include <algorithm>
#include <cstring>
#include <string>

namespace tessera::runtime {

CachedModel::RowProgram::RowProgram(const tessera_context &context,
                                    const char *name)
    : program(context) {
  program.program = &context.manifest->program(name);
  entry = &program.entry((std::string(name) + ".run").c_str());
  tokens = program.program->input(slotNames::tokens);
  slots = program.program->input(slotNames::slots);
  positions = program.program->input(slotNames::positions);
  count = program.program->input(slotNames::count);
  last = program.program->input(slotNames::position);
  wanted = program.program->input(slotNames::wanted);
  logits = program.program->output(slotNames::logits);
  if (!tokens || !slots || !positions || !count || !logits)
    fatal("the program '%s' lacks tokens, slots, positions, count or logits: "
          "compile the specification again with this version of tessera",
          name);
}

void CachedModel::RowProgram::run(std::span<const int64_t> ofSlots,
                                  std::span<const int32_t> values,
                                  std::span<const int32_t> at,
                                  bool wantsLogits) {
  Device &device = *program.device;
  // Rows that are not there are read all the same, as of token 0.
  auto fill = [&](const Slot &input, const auto &numbers) {
    auto *to = reinterpret_cast<int32_t *>(device.beginInput(program, input));
    auto *end = std::copy(numbers.begin(), numbers.end(), to);
    std::fill(end, to + input.elements(), 0);
    device.commitInput(program, input);
  };
  fill(*tokens, values);
  fill(*slots, ofSlots);
  fill(*positions, at);
  auto rows = static_cast<int32_t>(values.size());
  fill(*count, std::span(&rows, 1));
  int32_t row = rows - 1, number = wantsLogits;
  if (last)
    fill(*last, std::span(&row, 1));
  if (wanted)
    fill(*wanted, std::span(&number, 1));
  program.run(*entry);
}

const float *CachedModel::RowProgram::read(int64_t numbers,
                                           std::vector<float> &copy) {
  const char *place = program.arena + logits->offset;
  if (program.device->memoryTaken() < 0)
    return reinterpret_cast<const float *>(place);
  copy.resize(numbers);
  program.device->read(copy.data(), place,
                       static_cast<int64_t>(sizeof(float)) * numbers);
  return copy.data();
}

/// Exits the process where programs of \p manifest have states in different
/// places: what one writes the other could not read.
static void requireSharedStates(const Manifest &manifest) {
  const Program &first = manifest.program(slotNames::prefill);
  const Program &second = manifest.program(slotNames::decode);
  bool isSame = std::equal(
      first.states.begin(), first.states.end(), second.states.begin(),
      second.states.end(), [](const State &a, const State &b) {
        return a.name == b.name && a.group == b.group && a.offset == b.offset &&
               a.elements == b.elements && a.type == b.type;
      });
  if (!isSame)
    fatal("the programs 'prefill' and 'decode' have parameters or the cache in "
          "different places: compile the specification again");
}

CachedModel::CachedModel(const tessera_context &context)
    : prefill(context, slotNames::prefill), decode(context, slotNames::decode),
      rotary(makeRotary(prefill.program)), lengths(decode.tokens->elements()) {
  requireSharedStates(*context.manifest);
}

int64_t CachedModel::slots() const {
  return static_cast<int64_t>(lengths.size());
}

int64_t CachedModel::context() const {
  return prefill.program.manifest->model.sequence;
}

int64_t CachedModel::vocabulary() const {
  return prefill.program.manifest->model.vocabulary;
}

CachedModel::RowProgram &CachedModel::use(RowProgram &next) {
  if (current != &next)
    fillRotary(next.program, rotary);
  current = &next;
  return next;
}

void CachedModel::requireRoom(int64_t slot, int64_t more) const {
  if (lengths[slot] + more > context())
    fatal("a text of %lld tokens is longer than `generation.context`, which is "
          "%lld",
          static_cast<long long>(lengths[slot] + more),
          static_cast<long long>(context()));
}

const float *CachedModel::append(int64_t slot,
                                 std::span<const int32_t> tokens) {
  requireRoom(slot, static_cast<int64_t>(tokens.size()));
  while (!tokens.empty()) {
    size_t count = std::min(tokens.size(),
                            static_cast<size_t>(prefill.tokens->elements()));
    chunkSlots.assign(count, slot);
    chunkPositions.resize(count);
    for (int32_t &position : chunkPositions)
      position = lengths[slot]++;
    use(prefill).run(chunkSlots, tokens.first(count), chunkPositions,
                     /*wanted=*/count == tokens.size());
    tokens = tokens.subspan(count);
  }
  return prefill.read(vocabulary(), scores);
}

const float *CachedModel::step(std::span<const int64_t> ofSlots,
                               std::span<const int32_t> tokens) {
  chunkPositions.clear();
  for (int64_t slot : ofSlots) {
    requireRoom(slot, 1);
    chunkPositions.push_back(lengths[slot]++);
  }
  use(decode).run(ofSlots, tokens, chunkPositions);
  return decode.read(static_cast<int64_t>(tokens.size()) * vocabulary(),
                     scores);
}

void CachedModel::copy(int64_t from, int64_t to, int64_t tokens) {
  lengths[to] = static_cast<int32_t>(tokens);
  if (from == to)
    return;
  tessera_context &context = prefill.program;
  for (const State &state : context.program->states) {
    if (state.shape.empty())
      continue;
    int64_t slots = state.shape[1], heads = state.shape[2];
    int64_t position = state.shape[4] * sizeOf(state.type);
    int64_t head = state.shape[3] * position;
    char *ofSlot = context.arena + state.offset;
    for (int64_t keysOrValues = 0; keysOrValues < state.shape[0];
         ++keysOrValues, ofSlot += slots * heads * head)
      for (int64_t i = 0; i < heads; ++i)
        tessera_copy(&context, ofSlot + (to * heads + i) * head,
                     ofSlot + (from * heads + i) * head, tokens * position);
  }
}

void CachedModel::clear(int64_t slot) { lengths[slot] = 0; }

} // namespace tessera::runtime
