//===- SettingNames.h - What others call settings ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Scripts that train elsewhere (nanoGPT, transformers, DeepSpeed, Megatron-LM,
// PyTorch Geometric's examples) take on their command lines what is compiled in
// here, or other words for options. Errors answer with the name that it has.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CORE_SETTINGNAMES_H
#define TESSERA_RUNTIME_CORE_SETTINGNAMES_H

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::runtime {

struct SettingName {
  std::string_view names;  ///< as options elsewhere, "learning-rate lr"
  std::string_view fields; ///< of the specification, "gnn.layers"
  std::string_view values; ///< an example for them
};

/// Separated by spaces, where there are several.
std::span<const SettingName> settingNames();

/// What to give to the compiler for the option \p name of another program, with
/// or without dashes in front of it, dashes or underscores within, and a value
/// behind "=": "--set training.optimizer.lr=3e-4". Several are joined by "or".
/// Empty where the name is not known.
std::string settingFor(std::string_view name);

/// The option that executables have for the option \p name of another program,
/// "--log-every"; empty where there is none.
std::string optionFor(std::string_view name);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CORE_SETTINGNAMES_H
