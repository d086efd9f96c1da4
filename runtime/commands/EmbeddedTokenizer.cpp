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
#include "runtime/data/TokenWriter.h"
#include "runtime/files/Output.h"
#include "runtime/generation/TextCodec.h"
#include "runtime/tokenizer/DocumentTokens.h"
#include "runtime/tokenizer/TokenizerConfig.h"
#include <cerrno>
#include <cstring>

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

class EmbeddedTokenizer : public TextCodec, DocumentEncoder {
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
  std::vector<std::pair<std::string, int32_t>> namedTokens() override {
    TokenizerConfig config;
    std::string error;
    std::string_view text = embeddedTokenizerConfig();
    if (!text.empty() &&
        !parseTokenizerConfig(text, tokenizerConfigName, config, error))
      fatal("of this executable %s", error.c_str());
    std::vector<std::pair<std::string, int32_t>> ids;
    for (const auto &[name, token] : config.tokens)
      if (int32_t id = tokenizer->idOf(token); id >= 0)
        ids.emplace_back(name, id);
    return ids;
  }
  bool takesBytes() const override { return false; }
  DocumentEncoder *documents() override { return this; }

  bool encodeFile(const std::string &path, const TextForm &form, int descriptor,
                  int64_t bytesPerToken, bool showsProgress, TextTotals &totals,
                  std::string &error) override {
    DocumentEncoding encoding;
    encoding.form.field = form.field;
    encoding.form.lines = form.lines;
    if (!form.noEnd && !findEnd(*tokenizer, "the executable's tokenizer",
                                form.end, encoding.end, error))
      return false;
    encoding.threads = std::max(1u, std::thread::hardware_concurrency());
    encoding.showsProgress = showsProgress;
    encoding.pack = [&](const std::vector<int32_t> &ids, std::string &bytes) {
      packTokens(ids, bytesPerToken, bytes);
    };
    encoding.take = [&](const std::vector<int32_t> &,
                        const std::string &bytes) {
      return writeAll(descriptor, bytes.data(), std::ssize(bytes));
    };
    DocumentJobs jobs({path}, encoding.form, encoding.threads);
    DocumentTotals all;
    if (!jobs.open(error) ||
        !encodeDocuments(*tokenizer, jobs, encoding, all, error)) {
      if (error.empty())
        error = std::string("cannot keep the tokens of '") + path +
                "': " + strerror(errno) +
                "; TMPDIR names another folder for them";
      return false;
    }
    totals = {all.documents, all.tokens, all.warnings()};
    return true;
  }
  bool encodeText(std::string_view text, std::vector<int32_t> &tokens,
                  std::string &error) override {
    return tokenizer->encode(text, {}, scratch, tokens, error);
  }
  bool readText(const std::string &path, std::string &text,
                std::string &error) override {
    std::unique_ptr<TextFile> file = TextFile::open(path, error);
    constexpr size_t piece = 1 << 20;
    for (size_t before = -1; file && text.size() != before;) {
      before = text.size();
      if (!file->read(text, piece, error))
        return false;
    }
    return file != nullptr;
  }

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

namespace {

/// Registers it before main.
struct Registration {
  Registration() { registerTextCodec(open); }
};

} // namespace

} // namespace tessera::runtime

/// What the linker is asked for, so that it takes this file.
extern "C" {
tessera::runtime::Registration tessera_text_codec;
}
