//===- TokenizerConfig.cpp - What a model's tokens are for ----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/tokenizer/TokenizerConfig.h"
#include "runtime/files/InputFile.h"
#include "runtime/files/JsonCursor.h"
#include <filesystem>

namespace tessera::runtime {

using Json = JsonCursor::Json;

/// No published tokenizer_config.json is longer, in bytes, or deeper.
static constexpr int64_t maxBytes = 1 << 26;
static constexpr int maxDepth = 64;

static const std::string endName = "eos_token";
static const std::string names[] = {"bos_token", endName, "pad_token",
                                    "unk_token"};

std::string TokenizerConfig::end() const {
  for (const auto &[name, token] : tokens)
    if (name == endName)
      return token;
  return "";
}

std::string TokenizerConfig::write(
    const std::vector<std::pair<std::string, std::string>> &tokens) {
  Json config;
  config["tokenizer_class"] = "PreTrainedTokenizerFast";
  for (const auto &[name, token] : tokens)
    config[name] = token;
  // Older versions would change texts otherwise.
  config["clean_up_tokenization_spaces"] = false;
  return config.dump(2) + "\n";
}

bool parseTokenizerConfig(std::string_view text, const std::string &name,
                          TokenizerConfig &config, std::string &error) {
  config.text = text;
  try {
    Json tree = JsonCursor::parse(config.text, maxDepth);
    if (!tree.is_object())
      throw JsonCursor::Refusal("it is no JSON object");
    for (const std::string &key : names) {
      auto found = tree.find(key);
      if (found == tree.end() || found->is_null())
        continue;
      // A text, or an object of it and its flags.
      const Json *token = &*found;
      if (auto content =
              token->is_object() ? token->find("content") : token->end();
          token->is_object() && content != token->end())
        token = &*content;
      if (token->is_string())
        config.tokens.emplace_back(key, token->get<std::string>());
      else if (key == endName)
        JsonCursor(*found, key).refuse("a token or null");
    }
    return true;
  } catch (const JsonCursor::Refusal &refusal) {
    error = "'" + name + "' is no " + tokenizerConfigName + ": " +
            refusal.what() + "; mend it, or take it away";
    return false;
  }
}

bool readTokenizerConfig(const std::string &path, TokenizerConfig &config,
                         std::string &error) {
  std::filesystem::path folder(path);
  std::error_code code;
  if (!std::filesystem::is_directory(folder, code))
    folder.remove_filename();
  std::string name = (folder / tokenizerConfigName).string();
  if (!std::filesystem::exists(name, code) && !code)
    return true;
  std::unique_ptr<InputFile> file = InputFile::open(name, "", error);
  if (!file)
    return false;
  if (file->size() > maxBytes) {
    error = "'" + name + "' has more than 64 MiB, which no " +
            tokenizerConfigName + " has";
    return false;
  }
  std::string text;
  return file->readAll(text, error) &&
         parseTokenizerConfig(text, name, config, error);
}

} // namespace tessera::runtime
