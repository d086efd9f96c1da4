//===- TextScorer.cpp - How likely the tokens of texts are ----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/generation/TextScorer.h"
#include "runtime/core/Error.h"
#include "runtime/program/GenerationNames.h"
#include <algorithm>

namespace tessera::runtime {

std::vector<TextWindow> textWindows(size_t tokens, size_t scored,
                                    size_t context) {
  std::vector<TextWindow> windows;
  for (size_t next = tokens - scored; next < tokens;) {
    size_t end = std::min(tokens, next + context);
    windows.push_back({end - std::min(end, context + 1), end, end - next});
    next = end;
  }
  return windows;
}

static const Slot &require(const Slot *slot, const char *name) {
  if (!slot)
    fatal("the program 'score' lacks '%s': compile the specification again "
          "with this version of tessera",
          name);
  return *slot;
}

TextScorer::TextScorer(const tessera_context &context)
    : ownContext(context),
      entry(
          ownContext.entry((std::string(slotNames::score) + ".run").c_str())) {
  const Program &program = *ownContext.program;
  for (const char *name : {slotNames::slots, slotNames::positions,
                           slotNames::count, slotNames::targets})
    require(program.input(name), name);
  for (const char *name : {slotNames::logProbability, slotNames::likeliest,
                           slotNames::likeliestLogs})
    require(program.output(name), name);
  rows =
      require(program.input(slotNames::tokens), slotNames::tokens).elements();
  ofTargets.resize(rows);
  auto all = require(program.output(slotNames::likeliest), slotNames::likeliest)
                 .elements();
  likeliest.resize(all);
  logs.resize(all);
}

void TextScorer::run(std::span<const int32_t> tokens, size_t begin,
                     size_t count) {
  Device &device = *ownContext.device;
  // Rows that are not there are read all the same, as of token 0.
  auto fill = [&](const char *name, auto valueOf, size_t values) {
    const Slot &input = *ownContext.program->input(name);
    auto *to =
        reinterpret_cast<int32_t *>(device.beginInput(ownContext, input));
    for (size_t i = 0; i < static_cast<size_t>(input.elements()); ++i)
      to[i] = i < values ? valueOf(begin + i) : 0;
    device.commitInput(ownContext, input);
  };
  fill(slotNames::tokens, [&](size_t i) { return tokens[i]; }, count);
  fill(slotNames::targets, [&](size_t i) { return tokens[i + 1]; }, count);
  fill(slotNames::slots, [](size_t) { return 0; }, 0);
  fill(
      slotNames::positions, [](size_t i) { return static_cast<int32_t>(i); },
      count);
  fill(
      slotNames::count, [&](size_t) { return static_cast<int32_t>(count); }, 1);
  ownContext.run(entry);
  auto read = [&](const char *name, auto &values) {
    device.read(values.data(),
                ownContext.arena + ownContext.program->output(name)->offset,
                static_cast<int64_t>(sizeof values[0] * values.size()));
  };
  read(slotNames::logProbability, ofTargets);
  read(slotNames::likeliest, likeliest);
  read(slotNames::likeliestLogs, logs);
}

std::vector<TokenLogprobs> TextScorer::score(std::span<const int32_t> tokens,
                                             size_t scored) {
  std::vector<TokenLogprobs> result;
  size_t last = tokens.size() - 1, first = last - scored;
  auto different =
      std::mismatch(held.begin(), held.end(), tokens.begin(), tokens.end() - 1)
          .first;
  auto known = static_cast<size_t>(different - held.begin());
  held.assign(tokens.begin(), tokens.end() - 1);
  for (size_t begin = std::min(known, first) / rows * rows; begin < last;
       begin += rows) {
    size_t count = std::min(rows, last - begin);
    run(tokens, begin, count);
    for (size_t row = first > begin ? first - begin : 0; row < count; ++row) {
      TokenLogprobs &token = result.emplace_back();
      token.chosen = {tokens[begin + row + 1], ofTargets[row]};
      for (size_t i = row; i < likeliest.size(); i += rows)
        token.likeliest.push_back({likeliest[i], logs[i]});
    }
  }
  return result;
}

} // namespace tessera::runtime
