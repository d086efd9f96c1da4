//===- GeneratedTexts.cpp - Where generated texts go ----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/GeneratedTexts.h"
#include "runtime/commands/LogprobText.h"
#include "runtime/commands/StopSignals.h"
#include "runtime/core/Error.h"
#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace tessera::runtime {

using Json = nlohmann::ordered_json;

void GeneratedTexts::end(size_t request, GeneratedText text) {
  ++endedTexts;
  filledTexts += text.filledContext;
  waiting.emplace(request, std::move(text));
  for (auto first = waiting.begin();
       first != waiting.end() && first->first == next;
       first = waiting.erase(first)) {
    take(next, first->second);
    ++next;
  }
}

bool GeneratedTexts::goesOn() { return notedStop() == 0; }

bool PrintedTexts::isTerminalOutput() { return isatty(STDOUT_FILENO); }

void PrintedTexts::print(std::string_view text) {
  if (isLeft || writeUnlessStopped(STDOUT_FILENO, text.data(),
                                   static_cast<int64_t>(text.size())))
    return;
  // A signal ends the run with a code of its own.
  isLeft = errno == EPIPE || errno == EINTR;
  if (!isLeft)
    fatal("cannot write the text to standard output: %s", strerror(errno));
}

/// Writes what stands before a text, once.
void PrintedTexts::begin(size_t request) {
  if (begun > request)
    return;
  begun = request + 1;
  if (samples > 1)
    print("[sample " + std::to_string(sampleOf(request) + 1) + " of " +
          std::to_string(samples) + "]\n");
  print(promptOf(request).text);
}

void PrintedTexts::add(size_t request, std::string_view added) {
  if (request != next) {
    early[request] += added;
    return;
  }
  begin(request);
  if (auto found = early.find(request); found != early.end()) {
    print(found->second);
    early.erase(found);
  }
  print(added);
}

void PrintedTexts::take(size_t request, const GeneratedText &) {
  add(request, "");
  if (isTerminal || samples > 1)
    print("\n");
}

SavedTexts::SavedTexts(const std::vector<Prompt> &prompts, int64_t samples,
                       TextCodec &codec, const std::string &path)
    : GeneratedTexts(prompts, samples), codec(codec) {
  if (!file.open(path, 0))
    fatal("%s", file.error().c_str());
}

void SavedTexts::take(size_t request, const GeneratedText &text) {
  static constexpr const char *reasons[] = {"end", "stop", "length"};
  const Prompt &prompt = promptOf(request);
  Json line = {{"id", prompt.id},
               {"prompt", repairedText(prompt.text)},
               {"sample", sampleOf(request)},
               {"text", repairedText(text.text)},
               {"tokens", text.tokens},
               {"reason", reasons[static_cast<int>(text.reason)]}};
  for (const TokenLogprobs &token : text.logprobs)
    line["logprobs"].push_back(logprobsText(codec, token));
  std::string written = line.dump() + "\n";
  if (!file.write(written.data(), static_cast<int64_t>(written.size())))
    fatal("%s", file.error().c_str());
}

void SavedTexts::finish() {
  if (!file.commit())
    fatal("%s", file.error().c_str());
}

} // namespace tessera::runtime
