//===- OpenTokenModel.cpp - The model that a command writes with ----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/OpenTokenModel.h"
#include "runtime/commands/Open.h"
#include "runtime/generation/PredictModel.h"

namespace tessera::runtime {

int64_t tokenContext(const Manifest &manifest) {
  return manifest.model.sequence;
}

std::unique_ptr<TokenModel> openTokenModel(const Manifest &manifest,
                                           const Options &options) {
  return std::make_unique<PredictModel>(
      openLocal(manifest, options, "predict"));
}

} // namespace tessera::runtime
