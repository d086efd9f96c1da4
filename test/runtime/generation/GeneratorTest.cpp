//===- GeneratorTest.cpp - Texts in the slots of made-up models -----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/generation/Generator.h"
#include "runtime/core/Random.h"
#include "runtime/core/Threads.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace tessera::runtime;

namespace {

constexpr int64_t vocabulary = 256;

/// Bytes are tokens, as where an executable has no tokenizer.
std::unique_ptr<TextCodec> bytes() {
  Model model;
  model.vocabulary = vocabulary;
  return textCodec(model);
}

/// A model whose logits are random numbers of the text, or want given bytes
/// behind its prompt. It checks how it is called.
class FakeModel : public TokenModel {
public:
  FakeModel(int64_t slots, int64_t length)
      : texts(slots), count(slots), length(length) {}
  std::string wanted; ///< what follows the first token

  int64_t slots() const override { return count; }
  int64_t context() const override { return length; }
  int64_t vocabulary() const override { return ::vocabulary; }
  const float *append(int64_t slot, std::span<const int32_t> tokens) override {
    EXPECT_FALSE(tokens.empty());
    rows.assign(::vocabulary, NAN);
    add(slot, tokens, rows.data());
    return rows.data();
  }
  const float *step(std::span<const int64_t> slots,
                    std::span<const int32_t> tokens) override {
    EXPECT_EQ(slots.size(), tokens.size());
    most = std::max(most, slots.size());
    rows.assign(slots.size() * ::vocabulary, NAN);
    for (size_t i = 0; i < slots.size(); ++i) {
      EXPECT_FALSE(texts[slots[i]].empty());
      for (size_t j = 0; j < i; ++j)
        EXPECT_NE(slots[i], slots[j]);
      add(slots[i], tokens.subspan(i, 1), rows.data() + i * ::vocabulary);
    }
    return rows.data();
  }
  void copy(int64_t from, int64_t to, int64_t tokens) override {
    EXPECT_LE(tokens, static_cast<int64_t>(texts[from].size()));
    std::vector<int32_t> text(texts[from].begin(),
                              texts[from].begin() + tokens);
    texts[to] = text;
  }
  void clear(int64_t slot) override { texts[slot].clear(); }

  size_t most = 0; ///< slots in one step
  int64_t read = 0;

private:
  void add(int64_t slot, std::span<const int32_t> tokens, float *logits) {
    std::vector<int32_t> &text = texts[slot];
    text.insert(text.end(), tokens.begin(), tokens.end());
    read += static_cast<int64_t>(tokens.size());
    EXPECT_LE(static_cast<int64_t>(text.size()), length);
    uint64_t sum = 7;
    for (int32_t token : text)
      sum = sum * 1000003 + static_cast<uint64_t>(token);
    for (int64_t i = 0; i < ::vocabulary; ++i)
      logits[i] =
          static_cast<float>(8 * uniformBlock(sum, RandomUse::Order, 0, i)[0]);
    if (!wanted.empty())
      logits[static_cast<unsigned char>(
          wanted[(text.size() - 1) % wanted.size()])] = 100;
  }

  std::vector<std::vector<int32_t>> texts;
  int64_t count, length;
  std::vector<float> rows;
};

/// Keeps texts, and all pieces that came.
struct Kept : TextListener {
  std::map<size_t, GeneratedText> texts;
  std::map<size_t, std::string> grown;
  std::vector<std::string> pieces;
  int64_t asks = -1; ///< how often it may go on; -1: always

  void add(size_t request, std::string_view added) override {
    EXPECT_FALSE(texts.contains(request));
    grown[request] += added;
    pieces.emplace_back(added);
  }
  void end(size_t request, GeneratedText text) override {
    EXPECT_TRUE(texts.emplace(request, std::move(text)).second);
  }
  bool goesOn() override { return asks < 0 || asks-- > 0; }
};

class GeneratorTest : public testing::Test {
protected:
  static void SetUpTestSuite() { setThreads(2); }

  Kept run(FakeModel &model) {
    Kept kept;
    times = generate(model, *codec, settings, requests, kept);
    return kept;
  }
  /// The text that a model writes behind "x" which wants \p wanted.
  GeneratedText write(const std::string &wanted, int64_t context = 100) {
    FakeModel model(1, context);
    model.wanted = wanted;
    requests = {{{'x'}, {}}};
    kept = run(model);
    EXPECT_EQ(kept.grown[0], kept.texts[0].text);
    return kept.texts[0];
  }

  std::unique_ptr<TextCodec> codec = bytes();
  GenerationSettings settings;
  std::vector<TextRequest> requests;
  GenerationTimes times;
  Kept kept;
};

TEST_F(GeneratorTest, TextsDoNotDependOnTheSlots) {
  settings.maxTokens = 30;
  settings.stops = {"\n", "e", "o", "zz"};
  settings.endTokens = {0, 1, 2, 3};
  settings.logprobs = 2;
  settings.sampling = {.temperature = 2,
                       .topK = 100,
                       .topP = 0.95,
                       .repetitionPenalty = 1.1f,
                       .seed = 4};
  for (uint32_t i = 0; i < 40; ++i)
    requests.push_back(
        {std::vector<int32_t>(1 + i % 7, 'a' + i % 3), {i / 2, i % 2}});
  FakeModel one(1, 24);
  Kept first = run(one);
  EXPECT_EQ(first.texts.size(), requests.size());
  EXPECT_EQ(one.most, 1u);
  std::map<EndReason, int> reasons;
  for (int64_t slots : {2, 3, 8, 64}) {
    FakeModel model(slots, 24);
    Kept kept = run(model);
    EXPECT_EQ(model.most, std::min<size_t>(slots, 40));
    EXPECT_EQ(model.read, one.read);
    EXPECT_EQ(kept.grown, first.grown);
    ASSERT_EQ(kept.texts.size(), requests.size());
    for (const auto &[request, text] : kept.texts) {
      const GeneratedText &other = first.texts[request];
      EXPECT_EQ(text.text, other.text);
      EXPECT_EQ(text.tokens, other.tokens);
      EXPECT_EQ(text.reason, other.reason);
      EXPECT_EQ(text.filledContext, other.filledContext);
      ASSERT_EQ(text.logprobs.size(), static_cast<size_t>(text.tokens));
      for (size_t i = 0; i < text.logprobs.size(); ++i)
        EXPECT_EQ(text.logprobs[i].chosen.value,
                  other.logprobs[i].chosen.value);
      ++reasons[text.reason];
    }
  }
  // All kinds of ends are there, and other draws.
  EXPECT_EQ(reasons.size(), 3u);
  EXPECT_NE(first.grown[0], first.grown[1]);
}

TEST_F(GeneratorTest, SamplesHaveTheirPromptReadOnce) {
  settings.maxTokens = 9;
  settings.endTokens = {0, 1, 2, 3, 4, 5, 6, 7};
  settings.sampling = {.temperature = 2, .seed = 4};
  auto request = [](uint32_t prompt, uint32_t sample) {
    std::vector<int32_t> tokens(10 + prompt, 'a');
    return TextRequest{tokens, {prompt, sample}};
  };
  // Where each text has another prompt than the one before, each is read.
  constexpr uint32_t prompts = 3, samples = 7;
  for (uint32_t sample = 0; sample < samples; ++sample)
    for (uint32_t prompt = 0; prompt < prompts; ++prompt)
      requests.push_back(request(prompt, sample));
  FakeModel apart(4, 24);
  Kept expected = run(apart);
  EXPECT_EQ(times.promptTokens, samples * (10 + 11 + 12));
  requests.clear();
  for (uint32_t prompt = 0; prompt < prompts; ++prompt)
    for (uint32_t sample = 0; sample < samples; ++sample)
      requests.push_back(request(prompt, sample));
  for (int64_t slots : {1, 2, 5, 30}) {
    FakeModel model(slots, 24);
    Kept kept = run(model);
    EXPECT_EQ(times.promptTokens, 10 + 11 + 12);
    EXPECT_EQ(times.prompts, prompts * samples);
    EXPECT_EQ(apart.read - model.read, (samples - 1) * (10 + 11 + 12));
    for (uint32_t i = 0; i < prompts * samples; ++i)
      EXPECT_EQ(kept.grown[i],
                expected.grown[i % samples * prompts + i / samples])
          << i << " in " << slots << " slots";
  }
}

TEST_F(GeneratorTest, EndsWhereItShould) {
  settings.maxTokens = 5;
  GeneratedText text = write("abc");
  EXPECT_EQ(text.text, "abcab");
  EXPECT_EQ(text.tokens, 5);
  EXPECT_EQ(text.reason, EndReason::Length);
  EXPECT_FALSE(text.filledContext);
  EXPECT_EQ(times.tokens, 5);
  EXPECT_EQ(times.promptTokens, 1);

  settings.endTokens = {'z', 'c'};
  text = write("abc");
  EXPECT_EQ(text.text, "ab");
  EXPECT_EQ(text.tokens, 3);
  EXPECT_EQ(text.reason, EndReason::End);

  settings.endTokens = {};
  settings.stops = {"ca"};
  text = write("abc");
  EXPECT_EQ(text.text, "ab");
  EXPECT_EQ(text.tokens, 4);
  EXPECT_EQ(text.reason, EndReason::Stop);
  // What may begin one is text where it ends so.
  settings.maxTokens = 3;
  EXPECT_EQ(write("abc").text, "abc");
  EXPECT_EQ(kept.pieces, (std::vector<std::string>{"a", "b", "c"}));

  settings.maxTokens = 0;
  text = write("abc");
  EXPECT_EQ(text.tokens, 0);
  EXPECT_EQ(text.reason, EndReason::Length);
}

TEST_F(GeneratorTest, EndsWhereTheContextDoes) {
  settings.maxTokens = 9;
  GeneratedText text = write("abc", 4);
  EXPECT_EQ(text.text, "abca");
  EXPECT_EQ(text.reason, EndReason::Length);
  EXPECT_TRUE(text.filledContext);
  settings.maxTokens = 4;
  EXPECT_FALSE(write("abc", 4).filledContext);
  // The prompt alone fills it.
  settings.maxTokens = 2;
  EXPECT_EQ(write("abc", 1).text, "a");
}

TEST_F(GeneratorTest, CutsNoCharacter) {
  settings.maxTokens = 7;
  GeneratedText text = write("\u00e9\u4e16a\xff");
  EXPECT_EQ(kept.pieces,
            (std::vector<std::string>{"\u00e9", "\u4e16", "a", "\xff"}));
  // The start of one comes with what shows that it is none, or at the end.
  write("\xe4\xb8z\xe4");
  EXPECT_EQ(kept.pieces,
            (std::vector<std::string>{"\xe4\xb8z", "\xe4", "\xe4\xb8z"}));
  settings.maxTokens = 2;
  write("\u4e16");
  EXPECT_EQ(kept.pieces, std::vector<std::string>{"\xe4\xb8"});
}

TEST_F(GeneratorTest, GivesWhatItHasWhereItIsStopped) {
  settings.maxTokens = 9;
  settings.stops = {"bcx"};
  requests = {{{'x'}, {}}, {{'y'}, {}}};
  FakeModel model(1, 100);
  model.wanted = "abc";
  Kept kept;
  kept.asks = 3;
  generate(model, *codec, settings, requests, kept);
  EXPECT_TRUE(kept.texts.empty());
  EXPECT_EQ(kept.pieces, (std::vector<std::string>{"a", "bc"}));
}

} // namespace
