//===- TokenizerTest.cpp - Tokenizers against golden files ----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/tokenizer/Tokenizer.h"
#include "runtime/core/Utf8.h"
#include "gtest/gtest.h"
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

using namespace tessera::runtime;
using Json = nlohmann::json;
using Ids = std::vector<int32_t>;

namespace {

Json readGolden(const std::string &name) {
  std::ifstream file(std::string(GOLDEN_FOLDER "/") + name + ".json");
  return Json::parse(file);
}

std::unique_ptr<Tokenizer> parse(const Json &json) {
  std::string error;
  auto tokenizer = Tokenizer::parse(json.dump(), error);
  EXPECT_TRUE(tokenizer) << error;
  return tokenizer;
}

std::string refusal(const Json &json) {
  std::string error;
  EXPECT_FALSE(Tokenizer::parse(json.dump(), error));
  return error;
}

Ids encode(const Tokenizer &tokenizer, std::string_view text,
           EncodeOptions options = {}) {
  TokenizerScratch scratch;
  Ids ids;
  std::string error;
  EXPECT_TRUE(tokenizer.encode(text, options, scratch, ids, error)) << error;
  return ids;
}

class Golden : public testing::TestWithParam<const char *> {};

TEST_P(Golden, IdsAndTextsAreTheLibrarys) {
  Json golden = readGolden(GetParam());
  auto tokenizer = parse(golden["tokenizer"]);
  ASSERT_TRUE(tokenizer);
  TokenizerScratch scratch; // one for all texts, as a thread has it
  for (const Json &one : golden["cases"]) {
    auto text = one["text"].get<std::string>();
    std::string error;
    Ids ids, framed;
    ASSERT_TRUE(tokenizer->encode(text, {}, scratch, ids, error)) << error;
    EXPECT_EQ(ids, one["ids"].get<Ids>()) << text;
    ASSERT_TRUE(
        tokenizer->encode(text, {.addSpecial = true}, scratch, framed, error));
    EXPECT_EQ(framed, one["framed"].get<Ids>()) << text;
    EXPECT_EQ(tokenizer->decode(ids, false), one["decoded"].get<std::string>())
        << text;
    EXPECT_EQ(tokenizer->decode(ids, true), one["plain"].get<std::string>())
        << text;
  }
}

TEST_P(Golden, StreamsGiveWholeCharactersAndTheSameText) {
  Json golden = readGolden(GetParam());
  auto tokenizer = parse(golden["tokenizer"]);
  ASSERT_TRUE(tokenizer);
  for (const Json &one : golden["cases"]) {
    DecodeStream stream(*tokenizer, false);
    std::string text;
    for (int32_t id : one["ids"].get<Ids>()) {
      std::string part;
      stream.push(id, part);
      EXPECT_TRUE(isUtf8(part));
      text += part;
    }
    stream.finish(text);
    EXPECT_EQ(text, one["decoded"].get<std::string>());
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Golden,
                         testing::Values("bloom", "flags", "llama", "llama3",
                                         "mistral", "qwen2"),
                         [](const auto &info) { return info.param; });

TEST(Tokenizer, SpecialTokensAreTextWhereAsked) {
  auto tokenizer = parse(readGolden("bloom")["tokenizer"]);
  ASSERT_TRUE(tokenizer);
  EXPECT_EQ(encode(*tokenizer, "<s>"), Ids{1});
  Ids text = encode(*tokenizer, "<s>", {.findSpecial = false});
  EXPECT_GT(text.size(), 1u);
  EXPECT_EQ(tokenizer->decode(text, true), "<s>");
  EXPECT_TRUE(tokenizer->isSpecial(1));
  EXPECT_EQ(tokenizer->idOf("</s>"), 2);
}

TEST(Tokenizer, BytesThatAreNoTextBecomeReplacements) {
  auto tokenizer = parse(readGolden("bloom")["tokenizer"]);
  ASSERT_TRUE(tokenizer);
  EXPECT_EQ(encode(*tokenizer, "a\xff z"), encode(*tokenizer, "a\ufffd z"));
}

TEST(Tokenizer, HalfACharacterAtTheEndIsReplaced) {
  auto tokenizer = parse(readGolden("bloom")["tokenizer"]);
  ASSERT_TRUE(tokenizer);
  Ids ids = encode(*tokenizer, "\xf0\x93\x80\x80"); // no merge joins its bytes
  ASSERT_GT(ids.size(), 1u);
  ids.pop_back();
  EXPECT_EQ(tokenizer->decode(ids, true), "\ufffd");
}

TEST(Tokenizer, RefusesWhatItDoesNotUnderstand) {
  const Json good = readGolden("bloom")["tokenizer"];
  auto with = [&](const char *pointer, const Json &value) {
    Json json = good;
    json[Json::json_pointer(pointer)] = value;
    return refusal(json);
  };
  EXPECT_EQ(with("/model/type", "Unigram"),
            "model.type is \"Unigram\": BPE is wanted");
  EXPECT_EQ(with("/version", "2.0"), "version is \"2.0\": 1.0 is wanted");
  EXPECT_EQ(with("/model/dropout", 0.5),
            "model.dropout is 0.5: null, as ids would be drawn at random, is "
            "wanted");
  EXPECT_EQ(with("/model/end_of_word_suffix", "</w>"),
            "model.end_of_word_suffix is \"</w>\": null is wanted");
  EXPECT_EQ(with("/model/byte_fallback", 1),
            "model.byte_fallback is 1: true or false is wanted");
  EXPECT_EQ(with("/model/vocab/x1", "y"), "model.vocab['x1'] is no id");
  EXPECT_EQ(with("/model/merges/0", "a"),
            "model.merges[0] is no pair of tokens");
  EXPECT_EQ(with("/model/merges/0", Json::array({"a", "b", "c"})),
            "model.merges[0] is no pair of tokens");
  EXPECT_EQ(with("/normalizer", {{"type", "BertNormalizer"}}),
            "normalizer.type is \"BertNormalizer\": NFC, NFD, NFKC, NFKD, "
            "Prepend, Replace or Sequence is wanted");
  EXPECT_EQ(with("/pre_tokenizer/pretokenizers/0/pattern/Regex", "("),
            "pre_tokenizer.pretokenizers[0].pattern.Regex is \"(\": a regular "
            "expression (end pattern with unmatched parenthesis) is wanted");
  EXPECT_EQ(with("/pre_tokenizer/pretokenizers/2", {{"type", "Digits"}}),
            "pre_tokenizer.pretokenizers[2] is an object: nothing behind "
            "ByteLevel is wanted");
  EXPECT_EQ(with("/pre_tokenizer/pretokenizers/0/behavior", "Kept"),
            "pre_tokenizer.pretokenizers[0].behavior is \"Kept\": Removed, "
            "Isolated, MergedWithPrevious, MergedWithNext or Contiguous is "
            "wanted");
  EXPECT_EQ(with("/post_processor", {{"type", "BertProcessing"}}),
            "post_processor.type is \"BertProcessing\": TemplateProcessing, "
            "ByteLevel or Sequence is wanted");
  EXPECT_EQ(with("/decoder/type", "WordPiece"),
            "decoder.type is \"WordPiece\": ByteLevel, Replace, ByteFallback, "
            "Fuse, Strip, Metaspace or Sequence is wanted");
  EXPECT_EQ(with("/added_tokens/0/id", 1),
            "added_tokens[0].id is 1: the id of '<unk>' in model.vocab, 0, is "
            "wanted");
  EXPECT_EQ(with("/added_tokens/0/lstrip", "no"),
            "added_tokens[0].lstrip is \"no\": true or false is wanted");
  Json json = good;
  json["model"].erase("vocab");
  EXPECT_EQ(refusal(json), "model.vocab is missing");
  json = good;
  json["added_tokens"].push_back(json["added_tokens"][0]);
  EXPECT_EQ(refusal(json),
            "added_tokens[3].id is 0: an id that no token before it has is "
            "wanted");
}

TEST(Tokenizer, RefusesWhatIsNoJson) {
  std::string error;
  EXPECT_FALSE(Tokenizer::parse("{\"model\": ", error));
  EXPECT_EQ(error, "it is not JSON: byte 11");
  EXPECT_FALSE(Tokenizer::parse("{\"a\": 1, \"a\": 2}", error));
  EXPECT_EQ(error, "it has 'a' twice in one object");
  EXPECT_FALSE(Tokenizer::parse(std::string(100, '['), error));
  EXPECT_EQ(error, "it nests values more than 64 deep");
  EXPECT_FALSE(Tokenizer::parse("[1]", error));
  EXPECT_EQ(error, "model is missing");
}

} // namespace
