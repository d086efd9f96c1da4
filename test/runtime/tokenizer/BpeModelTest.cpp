//===- BpeModelTest.cpp - Byte pair encoding of words ---------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/tokenizer/BpeModel.h"
#include "runtime/core/Utf8.h"
#include "gtest/gtest.h"
#include <limits>
#include <map>
#include <random>

using namespace tessera::runtime;

namespace {

/// A model of some letters, with merges drawn at random.
BpeParts randomParts(std::mt19937_64 &random, bool byteLevel) {
  BpeParts parts;
  parts.byteLevel = byteLevel;
  std::vector<std::string> tokens = {"a", "b", "c", "é", "中"};
  if (byteLevel) {
    tokens.clear();
    for (int byte = 0; byte < 256; ++byte) {
      tokens.emplace_back();
      appendUtf8(tokens.back(), characterOfByte(byte));
    }
  }
  std::map<std::string, bool> known;
  for (const std::string &token : tokens)
    known[token] = true;
  size_t letters = byteLevel ? 'e' : tokens.size();
  size_t first = byteLevel ? 'a' : 0;
  while (parts.merges.size() < 30) {
    auto pick = [&]() -> const std::string & {
      size_t made = parts.merges.size(), n = letters - first + made;
      size_t i = random() % n;
      return tokens[i < letters - first ? first + i
                                        : tokens.size() - 1 - random() % made];
    };
    std::string left = pick(), right = pick();
    if (known[left + right] || left.size() + right.size() > 12)
      continue;
    known[left + right] = true;
    parts.merges.emplace_back(left, right);
    tokens.push_back(left + right);
  }
  for (size_t i = 0; i < tokens.size(); ++i)
    parts.vocabulary.emplace_back(tokens[i], static_cast<int32_t>(i));
  return parts;
}

/// Merges the definition's way: the lowest rank in all the word, again and
/// again.
std::vector<std::string> merge(const BpeParts &parts,
                               std::vector<std::string> word) {
  std::map<std::pair<std::string, std::string>, size_t> ranks;
  for (size_t i = 0; i < parts.merges.size(); ++i)
    ranks[parts.merges[i]] = i;
  for (;;) {
    size_t best = std::numeric_limits<size_t>::max(), at = 0;
    for (size_t i = 0; i + 1 < word.size(); ++i)
      if (auto found = ranks.find({word[i], word[i + 1]});
          found != ranks.end() && found->second < best) {
        best = found->second;
        at = i;
      }
    if (best == std::numeric_limits<size_t>::max())
      return word;
    word[at] += word[at + 1];
    word.erase(word.begin() + static_cast<long>(at) + 1);
  }
}

void compareWithDefinition(bool byteLevel, size_t longest, int models) {
  std::mt19937_64 random(5);
  for (int i = 0; i < models; ++i) {
    BpeParts parts = randomParts(random, byteLevel);
    std::string error;
    auto model = BpeModel::make(parts, error);
    ASSERT_TRUE(model) << error;
    BpeScratch scratch;
    for (int j = 0; j < 100; ++j) {
      std::vector<std::string> symbols;
      std::string text;
      size_t length = 1 + random() % longest;
      for (size_t k = 0; k < length; ++k) {
        symbols.push_back(byteLevel ? std::string(1, 'a' + random() % 4)
                                    : parts.vocabulary[random() % 5].first);
        text += symbols.back();
      }
      std::vector<int32_t> ids;
      model->encode(text, scratch, ids);
      std::vector<std::string> tokens;
      for (int32_t id : ids)
        tokens.push_back(*model->tokenOf(id));
      ASSERT_EQ(tokens, merge(parts, symbols)) << text;
      // The second time from the cache.
      std::vector<int32_t> again;
      model->encode(text, scratch, again);
      ASSERT_EQ(again, ids);
    }
  }
}

TEST(BpeModel, ShortWordsAreMergedAsDefined) {
  compareWithDefinition(true, 20, 40);
  compareWithDefinition(false, 8, 40);
}

TEST(BpeModel, LongWordsAreMergedAsDefined) {
  compareWithDefinition(true, 300, 10);
  compareWithDefinition(false, 300, 10);
}

BpeParts withUnknown() {
  BpeParts parts;
  parts.vocabulary = {{"<unk>", 0}, {"a", 1}, {"b", 2}, {"ab", 3}};
  parts.merges = {{"a", "b"}};
  parts.unknown = "<unk>";
  return parts;
}

std::vector<int32_t> encode(const BpeParts &parts, std::string_view word) {
  std::string error;
  auto model = BpeModel::make(parts, error);
  EXPECT_TRUE(model) << error;
  BpeScratch scratch;
  std::vector<int32_t> ids;
  if (model)
    model->encode(word, scratch, ids);
  return ids;
}

using Ids = std::vector<int32_t>;

TEST(BpeModel, UnknownCharacters) {
  BpeParts parts = withUnknown();
  EXPECT_EQ(encode(parts, "xabyz"), (Ids{0, 3, 0, 0}));
  parts.fuseUnknown = true;
  EXPECT_EQ(encode(parts, "xabyz"), (Ids{0, 3, 0}));
  parts.unknown.clear();
  EXPECT_EQ(encode(parts, "xabyz"), (Ids{3}));
}

TEST(BpeModel, BytesInPlaceOfCharacters) {
  BpeParts parts = withUnknown();
  parts.byteFallback = true;
  parts.vocabulary.emplace_back("<0xC3>", 4);
  // All bytes of the character must be there.
  EXPECT_EQ(encode(parts, "é"), (Ids{0}));
  parts.vocabulary.emplace_back("<0xA9>", 5);
  EXPECT_EQ(encode(parts, "aéb"), (Ids{1, 4, 5, 2}));
}

TEST(BpeModel, WordsTakenAsTheyAre) {
  BpeParts parts = withUnknown();
  parts.vocabulary.emplace_back("ba", 4);
  EXPECT_EQ(encode(parts, "ba"), (Ids{2, 1}));
  parts.ignoreMerges = true;
  EXPECT_EQ(encode(parts, "ba"), (Ids{4}));
}

TEST(BpeModel, RefusesWhatIsNoModel) {
  auto refusal = [](const BpeParts &parts) {
    std::string error;
    EXPECT_FALSE(BpeModel::make(parts, error));
    return error;
  };
  BpeParts parts = withUnknown();
  parts.merges.emplace_back("b", "a");
  EXPECT_EQ(refusal(parts), "model.merges[1] joins 'b' and 'a', but 'ba' is "
                            "not in model.vocab");
  parts = withUnknown();
  parts.unknown = "<none>";
  EXPECT_EQ(refusal(parts), "model.unk_token '<none>' is not in model.vocab");
  parts = withUnknown();
  parts.vocabulary.emplace_back("c", 3);
  EXPECT_EQ(refusal(parts),
            "model.vocab has 'c' with an id that another token has");
  parts = withUnknown();
  parts.vocabulary.emplace_back("c", 1 << 22);
  EXPECT_EQ(refusal(parts), "model.vocab['c'] is 4194304: an id of 0 to "
                            "4194303 is wanted");
}

} // namespace
