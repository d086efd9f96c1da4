//===- LogprobText.cpp - Tokens and their probabilities as JSON -----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/LogprobText.h"
#include "runtime/core/Error.h"
#include "runtime/core/Utf8.h"
#include <cstdio>
#include <cstdlib>

namespace tessera::runtime {

using Json = nlohmann::ordered_json;

std::string repairedText(std::string_view text) {
  std::string result;
  appendRepaired(result, text, /*more=*/false);
  return result;
}

/// With nine digits, which read back to the same float.
static Json numberText(float value) {
  char digits[32];
  snprintf(digits, sizeof digits, "%.9g", value);
  return strtod(digits, nullptr);
}

static Json logprobText(TextCodec &codec, const Logprob &logprob) {
  std::unique_ptr<TextStream> stream = codec.decode();
  std::string text;
  stream->push(logprob.token, text);
  stream->finish(text);
  return {{"id", logprob.token},
          {"token", repairedText(text)},
          {"logprob", numberText(logprob.value)}};
}

Json logprobsText(TextCodec &codec, const TokenLogprobs &token) {
  Json entry = logprobText(codec, token.chosen);
  entry["top"] = Json::array();
  for (const Logprob &likely : token.likeliest)
    entry["top"].push_back(logprobText(codec, likely));
  return entry;
}

std::unique_ptr<TextCodec> requireTextCodec(const Model &model,
                                            const char *command) {
  if (model.isGraph())
    fatal("'%s' reads a text, and this is a model of graphs: use 'eval'",
          command);
  std::unique_ptr<TextCodec> codec = textCodec(model);
  if (!codec)
    fatal("what the tokens of this model mean is not known here: name its "
          "`tokenizer` in the specification and compile again, or take a "
          "vocabulary of 256, whose tokens are bytes; this one has %lld",
          static_cast<long long>(model.vocabulary));
  return codec;
}

} // namespace tessera::runtime
