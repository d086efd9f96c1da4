//===- Tokens.h - Samples of a stream of tokens -----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_DATA_TOKENS_H
#define TESSERA_RUNTIME_DATA_TOKENS_H

#include "runtime/data/Data.h"
#include "runtime/data/TokenFile.h"

namespace tessera::runtime {

/// Which sample stands at place \p position of the endless order.
int64_t sampleAt(SampleOrder order, int64_t position, int64_t samples,
                 uint64_t seed);

/// The samples of the text or tokens at \p path, of \p type where the file does
/// not say it. Exits the process where they do not fit the model.
std::unique_ptr<BatchSource> openTokenBatches(const Manifest &manifest,
                                              const std::string &path,
                                              std::optional<TokenType> type,
                                              SampleOrder order, uint64_t seed,
                                              int rank, int ranks);

/// The same for tokens that are open already.
std::unique_ptr<BatchSource> openTokenBatches(const Manifest &manifest,
                                              TokenFile file, SampleOrder order,
                                              uint64_t seed, int rank,
                                              int ranks);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_DATA_TOKENS_H
