//===- TokenScan.h - A look through tokens before a run ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_DATA_TOKENSCAN_H
#define TESSERA_RUNTIME_DATA_TOKENSCAN_H

#include "runtime/data/TokenFile.h"
#include "runtime/program/Communicator.h"

namespace tessera::runtime {

/// Reads all tokens of \p file, each rank its share, where they can be outside
/// the vocabulary, and exits the process with the first one that is. Reports
/// how far it is where that takes long. A good verdict is kept in the file
/// "data-verdict.json" of \p directory (empty: nowhere), with the data's size,
/// time of change and sampled checksum, its type and the vocabulary; where all
/// are as they were the tokens are not read again. All ranks call it.
void requireKnownTokens(const TokenFile &file, Communicator &communicator,
                        const std::string &directory);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_DATA_TOKENSCAN_H
