//===- Data.cpp - What a program trains on --------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/Data.h"
#include "runtime/Graph.h"
#include "runtime/Tokens.h"

namespace tessera {

std::unique_ptr<BatchSource> openBatchSource(const Manifest &manifest,
                                             const std::string &path,
                                             SampleOrder order, uint64_t seed,
                                             int rank, int ranks) {
  if (manifest.model.isGraph())
    return openGraphBatches(manifest, path, rank, ranks);
  return openTokenBatches(manifest, path, order, seed, rank, ranks);
}

} // namespace tessera
