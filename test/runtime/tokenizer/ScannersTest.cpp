//===- ScannersTest.cpp - Scanners against regular expressions ------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/tokenizer/Scanners.h"
#include "runtime/core/Utf8.h"
#include "runtime/tokenizer/CharClasses.h"
#include "runtime/tokenizer/Regex.h"
#include "gtest/gtest.h"
#include <random>
#include <vector>

using namespace tessera::runtime;

namespace {

const KnownSplit splits[] = {KnownSplit::Bloom, KnownSplit::Gpt2,
                             KnownSplit::Llama3, KnownSplit::Qwen2};

using Pieces = std::vector<std::string>;

Pieces scan(KnownSplit split, std::string_view text) {
  Pieces pieces;
  const char *end = text.data() + text.size();
  for (const char *at = text.data(); at < end;) {
    const char *stop = endOfPiece(split, at, end);
    pieces.emplace_back(at, stop);
    at = stop;
  }
  return pieces;
}

Pieces search(const Regex &regex, std::string_view text) {
  Pieces pieces;
  size_t done = 0;
  auto take = [&](size_t end) {
    if (done != end)
      pieces.emplace_back(text.substr(done, end - done));
    done = end;
  };
  Regex::Matches matches(regex, text);
  Range match;
  while (matches.next(match)) {
    take(match.begin);
    take(match.end);
  }
  EXPECT_EQ(matches.error(), "");
  take(text.size());
  return pieces;
}

std::unique_ptr<Regex> compile(std::string_view pattern) {
  std::string error;
  auto regex = Regex::compile(std::string(pattern), error);
  EXPECT_TRUE(regex) << error;
  return regex;
}

/// Characters at which one of the splits decides something, more often than
/// any others.
std::string randomText(std::mt19937_64 &random) {
  static const char32_t chosen[] = {
      ' ',    ' ',    ' ',    '\n',   '\r',   '\t',    '\'',   's',    'S',
      't',    'T',    'r',    'e',    'R',    'E',     'v',    'V',    'm',
      'l',    'L',    'd',    'D',    'a',    'z',     '0',    '1',    '9',
      '.',    ',',    '(',    ')',    '|',    '[',     ']',    '!',    '?',
      '-',    0x85,   0xa0,   0x17f,  0x130,  0x131,   0x1e9e, 0xdf,   0xfb05,
      0x2026, 0x3002, 0xff0c, 0x3001, 0x964,  0x6d4,   0x60c,  0x300,  0x94d,
      0x93e,  0x915,  0x661,  0x2167, 0xb2,   0x200b,  0x200d, 0x2028, 0x3000,
      0x180e, 0x1c,   0x1680, 0x4e2d, 0xac00, 0x1f600, 0xb,    0x212a, 0};
  std::string text;
  size_t length = random() % 24;
  for (size_t i = 0; i < length; ++i) {
    if (random() % 8) {
      appendUtf8(text, chosen[random() % std::size(chosen)]);
      continue;
    }
    char32_t c = random() % 0x110000;
    appendUtf8(text, c >= 0xd800 && c < 0xe000 ? U'x' : c);
  }
  return text;
}

TEST(Scanners, EqualTheirExpressions) {
  std::mt19937_64 random(7);
  for (KnownSplit split : splits) {
    auto regex = compile(patternOf(split));
    ASSERT_TRUE(regex);
    for (int i = 0; i < 50000; ++i) {
      std::string text = randomText(random);
      ASSERT_EQ(scan(split, text), search(*regex, text)) << text;
    }
  }
}

TEST(Scanners, ClassesAreThoseOfExpressions) {
  struct {
    const char *pattern;
    uint8_t bit;
  } const classes[] = {{"\\p{L}", LetterClass},
                       {"\\p{N}", NumberClass},
                       {"\\s", SpaceClass},
                       {"[(\\s|[.,!?…。，、।۔،])]", BloomClass}};
  for (const auto &[pattern, bit] : classes) {
    auto regex = compile(pattern);
    for (char32_t c = 0; c < 0x110000; ++c) {
      if (c >= 0xd800 && c < 0xe000)
        continue;
      std::string text;
      appendUtf8(text, c);
      Regex::Matches matches(*regex, text);
      Range match;
      ASSERT_EQ((charClasses()[c] & bit) != 0, matches.next(match))
          << pattern << " at U+" << std::hex << uint32_t(c);
    }
  }
}

TEST(Scanners, SplitAsPublished) {
  EXPECT_EQ(scan(KnownSplit::Bloom, "a.  \nb"), (Pieces{"a", ".  \n", "b"}));
  EXPECT_EQ(scan(KnownSplit::Bloom, "Hello (world)"),
            (Pieces{"Hello", " (", "world", ")"}));
  EXPECT_EQ(scan(KnownSplit::Gpt2, "it's  12 km"),
            (Pieces{"it", "'s", " ", " 12", " km"}));
  EXPECT_EQ(scan(KnownSplit::Llama3, "It'S 12345\n\n x"),
            (Pieces{"It", "'S", " ", "123", "45", "\n\n", " x"}));
  EXPECT_EQ(scan(KnownSplit::Qwen2, "12!\n"), (Pieces{"1", "2", "!\n"}));
}

TEST(Scanners, AreKnownByTheirPattern) {
  for (KnownSplit split : splits)
    EXPECT_EQ(knownSplit(patternOf(split)), split);
  EXPECT_EQ(knownSplit("\\p{L}+"), KnownSplit::None);
}

TEST(Regex, RefusesWhatIsNone) {
  std::string error;
  EXPECT_FALSE(Regex::compile("(", error));
  EXPECT_NE(error, "");
}

TEST(Regex, EmptyMatchesGoOn) {
  EXPECT_EQ(search(*compile("a*"), "baac"), (Pieces{"b", "aa", "c"}));
}

TEST(Utf8, BytesThatAreNoText) {
  auto repaired = [](std::string_view bytes) {
    std::string text;
    EXPECT_EQ(appendRepaired(text, bytes, false), bytes.size());
    return text;
  };
  EXPECT_EQ(repaired("a\xffz"), "a\ufffdz");
  EXPECT_EQ(repaired("\xe2\x82"), "\ufffd");
  EXPECT_EQ(repaired("\xe2\x82z"), "\ufffdz");
  EXPECT_EQ(repaired("\xed\xa0\x80"), "\ufffd\ufffd\ufffd");
  EXPECT_EQ(repaired("\xc0\xaf"), "\ufffd\ufffd");
  EXPECT_EQ(repaired("\xf4\x90\x80\x80"), "\ufffd\ufffd\ufffd\ufffd");
  EXPECT_EQ(repaired("\xf0\x9f\x98\x80"), "\xf0\x9f\x98\x80");
  std::string text;
  EXPECT_EQ(appendRepaired(text, "abc\xe2\x82", true), 3u);
  EXPECT_EQ(text, "abc");
}

} // namespace
