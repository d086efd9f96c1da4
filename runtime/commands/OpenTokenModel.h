//===- OpenTokenModel.h - The model that a command writes with --*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_OPENTOKENMODEL_H
#define TESSERA_RUNTIME_COMMANDS_OPENTOKENMODEL_H

#include "runtime/commands/Options.h"
#include "runtime/generation/TextScorer.h"
#include "runtime/generation/TokenModel.h"
#include "runtime/program/Manifest.h"
#include <memory>

namespace tessera::runtime {

/// The context of a token model, and the field of the specification that says
/// it.
struct TokenContext {
  int64_t tokens;
  const char *field;
};

/// That of the model that openTokenModel() makes, before it is made.
TokenContext tokenContext(const Manifest &manifest);

/// The best of the executable's token models, with the weights of --init or
/// random ones. Exits the process where there is none.
std::unique_ptr<TokenModel> openTokenModel(const Manifest &manifest,
                                           const Options &options);

/// The program that scores texts, with the weights of --init. Exits the process
/// where the executable has none.
TextScorer openTextScorer(const Manifest &manifest, const Options &options);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_OPENTOKENMODEL_H
