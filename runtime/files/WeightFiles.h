//===- WeightFiles.h - A model's weights in one file or many ----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Published models are folders: config.json says what the model is, and its
// weights are in model.safetensors or, for large ones, in files
// model-I-of-N.safetensors that model.safetensors.index.json lists.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_FILES_WEIGHTFILES_H
#define TESSERA_RUNTIME_FILES_WEIGHTFILES_H

#include "runtime/files/Safetensors.h"
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::runtime {

/// What a published folder calls its files.
namespace publishedFolder {
inline constexpr char config[] = "config.json";
inline constexpr char weights[] = "model.safetensors";
inline constexpr char index[] = "model.safetensors.index.json";
inline constexpr char tokenizer[] = "tokenizer.json";
inline constexpr char tokenizerConfig[] = "tokenizer_config.json";
/// Settings of generation, the ids of special tokens among them.
inline constexpr char generation[] = "generation_config.json";
/// What stands before the names of weights where transformers keeps a model
/// that has a head: of BLOOM and GPT-2, and of LLaMA and its siblings.
inline constexpr std::string_view gptPrefix = "transformer.",
                                  llamaPrefix = "model.";
} // namespace publishedFolder

/// Whether \p path is a folder with a config.json.
bool isPublishedFolder(const std::string &path);

/// The tensors of one safetensors file, or of a published folder's.
class WeightFiles {
public:
  /// A tensor and the file that has it; both null for none.
  struct Found {
    const SafetensorsFile *file = nullptr;
    const Tensor *tensor = nullptr;
    explicit operator bool() const { return tensor != nullptr; }
  };

  /// Maps \p path. Null with the reason in \p error where a file cannot be read
  /// or breaks its format, or where the index and the files that it lists
  /// disagree.
  static std::unique_ptr<WeightFiles> open(const std::string &path,
                                           std::string &error);

  /// What the user named, for messages.
  const std::string &path() const { return name; }
  const std::vector<std::unique_ptr<SafetensorsFile>> &files() const {
    return parts;
  }
  Found find(const std::string &tensor) const;

private:
  bool openPart(const std::string &path, std::string &error);
  bool openListed(const std::string &folder, std::string &error);

  std::string name;
  std::vector<std::unique_ptr<SafetensorsFile>> parts;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_FILES_WEIGHTFILES_H
