//===- Tokens.cpp - Samples of a stream of tokens -------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/Tokens.h"
#include "runtime/core/Error.h"
#include "runtime/core/Random.h"
#include "runtime/data/TokenScan.h"
#include "runtime/program/SlotNames.h"
#include <algorithm>
#include <cinttypes>

namespace tessera::runtime {

int64_t sampleAt(SampleOrder order, int64_t position, int64_t samples,
                 uint64_t seed) {
  int64_t index = position % samples;
  if (order == SampleOrder::Sequential)
    return index;
  return static_cast<int64_t>(
      permute(index, samples, seed, position / samples));
}

namespace {

class TokenBatches final : public BatchSource {
public:
  TokenBatches(const Manifest &manifest, TokenFile tokens, SampleOrder order,
               uint64_t seed, int rank, int ranks)
      : file(std::move(tokens)), order(order), seed(seed), rank(rank),
        ranks(ranks), rows(manifest.training.microBatch),
        length(manifest.model.sequence), samples(file.samples(length)) {
    if (samples < 1)
      fatal("the data '%s' has %" PRId64 " tokens; one sample takes %" PRId64
            ": give a longer text or compile with a shorter sequence",
            file.path().c_str(), file.count(), length + 1);
  }

  bool fill(const Slot &slot, char *address, const GlobalBatch &batch,
            int64_t micro) override {
    int64_t first = batch.position + (rank * batch.microBatches + micro) * rows;
    if (slot.name == slotNames::samples) {
      // Places in the order, not in the data: however samples are dealt to
      // ranks and micro-batches they stay, and a sample that comes twice in a
      // batch draws twice.
      for (int64_t i = 0; i < rows; ++i)
        reinterpret_cast<int32_t *>(address)[i] =
            static_cast<int32_t>(static_cast<uint32_t>(first + i));
      return true;
    }
    int64_t shift = slot.name == slotNames::targets ? 1 : 0;
    if (!shift && slot.name != slotNames::tokens)
      return false;
    for (int64_t i = 0; i < rows; ++i) {
      int64_t sample = sampleAt(order, first + i, samples, seed);
      auto *row = reinterpret_cast<int32_t *>(address) + i * length;
      if (file.read(sample * length + shift, length, row, reason))
        continue;
      failed = true;
      std::fill_n(row, (rows - i) * length, 0);
      break;
    }
    return true;
  }

  const char *error() const override {
    return failed ? reason.c_str() : nullptr;
  }

  void verify(Communicator &communicator,
              const std::string &directory) const override {
    requireKnownTokens(file, communicator, directory);
  }

  std::optional<DataFingerprint> fingerprint() const override {
    return file.fingerprint();
  }

  float scale(const GlobalBatch &batch) const override {
    return static_cast<float>(1.0 / double(tokens(batch)));
  }

  int64_t tokens(const GlobalBatch &batch) const override {
    return rows * length * batch.microBatches * ranks;
  }

  double epochs(int64_t position) const override {
    return double(position) / double(samples);
  }

  std::string describe() const override {
    return file.path() + " (" + file.form() + ": " +
           std::to_string(file.count()) + " tokens, " +
           std::to_string(samples) + " samples of " + std::to_string(length) +
           ")";
  }

private:
  TokenFile file;
  SampleOrder order;
  uint64_t seed;
  int64_t rank, ranks, rows, length, samples;
  bool failed = false;
  std::string reason;
};

} // namespace

std::unique_ptr<BatchSource> openTokenBatches(const Manifest &manifest,
                                              const std::string &path,
                                              std::optional<TokenType> type,
                                              SampleOrder order, uint64_t seed,
                                              int rank, int ranks) {
  return openTokenBatches(manifest,
                          TokenFile(path, manifest.model.vocabulary, type),
                          order, seed, rank, ranks);
}

std::unique_ptr<BatchSource> openTokenBatches(const Manifest &manifest,
                                              TokenFile file, SampleOrder order,
                                              uint64_t seed, int rank,
                                              int ranks) {
  return std::make_unique<TokenBatches>(manifest, std::move(file), order, seed,
                                        rank, ranks);
}

} // namespace tessera::runtime
