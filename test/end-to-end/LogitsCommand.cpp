//===- LogitsCommand.cpp - A command that writes logits -------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What test_generation.py links into executables: it does what lines of
// standard input say to the executable's token model, and writes each line's
// logits to standard output, as numbers of fp32.
//
//   append SLOT TOKEN...        [vocabulary]
//   step SLOT:TOKEN...          [pairs, vocabulary]
//   copy TO FROM COUNT
//   clear SLOT
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/OpenTokenModel.h"
#include "runtime/commands/SharedOptions.h"
#include "runtime/core/Error.h"
#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace tessera::runtime {
namespace {

int runLogits(const Manifest &manifest, const Options &options) {
  std::unique_ptr<TokenModel> model = openTokenModel(manifest, options);
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string what;
    words >> what;
    std::vector<int64_t> slots;
    std::vector<int32_t> tokens;
    const float *logits = nullptr;
    size_t rows = 1;
    if (what == "step") {
      int64_t slot;
      int32_t token;
      char colon;
      while (words >> slot >> colon >> token) {
        slots.push_back(slot);
        tokens.push_back(token);
      }
      rows = slots.size();
      logits = model->step(slots, tokens);
    } else {
      int64_t slot = 0;
      words >> slot;
      for (int32_t token; words >> token;)
        tokens.push_back(token);
      if (what == "clear")
        model->clear(slot);
      else if (what == "copy") // to `slot`: the first tokens of another
        model->copy(tokens.at(0), slot, tokens.at(1));
      else
        logits = model->append(slot, tokens);
    }
    if (logits && fwrite(logits, sizeof(float) * model->vocabulary(), rows,
                         stdout) != rows)
      fatal("cannot write the logits");
  }
  fflush(stdout);
  return 0;
}

constexpr Option options[] = {initOption, seedOption};

const Command logitsCommand = {.name = "logits",
                               .summary = "write the logits of tokens",
                               .options = options,
                               .run = runLogits,
                               .runsPrograms = true,
                               .usesThreads = true};

[[maybe_unused]] const bool isRegistered =
    (registerCommand(logitsCommand), true);

} // namespace
} // namespace tessera::runtime
