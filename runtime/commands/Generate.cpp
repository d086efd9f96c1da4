//===- Generate.cpp - The command generate --------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/AllCommands.h"
#include "runtime/commands/GeneratedTexts.h"
#include "runtime/commands/LogprobText.h"
#include "runtime/commands/Open.h"
#include "runtime/commands/OpenTokenModel.h"
#include "runtime/commands/SharedOptions.h"
#include "runtime/commands/StopSignals.h"
#include "runtime/core/Error.h"
#include "runtime/core/Utf8.h"
#include "runtime/generation/SpecialTokens.h"
#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstring>

namespace tessera::runtime {

/// What the options of this command alone say.
static struct {
  GenerationSettings generation;
  std::optional<std::string> prompt;
  std::string prompts, field = "prompt";
  std::vector<std::string> endTokens;
  bool noEnd = false;
  int64_t samples = 1;
} asked;

static std::vector<Prompt> prompts() {
  if (!asked.prompts.empty())
    return readPrompts(asked.prompts, asked.field);
  return {{0, *asked.prompt, ""}};
}

/// The tokens that end texts: those asked for, else the model's own.
static std::vector<int32_t>
endTokens(TextCodec &codec, const SpecialTokens &special, int64_t vocabulary) {
  if (asked.noEnd)
    return {};
  if (asked.endTokens.empty())
    return special.end;
  std::vector<int32_t> tokens;
  for (const std::string &text : asked.endTokens) {
    char *end = nullptr;
    int64_t token = strtoll(text.c_str(), &end, 10);
    if (!std::isdigit(static_cast<unsigned char>(text.front())) || *end)
      token = codec.tokenNamed(text);
    if (token < 0 || token >= vocabulary)
      fatal("--end-token '%s' is none of the model's %lld tokens: give an id "
            "or the name of a token",
            text.c_str(), static_cast<long long>(vocabulary));
    tokens.push_back(static_cast<int32_t>(token));
  }
  return tokens;
}

/// The tokens of \p prompt; exits the process where the model cannot read them.
static std::vector<int32_t> tokensOf(TextCodec &codec, const Prompt &prompt,
                                     const SpecialTokens &special,
                                     TokenContext context) {
  const char *place = prompt.place.c_str();
  if (!codec.takesBytes() && !isUtf8(prompt.text))
    warning("%sthe prompt's bytes from %zu on are no UTF-8: what is no "
            "character counts as U+FFFD",
            place, validPrefix(prompt.text).valid);
  std::vector<int32_t> tokens = codec.encode(prompt.text);
  if (tokens.empty() && special.begin)
    tokens.push_back(*special.begin);
  if (tokens.empty())
    fatal("%sthe prompt is empty, and no token is known that begins a text: "
          "give at least one character",
          place);
  if (static_cast<int64_t>(tokens.size()) > context.tokens)
    fatal("%sthe prompt has %zu tokens, and the model's context %lld: shorten "
          "it, or compile for more (%s)",
          place, tokens.size(), static_cast<long long>(context.tokens),
          context.field);
  return tokens;
}

/// " at 12.3 tokens/s"; empty where there is nothing to say.
static std::string rateText(const char *before, int64_t tokens,
                            double seconds) {
  if (tokens == 0 || seconds <= 0)
    return "";
  char text[80];
  snprintf(text, sizeof text, "%s%.4g tokens/s", before,
           double(tokens) / seconds);
  return text;
}

/// Says how fast it went, and where texts are shorter than a user asked for.
static void report(const GenerationTimes &times, const GeneratedTexts &texts,
                   int64_t context) {
  if (texts.filled())
    warning("%lld of %lld texts ended where the model's context of %lld tokens "
            "does, before --max-tokens",
            static_cast<long long>(texts.filled()),
            static_cast<long long>(texts.ended()),
            static_cast<long long>(context));
  std::string prompts =
      rateText(" at ", times.promptTokens, times.promptSeconds);
  std::string later = rateText(", the others at ", times.tokens - times.prompts,
                               times.seconds - times.promptSeconds);
  fprintf(stderr,
          "%lld tokens in %.3g s: the first after %.3g s%s (prompts: %lld "
          "tokens%s)\n",
          static_cast<long long>(times.tokens), times.seconds,
          times.firstSeconds, later.c_str(),
          static_cast<long long>(times.promptTokens), prompts.c_str());
}

static int runGenerate(const Manifest &manifest, const Options &options) {
  const Model &model = manifest.model;
  std::unique_ptr<TextCodec> codec = requireTextCodec(model, "generate");
  SpecialTokens special =
      readSpecialTokens(options.init, model.vocabulary, *codec);
  asked.generation.endTokens = endTokens(*codec, special, model.vocabulary);
  asked.generation.sampling.seed =
      options.seed.value_or(manifest.training.seed);
  std::vector<Prompt> from = prompts();
  std::vector<TextRequest> requests;
  TokenContext context = tokenContext(manifest);
  for (uint32_t i = 0; i < from.size(); ++i) {
    std::vector<int32_t> tokens = tokensOf(*codec, from[i], special, context);
    for (uint32_t sample = 0; sample < asked.samples; ++sample)
      requests.push_back({tokens, {i, sample}});
  }
  std::unique_ptr<GeneratedTexts> texts;
  PrintedTexts *printed = nullptr;
  if (options.out.empty()) {
    auto own = std::make_unique<PrintedTexts>(from, asked.samples);
    printed = own.get();
    texts = std::move(own);
  } else {
    requireApart("--out", options.out,
                 {{"the prompts", asked.prompts},
                  {"the weights of --init", options.init}});
    texts =
        std::make_unique<SavedTexts>(from, asked.samples, *codec, options.out);
  }
  std::unique_ptr<TokenModel> tokenModel = openTokenModel(manifest, options);
  deferStopSignals();
  GenerationTimes times =
      generate(*tokenModel, *codec, asked.generation, requests, *texts);
  if (int stopped = stopSignal(notedStop())) {
    report(times, *texts, context.tokens);
    fprintf(stderr, "stopped by %s%s\n", stopSignalName(stopped),
            printed ? "" : "; --out is not written");
    return 128 + stopped;
  }
  if (printed && printed->readerLeft())
    return 128 + SIGPIPE;
  texts->finish();
  report(times, *texts, context.tokens);
  return 0;
}

static void storePrompt(Options &, const std::string &text) {
  asked.prompt = text;
}

static void storePrompts(Options &, const std::string &text) {
  asked.prompts = text;
}

static void storeField(Options &, const std::string &text) {
  asked.field = text;
}

static void storeMaxTokens(Options &, const std::string &text) {
  asked.generation.maxTokens = readInteger("--max-tokens", text, 0);
}

static void storeSamples(Options &, const std::string &text) {
  asked.samples = readInteger("--samples", text, 1);
}

/// \p text as a number from \p least to \p most; refuses another.
static double readNumber(const char *option, const std::string &text,
                         double least, double most, const char *wanted) {
  char *end = nullptr;
  double value = strtod(text.c_str(), &end);
  if (text.empty() || *end || !(value >= least && value <= most))
    refuseCommandLine("%s takes %s, not '%s'", option, wanted, text.c_str());
  return value;
}

static constexpr double maxFloat = 3.4e38, minFloat = 1.2e-38;

static void storeTemperature(Options &, const std::string &text) {
  asked.generation.sampling.temperature = static_cast<float>(
      readNumber("--temperature", text, 0, maxFloat, "a number of at least 0"));
}

static void storeTopK(Options &, const std::string &text) {
  asked.generation.sampling.topK = readInteger("--top-k", text, 0);
}

static void storeTopP(Options &, const std::string &text) {
  asked.generation.sampling.topP =
      readNumber("--top-p", text, 0, 1, "a number from 0 to 1");
}

static void storeMinP(Options &, const std::string &text) {
  asked.generation.sampling.minP =
      readNumber("--min-p", text, 0, 1, "a number from 0 to 1");
}

static void storePenalty(Options &, const std::string &text) {
  asked.generation.sampling.repetitionPenalty = static_cast<float>(readNumber(
      "--repetition-penalty", text, minFloat, maxFloat, "a number above 0"));
}

static void storeStop(Options &, const std::string &text) {
  if (text.empty())
    refuseCommandLine("%s", "--stop takes a text of at least one character");
  if (!isUtf8(text))
    refuseCommandLine("%s", "--stop takes a text in UTF-8");
  asked.generation.stops.push_back(text);
}

static void storeEndToken(Options &, const std::string &text) {
  if (text.empty())
    refuseCommandLine("%s", "--end-token takes an id or the name of a token");
  asked.endTokens.push_back(text);
}

static void storeNoEnd(Options &, const std::string &) { asked.noEnd = true; }

static void storeLogprobs(Options &, const std::string &text) {
  asked.generation.logprobs = readInteger("--logprobs", text, 0);
}

static void checkGenerate(const Options &options) {
  const SamplingSettings &sampling = asked.generation.sampling;
  if (asked.prompt.has_value() == !asked.prompts.empty())
    refuseCommandLine("%s", asked.prompt
                                ? "--prompt and --prompts exclude each other"
                                : "'generate' needs --prompt TEXT or --prompts "
                                  "FILE");
  if (asked.prompts.empty() && asked.field != "prompt")
    refuseCommandLine("%s", "--field is of --prompts, a file: --prompt is the "
                            "text itself");
  if (!asked.prompts.empty() && options.out.empty())
    refuseCommandLine("%s", "--prompts needs --out FILE");
  if (asked.generation.logprobs && options.out.empty())
    refuseCommandLine("%s", "--logprobs needs --out FILE");
  if (asked.noEnd && !asked.endTokens.empty())
    refuseCommandLine("%s", "--no-end and --end-token exclude each other");
  if (sampling.temperature > 0)
    return;
  const char *unused = sampling.topK > 0   ? "--top-k"
                       : sampling.topP < 1 ? "--top-p"
                       : sampling.minP > 0 ? "--min-p"
                       : asked.samples > 1 ? "--samples"
                                           : nullptr;
  if (unused)
    refuseCommandLine(
        "%s changes nothing at temperature 0, where the likeliest "
        "token is taken: give --temperature 1",
        unused);
}

static constexpr Option options[] = {
    weightsOption,
    allowOption,
    {"--prompt", "TEXT", "the text to continue", storePrompt},
    {"--prompts", "FILE", "a prompt in each line, an object of JSON",
     storePrompts},
    {"--field", "NAME", "what the prompts are called there (default: prompt)",
     storeField},
    {"--out", "FILE",
     "write lines of JSON there, not the text to standard output",
     keepText<&Options::out>},
    required({"--max-tokens", "N", "how many tokens to add at most",
              storeMaxTokens}),
    {"--samples", "N", "how many texts for each prompt (default: 1)",
     storeSamples},
    seedOption,
    {"--temperature", "T",
     "0: the likeliest token (default); higher: more random", storeTemperature},
    {"--top-k", "K", "draw from the K likeliest tokens", storeTopK},
    {"--top-p", "P", "draw from the likeliest tokens that make up P",
     storeTopP},
    {"--min-p", "P",
     "draw from tokens at least P times as likely as the likeliest", storeMinP},
    {"--repetition-penalty", "R",
     "above 1: tokens that the text has are less likely", storePenalty},
    {"--stop", "TEXT", "end before this text; may be given several times",
     storeStop},
    {"--end-token", "TOKEN",
     "the id or name of a token that ends a text; may be given several times "
     "(default: as the published folder of --init says, or where it is none "
     "the tokenizer's end token)",
     storeEndToken},
    {"--no-end", nullptr, "go on behind tokens that end a text", storeNoEnd},
    {"--logprobs", "K",
     "write how likely each token was, and the K likeliest of its place",
     storeLogprobs}};

const Command generateCommand = {.name = "generate",
                                 .summary = "continue a text",
                                 .options = options,
                                 .run = runGenerate,
                                 .check = checkGenerate,
                                 .runsPrograms = true,
                                 .usesThreads = true,
                                 .readerMayLeave = true};

} // namespace tessera::runtime
