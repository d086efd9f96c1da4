//===- EmbeddedTokenizer.cpp - The tokenizer that an executable holds -----===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In a library of its own, which only executables with a tokenizer are linked
// with: others need no library of Unicode.
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Error.h"
#include "runtime/generation/TextCodec.h"
#include "runtime/tokenizer/Tokenizer.h"

namespace tessera::runtime {

namespace {

class TokenStream : public TextStream {
public:
  explicit TokenStream(const Tokenizer &tokenizer)
      : stream(tokenizer, /*skipSpecial=*/false) {}

  void push(int32_t token, std::string &out) override {
    stream.push(token, out);
  }
  void finish(std::string &out) override { stream.finish(out); }

private:
  DecodeStream stream;
};

class EmbeddedTokenizer : public TextCodec {
public:
  explicit EmbeddedTokenizer(std::unique_ptr<Tokenizer> tokenizer)
      : tokenizer(std::move(tokenizer)) {}

private:
  std::vector<int32_t> encode(std::string_view text) override {
    std::vector<int32_t> tokens;
    std::string error;
    if (!tokenizer->encode(text, {.addSpecial = true}, scratch, tokens, error))
      fatal("the text has no tokens: %s", error.c_str());
    return tokens;
  }
  std::unique_ptr<TextStream> decode(std::span<const int32_t> before) override {
    auto stream = std::make_unique<TokenStream>(*tokenizer);
    std::string text;
    for (int32_t token : before)
      stream->push(token, text);
    return stream;
  }
  int32_t tokenNamed(std::string_view name) override {
    return tokenizer->idOf(name);
  }
  bool takesBytes() const override { return false; }

  std::unique_ptr<Tokenizer> tokenizer;
  TokenizerScratch scratch;
};

} // namespace

static std::unique_ptr<TextCodec> open(std::string_view file) {
  std::string error;
  std::unique_ptr<Tokenizer> tokenizer =
      Tokenizer::parse(std::string(file), error);
  if (!tokenizer)
    fatal("the embedded tokenizer cannot be read: %s", error.c_str());
  return std::make_unique<EmbeddedTokenizer>(std::move(tokenizer));
}

/// Registers it before main.
struct Registration {
  Registration() { registerTextCodec(open); }
};

} // namespace tessera::runtime

/// What the linker is asked for, so that it takes this file.
extern "C" {
tessera::runtime::Registration tessera_text_codec;
}
