//===- WeightsOutput.cpp - Writing a model's weights ----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/checkpoint/WeightsOutput.h"
#include "runtime/checkpoint/PublishedFolder.h"
#include "runtime/core/Error.h"
#include "runtime/files/InputFile.h"
#include "runtime/files/WeightFiles.h"
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

namespace tessera::runtime {

/// As many as Output.h remembers for the case that the process ends.
static constexpr size_t maxShards = 1000;

static const std::string headName = "lm_head.weight";

/// The metadata of a file of weights; many versions of transformers read only
/// files that have it.
static std::map<std::string, std::string> metadata() {
  return {{"format", "pt"}};
}

/// The names under which transformers 4 and 5 load the parts of the parameters.
/// A BLOOM or GPT-2 whose head is a parameter of its own has "transformer."
/// before all others: transformers 4 takes the head beside bare names for a
/// damaged file.
static std::vector<std::string> publishedNames(const Manifest &manifest) {
  std::vector<std::string> names;
  bool hasHead = false, hasPrefix = false;
  for (const GroupTensor *part : manifest.parts()) {
    names.push_back(part->name);
    hasHead |= part->name == headName;
    hasPrefix |= part->name.starts_with(publishedFolder::llamaPrefix);
  }
  if (hasHead && !hasPrefix)
    for (std::string &name : names)
      if (name != headName)
        name.insert(0, publishedFolder::gptPrefix);
  return names;
}

bool isFolder(const Manifest &manifest, const std::string &path) {
  struct stat status;
  bool isFile = stat(path.c_str(), &status) == 0 && !S_ISDIR(status.st_mode);
  return !manifest.config.empty() && !path.ends_with(".safetensors") && !isFile;
}

WeightsOutput::WeightsOutput(const Manifest &manifest, const std::string &path,
                             const WeightsForm &form)
    : manifest(manifest) {
  if (form.folder.value_or(isFolder(manifest, path)))
    openFolder(path, form);
  else
    openFile(path, form);
}

void WeightsOutput::openFile(const std::string &path, const WeightsForm &form) {
  Shard shard;
  shard.file = std::make_unique<SafetensorsWriter>(path, metadata());
  std::vector<std::string> names = publishedNames(manifest);
  std::vector<const GroupTensor *> parts = manifest.parts();
  for (size_t i = 0; i < names.size(); ++i)
    declare(shard, names[i], *parts[i], form.dtype);
  shard.file->begin();
  shards.push_back(std::move(shard));
}

/// Which of the \p sizes, in bytes, goes into which file of at most \p most
/// bytes, but for a larger one that is a file by itself.
static std::vector<size_t> shardOf(const std::vector<int64_t> &sizes,
                                   int64_t most) {
  std::vector<size_t> shard(sizes.size());
  int64_t bytes = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    bool next = i > 0 && bytes + sizes[i] > most;
    shard[i] = i == 0 ? 0 : shard[i - 1] + next;
    bytes = (next ? 0 : bytes) + sizes[i];
  }
  return shard;
}

void WeightsOutput::openFolder(const std::string &path,
                               const WeightsForm &form) {
  if (manifest.config.empty())
    fatal("no published family has just this model's settings, so that it "
          "cannot be written as a folder that transformers loads: name a file "
          "that ends in .safetensors");
  folder = std::make_unique<OutputFolder>();
  if (!folder->open(path))
    fatal("%s", folder->error().c_str());
  std::vector<int64_t> sizes;
  std::vector<const GroupTensor *> parts = manifest.parts();
  for (const GroupTensor *part : parts)
    sizes.push_back(part->elements() * typeBytes(form.dtype));
  std::vector<size_t> shardOfPart = shardOf(sizes, form.shardBytes);
  size_t count = shardOfPart.back() + 1;
  if (count > maxShards)
    fatal("the weights would be %zu files, and at most %zu are written: give a "
          "larger --shard-bytes",
          count, maxShards);
  std::vector<std::string> names = publishedNames(manifest), files;
  int64_t total = 0;
  nlohmann::json map = nlohmann::json::object();
  for (size_t i = 0; i < names.size(); ++i) {
    size_t shard = shardOfPart[i];
    if (shard == shards.size()) {
      char name[64];
      snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", shard + 1,
               count);
      files.push_back(count == 1 ? publishedFolder::weights : name);
      shards.push_back({std::make_unique<SafetensorsWriter>(
                            folder->fileIn(files.back()), metadata()),
                        {}});
    }
    declare(shards[shard], names[i], *parts[i], form.dtype);
    map[names[i]] = files[shard];
    total += sizes[i];
  }
  for (Shard &shard : shards)
    shard.file->begin();
  if (count > 1)
    addText(publishedFolder::index,
            nlohmann::json(
                {{"metadata", {{"total_size", total}}}, {"weight_map", map}})
                    .dump(2) +
                "\n");
  addText(publishedFolder::config,
          configText(manifest, form.dtype, form.like, form.tokens));
  std::vector<std::string> others;
  if (!form.like.empty())
    others = accompanyingFiles(form.like);
  for (const std::string &name : others)
    copyFile(form.like + "/" + name, name);
  if (form.tokenizer.empty() ||
      std::find(others.begin(), others.end(), publishedFolder::tokenizer) !=
          others.end())
    return;
  addText(publishedFolder::tokenizer, form.tokenizer);
  if (!form.tokenizerConfig.empty() &&
      std::find(others.begin(), others.end(),
                publishedFolder::tokenizerConfig) == others.end())
    addText(publishedFolder::tokenizerConfig, form.tokenizerConfig);
}

void WeightsOutput::addText(const std::string &name, std::string_view text) {
  auto file = std::make_unique<OutputFile>();
  auto bytes = static_cast<int64_t>(text.size());
  if (!file->open(folder->fileIn(name), bytes) ||
      !file->write(text.data(), bytes))
    fatal("%s", file->error().c_str());
  texts.push_back(std::move(file));
}

void WeightsOutput::copyFile(const std::string &from, const std::string &name) {
  std::string error;
  std::unique_ptr<InputFile> source = InputFile::open(from, "", error);
  std::string text(source ? source->size() : 0, 0);
  if (!source || !source->read(0, text.data(), source->size(), error))
    fatal("%s", error.c_str());
  addText(name, text);
}

void WeightsOutput::declare(Shard &shard, const std::string &name,
                            const GroupTensor &part, const std::string &dtype) {
  shard.file->declare(name, part.shape, dtype);
  shard.left.push_back(part.elements());
}

void WeightsOutput::write(const float *weights, int64_t elements) {
  while (elements > 0) {
    Shard &shard = shards[current];
    if (shard.next == shard.left.size()) {
      ++current;
      continue;
    }
    int64_t &left = shard.left[shard.next];
    int64_t count = std::min(elements, left);
    shard.file->write(weights, count);
    weights += count;
    elements -= count;
    left -= count;
    if (left == 0)
      ++shard.next;
  }
}

void WeightsOutput::commit() {
  for (Shard &shard : shards)
    shard.file->commit();
  for (const std::unique_ptr<OutputFile> &text : texts)
    if (!text->commit())
      fatal("%s", text->error().c_str());
  if (folder && !folder->commit())
    fatal("%s", folder->error().c_str());
}

} // namespace tessera::runtime
