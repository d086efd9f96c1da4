//===- PublishedFolder.cpp - Models as transformers saves them ------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/checkpoint/PublishedFolder.h"
#include "runtime/core/Error.h"
#include "runtime/files/InputFile.h"
#include "runtime/files/JsonCursor.h"
#include "runtime/files/WeightFiles.h"
#include <algorithm>
#include <sys/stat.h>

namespace tessera::runtime {

using Json = JsonCursor::Json;

/// No published config.json is longer, in bytes, or deeper.
static constexpr int64_t maxConfigBytes = 1 << 20;
static constexpr int maxDepth = 64;

/// Ids that a tokenizer gives to tokens of its own.
static constexpr const char *specialTokens[] = {"bos_token_id", "eos_token_id",
                                                "pad_token_id", "unk_token_id"};

/// What transformers and tokenizers call the files of a tokenizer, and the
/// settings of generation.
static constexpr const char *accompanying[] = {publishedFolder::generation,
                                               publishedFolder::tokenizer,
                                               publishedFolder::tokenizerConfig,
                                               "tokenizer.model",
                                               "special_tokens_map.json",
                                               "added_tokens.json",
                                               "vocab.json",
                                               "merges.txt",
                                               "chat_template.jinja"};

/// The config.json of the published folder \p path; exits the process where it
/// is none.
static Json readConfig(const std::string &path) {
  std::string name = path + "/" + publishedFolder::config, error;
  std::unique_ptr<InputFile> file = InputFile::open(name, "", error);
  if (!file)
    fatal("%s", error.c_str());
  try {
    if (file->size() > maxConfigBytes)
      throw JsonCursor::Refusal("it has more than 1 MiB");
    std::string text;
    if (!file->readAll(text, error))
      fatal("%s", error.c_str());
    Json config = JsonCursor::parse(text, maxDepth);
    if (!config.is_object())
      throw JsonCursor::Refusal("it is no JSON object");
    return config;
  } catch (const JsonCursor::Refusal &refusal) {
    fatal("'%s' is no config.json: %s", name.c_str(), refusal.what());
  }
}

/// The field of \p config that is called \p name, "a.b" for one of an object;
/// null where there is none.
static const Json *findField(const Json &config, const std::string &name) {
  size_t dot = name.find('.');
  auto found = config.find(name.substr(0, dot));
  if (found == config.end())
    return nullptr;
  if (dot == std::string::npos)
    return &*found;
  return found->is_object() ? findField(*found, name.substr(dot + 1)) : nullptr;
}

static void setField(Json &config, const std::string &name, Json value) {
  size_t dot = name.find('.');
  Json &field = config[name.substr(0, dot)];
  if (dot == std::string::npos)
    field = std::move(value);
  else
    setField(field, name.substr(dot + 1), std::move(value));
}

void requireSameModel(const Manifest &manifest, const std::string &path) {
  Json config = readConfig(path);
  for (const ConfigField &field : manifest.config) {
    const Json *given = nullptr;
    std::string name;
    // As transformers reads them, the last one counts.
    for (const std::string &other : field.names)
      if (const Json *found = findField(config, other);
          found && (field.isNullable || !found->is_null())) {
        given = found;
        name = other;
      }
    if (!given || !field.decides)
      continue;
    auto equals = [&](const std::string &value) {
      return *given == Json::parse(value);
    };
    if (!equals(field.value) &&
        std::none_of(field.others.begin(), field.others.end(), equals))
      fatal("'%s/%s' says that %s is %s, and this executable is of a model "
            "with %s: import the folder ('tessera import') and compile that",
            path.c_str(), publishedFolder::config, name.c_str(),
            given->dump().c_str(), field.value.c_str());
  }
}

/// Says again in \p config how positions are rotated, as versions of
/// transformers before 5 read it.
static void addOldRope(Json &config) {
  auto rope = config.find("rope_parameters");
  if (rope == config.end())
    return;
  Json scaling = *rope;
  if (auto theta = scaling.find("rope_theta"); theta != scaling.end()) {
    config["rope_theta"] = *theta;
    scaling.erase("rope_theta");
  }
  if (scaling.value("rope_type", "default") != "default")
    config["rope_scaling"] = scaling;
}

std::string
configText(const Manifest &manifest, const std::string &dtype,
           const std::string &like,
           const std::vector<std::pair<std::string, int32_t>> &tokens) {
  Json config = Json::object();
  for (const ConfigField &field : manifest.config)
    if (field.isWritten)
      setField(config, field.names.front(), Json::parse(field.value));
  addOldRope(config);
  // Versions of transformers before 5 read the first name.
  for (const char *name : {"torch_dtype", "dtype"})
    config[name] = dtype == "BF16"  ? "bfloat16"
                   : dtype == "F16" ? "float16"
                                    : "float32";
  // What the tokenizer has not, families have defaults of.
  if (!tokens.empty())
    for (const char *name : {"bos_token_id", "eos_token_id"})
      config[name] = nullptr;
  for (const auto &[name, id] : tokens)
    config[name + "_id"] = id;
  if (!like.empty()) {
    Json other = readConfig(like);
    for (const char *name : specialTokens)
      if (auto found = other.find(name); found != other.end())
        config[name] = *found;
  }
  return config.dump(2) + "\n";
}

std::vector<std::string> accompanyingFiles(const std::string &like) {
  std::vector<std::string> names;
  for (const char *name : accompanying) {
    struct stat status;
    if (stat((like + "/" + name).c_str(), &status) == 0 &&
        S_ISREG(status.st_mode))
      names.push_back(name);
  }
  return names;
}

} // namespace tessera::runtime
