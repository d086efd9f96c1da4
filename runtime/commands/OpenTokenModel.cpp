//===- OpenTokenModel.cpp - The model that a command writes with ----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/OpenTokenModel.h"
#include "runtime/abi.h"
#include "runtime/commands/Open.h"
#include "runtime/core/Error.h"
#include "runtime/generation/CachedModel.h"
#include "runtime/generation/PredictModel.h"
#include "runtime/program/GenerationNames.h"
#include "runtime/program/PackedWeights.h"
#include <cstring>

namespace tessera::runtime {

/// The executable's model that generates; null where it has none.
static const Manifest *generationManifest() {
  static const std::unique_ptr<const Manifest> found = [] {
    for (const tessera_model *model = tessera_models; model && model->name;
         ++model)
      if (!strcmp(model->name, slotNames::generation))
        return std::make_unique<const Manifest>(
            parseManifest(model->manifest, model->entries));
    return std::unique_ptr<const Manifest>();
  }();
  return found.get();
}

TokenContext tokenContext(const Manifest &manifest) {
  if (const Manifest *generation = generationManifest())
    return {generation->model.sequence, "generation.context"};
  return {manifest.model.sequence, "transformer.sequence_length"};
}

std::unique_ptr<TokenModel> openTokenModel(const Manifest &manifest,
                                           const Options &options) {
  if (const Manifest *generation = generationManifest()) {
    // Both programs run in the memory of the larger one.
    auto bytes = [&](const char *program) {
      return generation->program(program).arenaBytes;
    };
    const char *larger = bytes(slotNames::decode) > bytes(slotNames::prefill)
                             ? slotNames::decode
                             : slotNames::prefill;
    const tessera_context &context = openLocal(*generation, options, larger);
    packParameters(context);
    return std::make_unique<CachedModel>(context);
  }
  return std::make_unique<PredictModel>(
      openLocal(manifest, options, "predict"));
}

TextScorer openTextScorer(const Manifest &manifest, const Options &options) {
  const Manifest *generation = generationManifest();
  if (!generation)
    fatal("'score' wants the program of that name, which a specification with "
          "`generation` has: compile '%s' again with --set generation.batch=1",
          manifest.name.c_str());
  tessera_context &context = openLocal(*generation, options, slotNames::score);
  packParameters(context);
  return TextScorer(context);
}

} // namespace tessera::runtime
