//===- PublishedFolder.h - Models as transformers saves them ----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A published folder has config.json, the weights in one file or in several
// with an index (runtime/files/WeightFiles.h) and, of others, the tokenizer's
// files and the settings of generation.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CHECKPOINT_PUBLISHEDFOLDER_H
#define TESSERA_RUNTIME_CHECKPOINT_PUBLISHEDFOLDER_H

#include "runtime/program/Manifest.h"
#include <string>
#include <utility>
#include <vector>

namespace tessera::runtime {

/// Exits the process where the config.json of the folder \p path says of the
/// model, beside its shapes, something else than \p manifest. Without a
/// config.json of its own the model is not compared.
void requireSameModel(const Manifest &manifest, const std::string &path);

/// The text of the model's config.json, whose weights have the type \p dtype of
/// safetensors ("F32"). The ids of special tokens are those of the published
/// folder \p like, where it is not empty and has them, else \p tokens, such as
/// ("eos_token", 2).
std::string
configText(const Manifest &manifest, const std::string &dtype,
           const std::string &like,
           const std::vector<std::pair<std::string, int32_t>> &tokens = {});

/// Files of the published folder \p like that go with a model's weights: the
/// tokenizer's, and the settings of generation.
std::vector<std::string> accompanyingFiles(const std::string &like);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CHECKPOINT_PUBLISHEDFOLDER_H
