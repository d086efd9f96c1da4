//===- TextCodec.cpp - Texts of a model's tokens --------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/generation/TextCodec.h"
#include "runtime/abi.h"
#include "runtime/core/Utf8.h"

namespace tessera::runtime {

namespace {

class ByteStream : public TextStream {
  void push(int32_t token, std::string &out) override {
    held.push_back(static_cast<char>(token));
    while (!held.empty()) {
      Utf8Prefix prefix = validPrefix(held);
      // The start of a character may become one.
      size_t sure = prefix.valid + prefix.invalid;
      if (sure == 0)
        return;
      out.append(held, 0, sure);
      held.erase(0, sure);
    }
  }
  void finish(std::string &out) override {
    out += held;
    held.clear();
  }

  std::string held;
};

class ByteCodec : public TextCodec {
  std::vector<int32_t> encode(std::string_view text) override {
    std::vector<int32_t> tokens;
    for (unsigned char byte : text)
      tokens.push_back(byte);
    return tokens;
  }
  std::unique_ptr<TextStream> decode(std::span<const int32_t>) override {
    return std::make_unique<ByteStream>();
  }
  int32_t tokenNamed(std::string_view name) override {
    return name.size() == 1 ? static_cast<unsigned char>(name.front()) : -1;
  }
  bool takesBytes() const override { return true; }
};

} // namespace

/// Tokens of so large a vocabulary are bytes, unless there is a tokenizer.
static constexpr int64_t byteTokens = 256;

static std::unique_ptr<TextCodec> (*openCodec)(std::string_view) = nullptr;

void registerTextCodec(std::unique_ptr<TextCodec> (*open)(std::string_view)) {
  openCodec = open;
}

std::string_view embeddedTokenizer() {
  if (!&tessera_tokenizer[0] || !&tessera_tokenizer_bytes)
    return {};
  return {tessera_tokenizer, static_cast<size_t>(tessera_tokenizer_bytes)};
}

std::string_view embeddedTokenizerConfig() {
  return &tessera_tokenizer_config[0] ? tessera_tokenizer_config : "";
}

const char *embeddedTextEnd() {
  return &tessera_text_end[0] ? tessera_text_end : "";
}

std::unique_ptr<TextCodec> textCodec(const Model &model) {
  std::string_view file = embeddedTokenizer();
  if (openCodec && !file.empty())
    return openCodec(file);
  if (model.vocabulary == byteTokens)
    return std::make_unique<ByteCodec>();
  return nullptr;
}

} // namespace tessera::runtime
