//===- Families.h - The families whose config.json is known -----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_PUBLISHED_FAMILIES_H
#define TESSERA_FRONTENDS_PUBLISHED_FAMILIES_H

#include "frontends/published/Config.h"

namespace tessera {

PublishedConfig makeBloomConfig();
PublishedConfig makeGpt2Config();
PublishedConfig makeLlamaConfig();
PublishedConfig makeMistralConfig();
PublishedConfig makeQwen2Config();
PublishedConfig makeQwen3Config();

/// What \p model, resolved, has that neither BLOOM nor GPT-2 can; empty for
/// nothing.
std::string findUnlikeGpt(const spec::Transformer &model);

} // namespace tessera

#endif // TESSERA_FRONTENDS_PUBLISHED_FAMILIES_H
