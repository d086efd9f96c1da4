//===- Generator.cpp - Texts that grow in the slots of a model ------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/generation/Generator.h"
#include "runtime/core/Threads.h"
#include "runtime/generation/StopFilter.h"
#include <algorithm>
#include <chrono>
#include <memory>

namespace tessera::runtime {
namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// A text in a slot.
class GrowingText {
public:
  GrowingText(TextCodec &codec, const GenerationSettings &settings,
              const std::vector<TextRequest> &requests, size_t request,
              int64_t context)
      : settings(settings), request(request), number(requests[request].number),
        context(context), tokens(requests[request].prompt),
        stream(codec.decode(tokens)), filter(settings.stops) {}

  /// Chooses the next token. Texts may do it at the same time, each with a
  /// sampler of its own.
  void choose(Sampler &sampler, std::span<const float> logits) {
    next = sampler.choose(logits.data(), tokens, number);
    if (settings.logprobs)
      result.logprobs.push_back(logprobsOf(logits, next, *settings.logprobs));
  }

  /// Appends it; true where the text has ended with it.
  bool append(TextListener &listener) {
    tokens.push_back(next);
    ++result.tokens;
    const std::vector<int32_t> &ends = settings.endTokens;
    if (std::find(ends.begin(), ends.end(), next) != ends.end())
      return finish(EndReason::End, listener);
    std::string text, sure;
    stream->push(next, text);
    bool stops = filter.push(text, sure);
    give(sure, listener);
    if (stops)
      return end(EndReason::Stop, listener);
    bool isFull = static_cast<int64_t>(tokens.size()) > context;
    if (result.tokens < settings.maxTokens && !isFull)
      return false;
    result.filledContext = result.tokens < settings.maxTokens;
    return finish(EndReason::Length, listener);
  }

  /// Gives what is held back.
  bool flush(TextListener &listener) {
    std::string rest, sure;
    stream->finish(rest);
    bool stops = filter.push(rest, sure);
    if (!stops)
      filter.finish(sure);
    give(sure, listener);
    return stops;
  }

  int32_t last() const { return next; }

private:
  void give(const std::string &sure, TextListener &listener) {
    result.text += sure;
    if (!sure.empty())
      listener.add(request, sure);
  }
  bool finish(EndReason reason, TextListener &listener) {
    return end(flush(listener) ? EndReason::Stop : reason, listener);
  }
  bool end(EndReason reason, TextListener &listener) {
    result.reason = reason;
    listener.end(request, std::move(result));
    return true;
  }

  const GenerationSettings &settings;
  size_t request;
  TextNumber number;
  int64_t context;
  std::vector<int32_t> tokens;
  std::unique_ptr<TextStream> stream;
  StopFilter filter;
  GeneratedText result;
  int32_t next = 0;
};

/// The slots of a model, with the texts in them.
class Slots {
public:
  Slots(TokenModel &model, TextCodec &codec, const GenerationSettings &settings,
        const std::vector<TextRequest> &requests, TextListener &listener)
      : model(model), codec(codec), settings(settings), requests(requests),
        listener(listener), texts(model.slots()),
        samplers(model.slots(), Sampler(settings.sampling, model.vocabulary())),
        beginsSo(model.slots()) {}

  GenerationTimes run() {
    Clock::time_point begin = Clock::now();
    while (listener.goesOn()) {
      if (int64_t slot = freeSlot(); slot >= 0 && following < requests.size())
        start(slot, begin);
      else if (!step())
        break;
    }
    for (auto &text : texts)
      if (text)
        text->flush(listener);
    times.seconds = secondsSince(begin);
    return times;
  }

private:
  int64_t freeSlot() const {
    auto free = std::find(texts.begin(), texts.end(), nullptr);
    return free == texts.end() ? -1 : free - texts.begin();
  }

  std::span<const float> row(const float *logits, int64_t index) const {
    auto size = static_cast<size_t>(model.vocabulary());
    return {logits + index * model.vocabulary(), size};
  }

  /// Puts the next request into \p slot and chooses its first token.
  void start(int64_t slot, Clock::time_point runBegin) {
    size_t request = following++;
    if (settings.maxTokens == 0)
      return listener.end(request, {});
    Clock::time_point begin = Clock::now();
    texts[slot] = std::make_unique<GrowingText>(codec, settings, requests,
                                                request, model.context());
    readPrompt(slot, requests[request].prompt);
    texts[slot]->choose(samplers[slot], promptLogits);
    ++times.prompts;
    times.promptSeconds += secondsSince(begin);
    if (times.tokens == 0)
      times.firstSeconds = secondsSince(runBegin);
    append(slot);
  }

  /// Makes \p wanted the text of \p slot. Where it is the one that was read
  /// last it is copied, from a slot whose text begins with it.
  void readPrompt(int64_t slot, const std::vector<int32_t> &wanted) {
    auto tokens = static_cast<int64_t>(wanted.size());
    auto begun = beginsSo[slot]
                     ? beginsSo.begin() + slot
                     : std::find(beginsSo.begin(), beginsSo.end(), true);
    if (begun != beginsSo.end() && prompt == wanted) {
      model.copy(begun - beginsSo.begin(), slot, tokens);
    } else {
      model.clear(slot);
      std::span<const float> logits = row(model.append(slot, wanted), 0);
      prompt = wanted;
      promptLogits.assign(logits.begin(), logits.end());
      beginsSo.assign(beginsSo.size(), false);
      times.promptTokens += tokens;
    }
    beginsSo[slot] = true;
  }

  /// Appends the token that the text in \p slot has chosen.
  void append(int64_t slot) {
    ++times.tokens;
    if (texts[slot]->append(listener))
      texts[slot] = nullptr;
  }

  /// A token for each text; false where there is none.
  bool step() {
    active.clear();
    last.clear();
    for (int64_t slot = 0; slot < model.slots(); ++slot)
      if (texts[slot]) {
        active.push_back(slot);
        last.push_back(texts[slot]->last());
      }
    if (active.empty())
      return false;
    const float *logits = model.step(active, last);
    parallelFor(static_cast<int64_t>(active.size()), 1,
                [&](int64_t begin, int64_t end) {
                  for (int64_t i = begin; i < end; ++i)
                    texts[active[i]]->choose(samplers[active[i]],
                                             row(logits, i));
                });
    for (int64_t slot : active)
      append(slot);
    return true;
  }

  TokenModel &model;
  TextCodec &codec;
  const GenerationSettings &settings;
  const std::vector<TextRequest> &requests;
  TextListener &listener;
  std::vector<std::unique_ptr<GrowingText>> texts; ///< null: a free slot
  std::vector<Sampler> samplers;
  // The prompt that was read last, what follows it, and of each slot whether
  // its text begins with it, in a slot that is free again, too.
  std::vector<int32_t> prompt;
  std::vector<float> promptLogits;
  std::vector<bool> beginsSo;
  size_t following = 0; ///< the request that has no slot yet
  std::vector<int64_t> active;
  std::vector<int32_t> last;
  GenerationTimes times;
};

} // namespace

GenerationTimes generate(TokenModel &model, TextCodec &codec,
                         const GenerationSettings &settings,
                         const std::vector<TextRequest> &requests,
                         TextListener &listener) {
  return Slots(model, codec, settings, requests, listener).run();
}

} // namespace tessera::runtime
