//===- SpecialTokens.h - Tokens that begin and end texts --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_GENERATION_SPECIALTOKENS_H
#define TESSERA_RUNTIME_GENERATION_SPECIALTOKENS_H

#include "runtime/generation/TextCodec.h"
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tessera::runtime {

struct SpecialTokens {
  std::optional<int32_t> begin;
  std::vector<int32_t> end;
};

/// bos_token_id and eos_token_id, a number or a list of them, of the published
/// folder \p path: those of its generation_config.json, or where that is not
/// there those of its config.json. Where \p path is no such folder, what
/// \p codec has for them. Ids that a vocabulary of \p vocabulary has not are
/// left out, a folder's with a warning. Exits the process where a file is
/// malformed.
SpecialTokens readSpecialTokens(const std::string &path, int64_t vocabulary,
                                TextCodec &codec);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_GENERATION_SPECIALTOKENS_H
