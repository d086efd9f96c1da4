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
  /// What it is called. The first is written; of those that a file has the last
  /// one counts, as in transformers.
  std::vector<llvm::StringRef> names;
  /// The field of spec::Transformer that it is: "layer_norm.eps". Empty where
  /// the specification has no choice.
  llvm::StringRef path;
  /// With a path, what a file without the field means. Without one, all that
  /// it may be; the first is written.
  std::vector<llvm::json::Value> values;
  /// Whether the same weights are another model where it differs.
  bool decides = true;
};

/// A family's config.json.
struct PublishedConfig {
  llvm::StringRef modelType, architecture;
  std::vector<ConfigField> fields;
  /// Fields that say nothing of the mathematics.
  std::vector<llvm::StringRef> ignored;
  /// Sets what all models of the family have.
  void (*prepare)(spec::Transformer &model);
  /// What \p model, resolved, has that the family cannot; empty for nothing.
  std::string (*findForeign)(const spec::Transformer &model);
};

/// By the names of families, "bloom" and "gpt2".
Registry<PublishedConfig> &getPublishedConfigs();

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
