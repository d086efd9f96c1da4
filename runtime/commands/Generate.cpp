//===- Generate.cpp - The command generate --------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/AllCommands.h"
#include "runtime/commands/OpenTokenModel.h"
#include "runtime/commands/SharedOptions.h"
#include "runtime/commands/TextCodec.h"
#include "runtime/core/Error.h"
#include "runtime/core/Random.h"
#include "runtime/files/Output.h"
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <unistd.h>

namespace tessera::runtime {

/// The likeliest token at temperature 0 (the first of equal ones); else one
/// drawn from softmax(logits / temperature) by the uniform number \p u.
static int choose(const float *logits, int count, double temperature,
                  double u) {
  int best =
      static_cast<int>(std::max_element(logits, logits + count) - logits);
  if (temperature == 0)
    return best;
  auto weight = [&](int token) {
    return std::exp((double(logits[token]) - logits[best]) / temperature);
  };
  double total = 0;
  for (int token = 0; token < count; ++token)
    total += weight(token);
  double left = u * total;
  for (int token = 0; token < count; ++token) {
    left -= weight(token);
    if (left < 0)
      return token;
  }
  return best;
}

static void emit(const std::string &text) {
  if (!writeAll(STDOUT_FILENO, text.data(), static_cast<int64_t>(text.size())))
    fatal("cannot write the text to standard output: %s", strerror(errno));
}

static int runGenerate(const Manifest &manifest, const Options &options) {
  const Model &model = manifest.model;
  if (model.isGraph())
    fatal("'generate' continues a text, and this is a model of graphs: use "
          "'eval'");
  std::unique_ptr<TextCodec> codec = textCodec(model);
  if (!codec)
    fatal("what the tokens of this model mean is not known here: name its "
          "`tokenizer` in the specification and compile again, or take a "
          "vocabulary of 256, whose tokens are bytes; this one has %lld",
          static_cast<long long>(model.vocabulary));
  if (options.prompt.empty())
    fatal("the prompt is empty: give at least one character");
  std::unique_ptr<TokenModel> tokenModel = openTokenModel(manifest, options);
  std::vector<int32_t> text = codec->encode(options.prompt);
  if (text.empty())
    fatal("the prompt has no tokens: give at least one");
  emit(options.prompt);
  std::unique_ptr<TextStream> stream = codec->decode();
  // What a token adds may depend on those before it.
  std::string added;
  for (int32_t token : text)
    stream->push(token, added);
  uint64_t seed = options.seed.value_or(manifest.training.seed);
  const float *scores = nullptr;
  for (int64_t i = 0; i < options.maxTokens; ++i) {
    // The model sees the last tokens that its context holds.
    auto shown = static_cast<size_t>(
        std::min<int64_t>(text.size(), tokenModel->context()));
    tokenModel->clear(0);
    scores = tokenModel->append(0, {text.end() - shown, text.end()});
    double u = uniformBlock(seed, RandomUse::sampling, 0, i)[0];
    text.push_back(choose(scores, static_cast<int>(model.vocabulary),
                          options.temperature, u));
    added.clear();
    stream->push(text.back(), added);
    emit(added);
  }
  added.clear();
  stream->finish(added);
  emit(isatty(STDOUT_FILENO) ? added + "\n" : added);
  return 0;
}

static void storeMaxTokens(Options &options, const std::string &text) {
  options.maxTokens = readInteger("--max-tokens", text, 0);
}

static void storeTemperature(Options &options, const std::string &text) {
  char *end = nullptr;
  options.temperature = strtod(text.c_str(), &end);
  if (text.empty() || *end || !(options.temperature >= 0) ||
      !std::isfinite(options.temperature))
    refuseCommandLine("--temperature takes a number of at least 0, not '%s'",
                      text.c_str());
}

static constexpr Option options[] = {
    required(initOption),
    allowOption,
    seedOption,
    required({"--prompt", "TEXT", "the text to continue",
              keepText<&Options::prompt>}),
    required({"--max-tokens", "N", "how many tokens to add", storeMaxTokens}),
    {"--temperature", "T",
     "0: the likeliest token (default); higher: more random",
     storeTemperature}};

const Command generateCommand = {.name = "generate",
                                 .summary = "continue a text",
                                 .options = options,
                                 .run = runGenerate,
                                 .runsPrograms = true,
                                 .usesThreads = true};

} // namespace tessera::runtime
