//===- GeneratedTexts.h - Where generated texts go --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_GENERATEDTEXTS_H
#define TESSERA_RUNTIME_COMMANDS_GENERATEDTEXTS_H

#include "runtime/files/Output.h"
#include "runtime/generation/Generator.h"
#include "runtime/generation/Prompts.h"
#include <map>

namespace tessera::runtime {

/// Takes the texts of \p samples requests for each of some prompts, one prompt
/// after another. Counts those that the context has cut.
class GeneratedTexts : public TextListener {
public:
  GeneratedTexts(const std::vector<Prompt> &prompts, int64_t samples)
      : prompts(prompts), samples(samples) {}

  void end(size_t request, GeneratedText text) override;
  /// False once a signal is noted (StopSignals.h).
  bool goesOn() override;
  /// Says that all texts have ended.
  virtual void finish() {}

  int64_t ended() const { return endedTexts; }
  int64_t filled() const { return filledTexts; }

protected:
  /// A text that ended, called in the order of the requests.
  virtual void take(size_t request, const GeneratedText &text) = 0;
  const Prompt &promptOf(size_t request) const {
    return prompts[request / static_cast<size_t>(samples)];
  }
  int64_t sampleOf(size_t request) const {
    return static_cast<int64_t>(request) % samples;
  }

  const std::vector<Prompt> &prompts;
  const int64_t samples;
  /// The first request whose text has not been taken.
  size_t next = 0;

private:
  std::map<size_t, GeneratedText> waiting;
  int64_t endedTexts = 0, filledTexts = 0;
};

/// Writes prompts and texts to standard output: the text whose turn it is while
/// it grows. Where its reader leaves, goesOn() is false. Exits the process on
/// other errors.
class PrintedTexts : public GeneratedTexts {
public:
  PrintedTexts(const std::vector<Prompt> &prompts, int64_t samples)
      : GeneratedTexts(prompts, samples), isTerminal(isTerminalOutput()) {}

  void add(size_t request, std::string_view added) override;
  bool goesOn() override { return !isLeft && GeneratedTexts::goesOn(); }
  bool readerLeft() const { return isLeft; }

private:
  void take(size_t request, const GeneratedText &text) override;
  static bool isTerminalOutput();
  void begin(size_t request);
  void print(std::string_view text);

  bool isTerminal, isLeft = false;
  size_t begun = 0; ///< requests whose prompts are printed
  std::map<size_t, std::string> early;
};

/// Writes a line of JSON for each text into a file that counts once it is
/// whole. Exits the process where it cannot be written.
class SavedTexts : public GeneratedTexts {
public:
  SavedTexts(const std::vector<Prompt> &prompts, int64_t samples,
             TextCodec &codec, const std::string &path);

  void add(size_t, std::string_view) override {}
  void finish() override;

private:
  void take(size_t request, const GeneratedText &text) override;

  TextCodec &codec;
  OutputFile file;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_GENERATEDTEXTS_H
