//===- WeightsOutput.h - Writing a model's weights --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Weights go to one safetensors file, or to a published folder that
// transformers loads (PublishedFolder.h).
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CHECKPOINT_WEIGHTSOUTPUT_H
#define TESSERA_RUNTIME_CHECKPOINT_WEIGHTSOUTPUT_H

#include "runtime/files/OutputFolder.h"
#include "runtime/files/Safetensors.h"
#include "runtime/program/Manifest.h"
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::runtime {

/// How weights are written.
struct WeightsForm {
  std::string dtype = "F32"; ///< or "BF16", "F16"
  /// Most bytes of tensors in a file of a folder, unless one tensor has more.
  int64_t shardBytes = 5'000'000'000;
  /// A published folder whose tokenizer goes into the new one; empty for none.
  std::string like;
  /// Else the files tokenizer.json and tokenizer_config.json themselves, empty
  /// for none, and the ids of the tokens that the latter names.
  std::string_view tokenizer, tokenizerConfig;
  std::vector<std::pair<std::string, int32_t>> tokens;
  /// Whether it is a folder; nothing: as the path says, see isFolder.
  std::optional<bool> folder;
};

/// Whether weights at \p path are a folder: where the model has a config.json,
/// and \p path does not end in ".safetensors" and is no file.
bool isFolder(const Manifest &manifest, const std::string &path);

/// The weights of all parameters, in the manifest's order; files have a tensor
/// for each part of one. Exits the process on
/// what cannot be written.
class WeightsOutput {
public:
  /// Opens all files, with room for them.
  WeightsOutput(const Manifest &manifest, const std::string &path,
                const WeightsForm &form = {});
  WeightsOutput(const WeightsOutput &) = delete;
  WeightsOutput &operator=(const WeightsOutput &) = delete;

  /// Appends weights, in any number of pieces.
  void write(const float *weights, int64_t elements);
  /// Whether it is a folder, not one file.
  bool hasFolder() const { return folder != nullptr; }
  /// Makes the file, or the whole folder, visible.
  void commit();

private:
  struct Shard {
    std::unique_ptr<SafetensorsWriter> file;
    std::vector<int64_t> left; ///< elements of each tensor still to be written
    size_t next = 0;           ///< the tensor that is being written
  };

  static void declare(Shard &shard, const std::string &name,
                      const GroupTensor &part, const std::string &dtype);

  void openFile(const std::string &path, const WeightsForm &form);
  void openFolder(const std::string &path, const WeightsForm &form);
  void addText(const std::string &name, std::string_view text);
  void copyFile(const std::string &from, const std::string &name);

  const Manifest &manifest;
  // Before the files in it, which go first.
  std::unique_ptr<OutputFolder> folder;
  std::vector<Shard> shards;
  std::vector<std::unique_ptr<OutputFile>> texts;
  size_t current = 0;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CHECKPOINT_WEIGHTSOUTPUT_H
