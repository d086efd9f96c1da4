//===- Samples.h - Commands on samples of data ------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What `eval` and `predict` have in common where data is text.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_SAMPLES_H
#define TESSERA_RUNTIME_COMMANDS_SAMPLES_H

#include "runtime/commands/Command.h"
#include "runtime/core/ProgressLine.h"
#include "runtime/generation/TextCodec.h"

namespace tessera::runtime {

void storeSamples(Options &options, const std::string &text);

inline constexpr char graphsHaveNoSamples[] =
    "a graph has splits, and no samples";
inline constexpr Option samplesOption = ofTexts<graphsHaveNoSamples>(
    {"--samples", "N", "the first N samples of the data (default: all)",
     storeSamples});

/// Says that \p done of \p samples are done, if it is time to.
void showSamples(ProgressLine &progress, int64_t done, int64_t samples);

/// The bytes of text that targets stand for, which come one after the other.
class TargetBytes {
public:
  explicit TargetBytes(const Model &model);

  /// Whether it is known what tokens stand for.
  bool areKnown() const { return stream != nullptr; }
  /// How many bytes are certain with \p tokens. Those of a character that is
  /// not complete come with what completes it.
  int64_t add(std::span<const int32_t> tokens);
  /// All bytes; 0 where it is not known what tokens stand for.
  int64_t finish();

private:
  int64_t take();

  std::unique_ptr<TextCodec> codec;
  std::unique_ptr<TextStream> stream;
  std::string text;
  int64_t count = 0;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_SAMPLES_H
