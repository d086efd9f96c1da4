//===- WeightFiles.cpp - A model's weights in one file or many ------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/files/WeightFiles.h"
#include "runtime/files/InputFile.h"
#include "runtime/files/JsonCursor.h"
#include <map>
#include <sys/stat.h>

namespace tessera::runtime {

/// Bounds that no published index comes near.
static constexpr int64_t maxIndexBytes = 1 << 28;
static constexpr int maxDepth = 4;
static constexpr size_t maxTensors = 1 << 24, maxName = 4096;

static bool isRegular(const std::string &path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

bool isPublishedFolder(const std::string &path) {
  return isRegular(path + "/" + publishedFolder::config);
}

/// The tensors that the index \p path lists, by the names of their files.
/// Throws JsonCursor::Refusal.
static std::map<std::string, std::vector<std::string>>
readIndex(const std::string &path) {
  std::string error;
  std::unique_ptr<InputFile> file = InputFile::open(path, "the index ", error);
  if (!file)
    throw JsonCursor::Refusal(error);
  std::map<std::string, std::vector<std::string>> listed;
  try {
    if (file->size() > maxIndexBytes)
      throw JsonCursor::Refusal("it has more than 256 MiB");
    std::string text;
    if (!file->readAll(text, error))
      throw JsonCursor::Refusal(error);
    JsonCursor::Json index = JsonCursor::parse(text, maxDepth);
    JsonCursor(index)
        .at("weight_map")
        .members(maxTensors, [&](const std::string &tensor,
                                 const JsonCursor &entry) {
          std::string name = entry.text(maxName);
          // A file of this folder, and none that hides.
          if (name.find('/') != std::string::npos || name.starts_with("."))
            entry.refuse("the name of a file in the same folder");
          listed[name].push_back(tensor);
        });
  } catch (const JsonCursor::Refusal &refusal) {
    throw JsonCursor::Refusal("'" + path +
                              "' is no index of weights: " + refusal.what());
  }
  return listed;
}

bool WeightFiles::openPart(const std::string &path, std::string &error) {
  std::unique_ptr<SafetensorsFile> part = SafetensorsFile::open(path, error);
  if (!part)
    return false;
  for (const auto &[tensor, entry] : part->tensors())
    if (Found other = find(tensor)) {
      error = "'" + other.file->path() + "' and '" + path +
              "' both have a tensor '" + tensor + "': remove one of them";
      return false;
    }
  parts.push_back(std::move(part));
  return true;
}

bool WeightFiles::openListed(const std::string &folder, std::string &error) {
  std::string index = folder + "/" + publishedFolder::index;
  try {
    for (const auto &[file, tensors] : readIndex(index)) {
      if (!openPart(folder + "/" + file, error))
        return false;
      for (const std::string &tensor : tensors)
        if (!parts.back()->find(tensor)) {
          error = "'" + index + "' says that tensor '" + tensor + "' is in '" +
                  file + "', which has none of that name";
          return false;
        }
    }
  } catch (const JsonCursor::Refusal &refusal) {
    error = refusal.what();
    return false;
  }
  return true;
}

std::unique_ptr<WeightFiles> WeightFiles::open(const std::string &path,
                                               std::string &error) {
  std::unique_ptr<WeightFiles> files(new WeightFiles);
  files->name = path;
  bool opened;
  if (!isPublishedFolder(path))
    opened = files->openPart(path, error);
  else if (isRegular(path + "/" + publishedFolder::index))
    opened = files->openListed(path, error);
  else if (isRegular(path + "/" + publishedFolder::weights))
    opened = files->openPart(path + "/" + publishedFolder::weights, error);
  else {
    error = "'" + path + "' has neither " + publishedFolder::weights + " nor " +
            publishedFolder::index +
            ": weights in another form are not read; save_pretrained of "
            "transformers writes these";
    opened = false;
  }
  return opened ? std::move(files) : nullptr;
}

WeightFiles::Found WeightFiles::find(const std::string &tensor) const {
  for (const std::unique_ptr<SafetensorsFile> &part : parts)
    if (const Tensor *found = part->find(tensor))
      return {part.get(), found};
  return {};
}

} // namespace tessera::runtime
