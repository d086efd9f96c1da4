//===- Score.cpp - The command score --------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/AllCommands.h"
#include "runtime/commands/LogprobText.h"
#include "runtime/commands/Open.h"
#include "runtime/commands/OpenTokenModel.h"
#include "runtime/commands/SharedOptions.h"
#include "runtime/commands/StopSignals.h"
#include "runtime/core/Error.h"
#include "runtime/core/Utf8.h"
#include "runtime/files/JsonLines.h"
#include "runtime/files/Output.h"
#include "runtime/generation/SpecialTokens.h"
#include "runtime/program/GenerationNames.h"
#include <chrono>
#include <cmath>
#include <cstdio>

namespace tessera::runtime {
namespace {

/// What the options of this command alone say.
struct {
  std::string texts, field = "text";
  int64_t likeliest = 0;
  bool logprobs = false, isApart = false;
} asked;

/// A text, or a continuation behind its context.
struct ScoreRequest {
  JsonCursor::Json id;
  std::string place; ///< for messages
  bool isContinuation;
  std::vector<int32_t> tokens;
  size_t scored; ///< the last ones
  size_t bytes;  ///< of the text that these stand for
};

/// The tokens of lines.
class RequestReader {
public:
  RequestReader(TextCodec &codec, const SpecialTokens &special) : codec(codec) {
    if (special.begin || !special.end.empty())
      begin = special.begin ? *special.begin : special.end.front();
  }

  ScoreRequest read(const JsonLine &line) {
    place = line.place.c_str();
    JsonCursor cursor(line.object);
    bool isContinuation = cursor.has("continuation");
    const char *field = asked.field.c_str();
    if (isContinuation == cursor.has(field))
      throw JsonCursor::Refusal(
          isContinuation
              ? "it has '" + asked.field + "' and 'continuation': give one"
              : "it has neither '" + asked.field +
                    "' (--field names the text) nor 'continuation'");
    ScoreRequest request;
    request.isContinuation = isContinuation;
    request.id = line.id;
    request.place = line.place;
    if (isContinuation) {
      std::string context;
      if (cursor.has("context"))
        context = cursor.at("context").anyText(SIZE_MAX);
      readContinuation(context, cursor.at("continuation").anyText(SIZE_MAX),
                       request);
    } else {
      readText(cursor.at(field).anyText(SIZE_MAX), request);
    }
    return request;
  }

private:
  std::vector<int32_t> encode(const std::string &text) {
    if (!codec.takesBytes() && !isUtf8(text))
      warning("%sbytes of the text from %zu on are no UTF-8: what is no "
              "character counts as U+FFFD",
              place, validPrefix(text).valid);
    return codec.encode(text);
  }

  /// Whether \p tokens begin with the token that begins a text, which they then
  /// do if one is known.
  bool addBegin(std::vector<int32_t> &tokens) {
    if (!begin)
      return false;
    if (tokens.empty() || tokens.front() != *begin)
      tokens.insert(tokens.begin(), *begin);
    return true;
  }

  void readText(const std::string &text, ScoreRequest &request) {
    request.tokens = encode(text);
    bool hasBegin = addBegin(request.tokens);
    request.scored = request.tokens.size() - !request.tokens.empty();
    request.bytes = text.size();
    if (!hasBegin && request.scored) {
      // The first token is given, not scored.
      std::unique_ptr<TextStream> stream = codec.decode();
      std::string first;
      stream->push(request.tokens.front(), first);
      stream->finish(first);
      request.bytes -= std::min(first.size(), text.size());
    }
    if (!request.scored)
      throw JsonCursor::Refusal(
          begin ? "the text is empty"
                : "the text has no second token, and no token is known that "
                  "begins a text: give a longer one");
  }

  /// Spaces at the end of a context belong to the first word behind it, as
  /// tokens do (the loglikelihood of lm-evaluation-harness).
  void readContinuation(std::string context, std::string continuation,
                        ScoreRequest &request) {
    size_t end = context.find_last_not_of(" \t\n\r\f\v") + 1;
    continuation.insert(0, context, end);
    context.resize(end);
    request.bytes = continuation.size();
    std::vector<int32_t> before = encode(context);
    size_t added = before.empty() ? addBegin(before) : 0;
    if (before.empty())
      throw JsonCursor::Refusal("the context is empty, and no token is known "
                                "that begins a text: give at least one "
                                "character");
    if (asked.isApart) {
      std::vector<int32_t> behind = encode(continuation);
      // The tokenizer's own token at the beginning is there once.
      size_t own = begin && !behind.empty() && behind.front() == *begin;
      request.tokens = before;
      request.tokens.insert(request.tokens.end(), behind.begin() + own,
                            behind.end());
    } else {
      std::vector<int32_t> all = encode(context + continuation);
      if (added && (all.empty() || all.front() != *begin))
        all.insert(all.begin(), *begin);
      request.tokens = std::move(all);
    }
    if (request.tokens.size() <= before.size())
      throw JsonCursor::Refusal("the continuation has no token of its own");
    request.scored = request.tokens.size() - before.size();
  }

  TextCodec &codec;
  std::optional<int32_t> begin;
  const char *place = "";
};

/// What is said of one text, or of all.
struct Sum {
  double logprob = 0;
  size_t tokens = 0, bytes = 0;
  bool isGreedy = true;

  double perplexity() const { return std::exp(-logprob / double(tokens)); }
  double bitsPerByte() const { return -logprob / (M_LN2 * double(bytes)); }
};

Sum scoreRequest(TextScorer &scorer, const ScoreRequest &request,
                 std::vector<TokenLogprobs> &tokens) {
  Sum sum;
  sum.bytes = request.bytes;
  sum.tokens = request.scored;
  std::span<const int32_t> all = request.tokens;
  tokens.clear();
  for (const TextWindow &window : textWindows(
           all.size(), request.scored, static_cast<size_t>(scorer.context())))
    for (TokenLogprobs &token :
         scorer.score(all.subspan(window.begin, window.end - window.begin),
                      window.scored)) {
      if (!std::isfinite(token.chosen.value))
        fatal("%sthe logarithm of a probability is %f: the weights of --init "
              "do not fit, or overflow",
              request.place.c_str(), double(token.chosen.value));
      sum.logprob += token.chosen.value;
      sum.isGreedy &= token.chosen.token == token.likeliest.front().token;
      tokens.push_back(std::move(token));
    }
  return sum;
}

JsonCursor::Json lineOf(const ScoreRequest &request, const Sum &sum) {
  JsonCursor::Json line = {{"id", request.id},
                           {"logprob", sum.logprob},
                           {"tokens", sum.tokens},
                           {"bytes", sum.bytes},
                           {"greedy", sum.isGreedy}};
  if (request.isContinuation)
    return line;
  line["perplexity"] = sum.perplexity();
  line["bits_per_byte"] = sum.bitsPerByte();
  return line;
}

} // namespace

static int runScore(const Manifest &manifest, const Options &options) {
  const Model &model = manifest.model;
  std::unique_ptr<TextCodec> codec = requireTextCodec(model, "score");
  SpecialTokens special =
      readSpecialTokens(options.init, model.vocabulary, *codec);
  std::vector<ScoreRequest> requests;
  RequestReader reader(*codec, special);
  readJsonLines(asked.texts, "the texts ", [&](const JsonLine &line) {
    requests.push_back(reader.read(line));
  });
  if (requests.empty())
    fatal("'%s' has no texts: a line for each is wanted, such as {\"%s\": "
          "\"Once\"} or {\"context\": \"Once\", \"continuation\": \" upon\"}",
          asked.texts.c_str(), asked.field.c_str());
  requireApart(
      "--out", options.out,
      {{"the texts", asked.texts}, {"the weights of --init", options.init}});
  OutputFile file;
  if (!file.open(options.out, 0))
    fatal("%s", file.error().c_str());
  TextScorer scorer = openTextScorer(manifest, options);
  deferStopSignals();
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin = Clock::now();
  Sum total;
  std::vector<TokenLogprobs> tokens;
  for (const ScoreRequest &request : requests) {
    if (int stopped = stopSignal(notedStop())) {
      fprintf(stderr, "stopped by %s; --out is not written\n",
              stopSignalName(stopped));
      return 128 + stopped;
    }
    Sum sum = scoreRequest(scorer, request, tokens);
    total.logprob += sum.logprob;
    total.tokens += sum.tokens;
    total.bytes += sum.bytes;
    JsonCursor::Json line = lineOf(request, sum);
    if (asked.logprobs)
      for (TokenLogprobs &token : tokens) {
        token.likeliest.resize(std::min<size_t>(
            token.likeliest.size(), static_cast<size_t>(asked.likeliest)));
        line["logprobs"].push_back(logprobsText(*codec, token));
      }
    std::string written = line.dump() + "\n";
    if (!file.write(written.data(), static_cast<int64_t>(written.size())))
      fatal("%s", file.error().c_str());
  }
  if (!file.commit())
    fatal("%s", file.error().c_str());
  double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  fprintf(stderr,
          "%zu texts, %zu tokens in %.3g s (%.4g tokens/s): perplexity %.6g, "
          "bits/byte %.6g\n",
          requests.size(), total.tokens, seconds,
          double(total.tokens) / seconds, total.perplexity(),
          total.bitsPerByte());
  return 0;
}

static void storeTexts(Options &, const std::string &text) {
  asked.texts = text;
}

static void storeField(Options &, const std::string &text) {
  asked.field = text;
}

static void storeLogprobs(Options &, const std::string &text) {
  asked.likeliest = readInteger("--logprobs", text, 0);
  asked.logprobs = true;
  if (asked.likeliest > slotNames::likeliestCount)
    refuseCommandLine("--logprobs takes at most %lld, not '%s'",
                      static_cast<long long>(slotNames::likeliestCount),
                      text.c_str());
}

static void storeApart(Options &, const std::string &) { asked.isApart = true; }

static constexpr Option options[] = {
    weightsOption,
    allowOption,
    required({"--texts", "FILE",
              "in each line an object of JSON with a text, or a context and "
              "its continuation",
              storeTexts}),
    {"--field", "NAME", "what a text is called there (default: text)",
     storeField},
    required({"--out", "FILE", "write a line of JSON for each there",
              keepText<&Options::out>}),
    {"--logprobs", "K",
     "write how likely each token is, and the K likeliest of its place, at "
     "most 5",
     storeLogprobs},
    {"--apart", nullptr,
     "encode a context and its continuation each for itself", storeApart}};

const Command scoreCommand = {.name = "score",
                              .summary = "say how likely texts are",
                              .options = options,
                              .run = runScore,
                              .runsPrograms = true,
                              .usesThreads = true};

} // namespace tessera::runtime
