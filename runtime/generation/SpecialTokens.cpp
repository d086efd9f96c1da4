//===- SpecialTokens.cpp - Tokens that begin and end texts ----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/generation/SpecialTokens.h"
#include "runtime/core/Error.h"
#include "runtime/files/InputFile.h"
#include "runtime/files/JsonCursor.h"
#include "runtime/files/WeightFiles.h"
#include <sys/stat.h>

namespace tessera::runtime {

using Json = JsonCursor::Json;

/// No published settings are longer, in bytes, deeper, or have more ids.
static constexpr int64_t maxBytes = 1 << 20;
static constexpr int maxDepth = 64;
static constexpr size_t maxIds = 1000;

static Json readSettings(const std::string &name) {
  std::string error;
  std::unique_ptr<InputFile> file = InputFile::open(name, "", error);
  if (!file)
    fatal("%s", error.c_str());
  if (file->size() > maxBytes)
    throw JsonCursor::Refusal("it has more than 1 MiB");
  std::string text;
  if (!file->readAll(text, error))
    fatal("%s", error.c_str());
  return JsonCursor::parse(text, maxDepth);
}

/// The ids under \p key that the vocabulary has: a number, a list, or nothing.
static std::vector<int32_t> idsOf(const JsonCursor &settings, const char *key,
                                  const std::string &file, int64_t vocabulary) {
  std::vector<int32_t> ids;
  auto add = [&](const JsonCursor &id) {
    // Some files have -1 where they have none.
    int64_t value = id.integer(-1, INT32_MAX);
    if (value >= vocabulary)
      warning("'%s' has %s %lld, which the model's vocabulary of %lld has not",
              file.c_str(), key, static_cast<long long>(value),
              static_cast<long long>(vocabulary));
    else if (value >= 0)
      ids.push_back(static_cast<int32_t>(value));
  };
  if (!settings.has(key) || settings.at(key).isNull())
    return ids;
  JsonCursor value = settings.at(key);
  if (!value.isArray()) {
    add(value);
    return ids;
  }
  for (size_t i = 0; i < value.length(0, maxIds); ++i)
    add(value.element(i));
  return ids;
}

/// Those of the executable's tokenizer.
static SpecialTokens tokensOf(TextCodec &codec, int64_t vocabulary) {
  SpecialTokens tokens;
  for (const auto &[name, token] : codec.namedTokens())
    if (token >= vocabulary)
      continue;
    else if (name == "bos_token")
      tokens.begin = token;
    else if (name == "eos_token")
      tokens.end = {token};
  return tokens;
}

SpecialTokens readSpecialTokens(const std::string &path, int64_t vocabulary,
                                TextCodec &codec) {
  if (!isPublishedFolder(path))
    return tokensOf(codec, vocabulary);
  SpecialTokens tokens;
  std::string file = path + "/" + publishedFolder::generation;
  struct stat status;
  if (stat(file.c_str(), &status) != 0)
    file = path + "/" + publishedFolder::config;
  try {
    Json settings = readSettings(file);
    JsonCursor cursor(settings);
    if (std::vector<int32_t> begin =
            idsOf(cursor, "bos_token_id", file, vocabulary);
        !begin.empty())
      tokens.begin = begin.front();
    tokens.end = idsOf(cursor, "eos_token_id", file, vocabulary);
  } catch (const JsonCursor::Refusal &refusal) {
    fatal("'%s': %s", file.c_str(), refusal.what());
  }
  return tokens;
}

} // namespace tessera::runtime
