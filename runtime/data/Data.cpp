//===- Data.cpp - What a program trains on --------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/Data.h"
#include "runtime/core/Error.h"
#include "runtime/data/Graph.h"
#include "runtime/data/SampledInputs.h"
#include "runtime/data/Tokens.h"
#include "runtime/program/SlotNames.h"

namespace tessera::runtime {

std::vector<UsedFile> dataFiles(const std::string &path) {
  static constexpr const char *what = "the data";
  std::string prefix = path;
  if (path.ends_with(".bin") || path.ends_with(".idx"))
    prefix.resize(path.rfind('.'));
  return {{what, path}, {what, prefix + ".bin"}, {what, prefix + ".idx"}};
}

std::unique_ptr<BatchSource>
openBatchSource(const Manifest &manifest, const std::string &path,
                const std::string &type, SampleOrder order, uint64_t seed,
                int rank, int ranks, std::span<char> memory) {
  if (!manifest.model.isGraph())
    return openTokenBatches(manifest, path, tokenTypeNamed(type), order, seed,
                            rank, ranks);
  if (manifest.training.sampling)
    return openSampledBatches(manifest, path, order, seed, rank, memory);
  return openGraphBatches(manifest, path, rank, ranks);
}

std::span<char> sampleMemory(const tessera_context &context) {
  const Slot *slot = context.program->input(slotNames::sampleRoom);
  if (!slot)
    return {};
  return {context.device->beginInput(context, *slot),
          static_cast<size_t>(slot->bytes())};
}

} // namespace tessera::runtime
