//===- Generator.h - Texts that grow in the slots of a model ----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_GENERATION_GENERATOR_H
#define TESSERA_RUNTIME_GENERATION_GENERATOR_H

#include "runtime/generation/Logprobs.h"
#include "runtime/generation/Sampler.h"
#include "runtime/generation/TextCodec.h"
#include "runtime/generation/TokenModel.h"
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::runtime {

struct GenerationSettings {
  SamplingSettings sampling;
  int64_t maxTokens = 0;          ///< of a text, at most
  std::vector<std::string> stops; ///< none of them empty
  std::vector<int32_t> endTokens;
  std::optional<int64_t> logprobs; ///< how many of the likeliest; none wanted
};

/// A text that is to grow.
struct TextRequest {
  /// At least one token, at most as many as the model's context.
  std::vector<int32_t> prompt;
  TextNumber number;
};

enum class EndReason {
  End,   ///< an end token, which adds nothing to the text
  Stop,  ///< a stop string, which the text ends before
  Length ///< the most tokens, or the context is full
};

struct GeneratedText {
  std::string text;   ///< without the prompt
  int64_t tokens = 0; ///< that were chosen, an end token too
  EndReason reason = EndReason::Length;
  /// The context had no room for the last token, and more were wanted.
  bool filledContext = false;
  std::vector<TokenLogprobs> logprobs; ///< of each token, where wanted
};

/// Who takes texts, by the requests' places.
class TextListener {
public:
  virtual ~TextListener() = default;
  /// The text has grown by \p added, which ends with a whole character.
  virtual void add(size_t request, std::string_view added) = 0;
  virtual void end(size_t request, GeneratedText text) = 0;
  /// Asked before each token; false ends all.
  virtual bool goesOn() = 0;
};

struct GenerationTimes {
  /// Texts that were begun; tokens that were read before them, of a prompt for
  /// several texts once; tokens that were chosen.
  int64_t prompts = 0, promptTokens = 0, tokens = 0;
  /// In which prompts were read and the first token of each text was chosen; to
  /// the first of all; of everything.
  double promptSeconds = 0, firstSeconds = 0, seconds = 0;
};

/// Grows \p requests, each in a slot of \p model, where the next one follows
/// once it has ended. Texts with one prompt, one after the other, have it read
/// once. Tokens do not depend on which and how many slots there
/// are. A text with its prompt has at most one token more than the model's
/// context: the last one is not read.
GenerationTimes generate(TokenModel &model, TextCodec &codec,
                         const GenerationSettings &settings,
                         const std::vector<TextRequest> &requests,
                         TextListener &listener);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_GENERATION_GENERATOR_H
