//===- Config.h - The config.json of published Transformers -----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// transformers saves a model as a folder, whose config.json says what model it
// is. A family's table says which field of it is which of the specification's;
// it is read by `tessera import`, and written by executables.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_PUBLISHED_CONFIG_H
#define TESSERA_FRONTENDS_PUBLISHED_CONFIG_H

#include "frontends/models/Registry.h"
#include "frontends/spec.pb.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/JSON.h"

#include <optional>
#include <string>
#include <vector>

namespace tessera {

/// A field of config.json.
struct ConfigField {
  /// What it is called, "a.b" being a field of an object. The first is written;
  /// of those that a file has the last one counts, as in transformers.
  std::vector<llvm::StringRef> names;
  /// The field of spec::Transformer that it is: "layer_norm.eps". Empty where
  /// the specification has no choice.
  llvm::StringRef path;
  /// With a path, what a file without the field means. Without one, all that
  /// it may be; the first is written.
  std::vector<llvm::json::Value> values;
  /// Whether the same weights are another model where it differs.
  bool decides = true;
  /// What null means in a file: what a file without the field does, what
  /// follows from other fields, or that the model has nothing of the kind.
  enum class Null { Default, Derived, None };
  Null null = Null::Default;
  /// Whether it is written, rather than read and compared alone.
  bool isWritten = true;
  /// What a file calls the values of an enumeration, in their order.
  std::vector<llvm::StringRef> texts = {};
  /// Which models have it at all; null: all.
  bool (*applies)(const spec::Transformer &model) = nullptr;
  /// Without a path: what is written. `readRest` reads it.
  llvm::json::Value (*compute)(const spec::Transformer &model) = nullptr;
};

/// A family's config.json.
struct PublishedConfig {
  llvm::StringRef modelType, architecture;
  std::vector<ConfigField> fields;
  /// Fields that say nothing of the mathematics.
  std::vector<llvm::StringRef> ignored;
  /// Sets what all models of the family have.
  void (*prepare)(spec::Transformer &model);
  /// Reads what no field says into \p model. What is wrong, or nothing.
  std::string (*readRest)(const llvm::json::Object &config,
                          spec::Transformer &model) = nullptr;
  /// What \p model, resolved, has that the family cannot; empty for nothing.
  std::string (*findForeign)(const spec::Transformer &model);
};

/// By the names of families: "bloom", "gpt2", "llama".
Registry<PublishedConfig> &getPublishedConfigs();

/// The field of \p config that is called \p name, "a.b" for one of an object;
/// null where there is none.
const llvm::json::Value *findConfigField(const llvm::json::Object &config,
                                         llvm::StringRef name);

/// The value of \p field in the config.json of \p model, which is resolved.
llvm::json::Value getConfigValue(const ConfigField &field,
                                 const spec::Transformer &model);

/// What import made of a folder.
struct ImportedFolder {
  spec::Specification specification;
  /// Fields of config.json that are not known.
  std::vector<std::string> unknown;
  /// Why its tokenizer is left out; empty where it has none or is taken.
  std::string tokenizerError;
};

/// Reads the model that the published folder \p directory has, with defaults
/// for its training. Where it is none that can be had here, says why in
/// \p errors, a line for each reason.
std::optional<ImportedFolder> importFolder(llvm::StringRef directory,
                                           llvm::raw_ostream &errors);

} // namespace tessera

#endif // TESSERA_FRONTENDS_PUBLISHED_CONFIG_H
