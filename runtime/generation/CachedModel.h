//===- CachedModel.h - Prefill and decode as a token model ------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_GENERATION_CACHEDMODEL_H
#define TESSERA_RUNTIME_GENERATION_CACHEDMODEL_H

#include "runtime/generation/TokenModel.h"
#include "runtime/program/Context.h"
#include <vector>

namespace tessera::runtime {

/// The slots of a cache, which the programs `prefill` and `decode` of a model
/// that generates write and read.
///
/// append() takes a text's tokens in chunks, step() one a text. Where weights
/// are packed, both give the same logits after the same tokens, to the bit;
/// elsewhere they may differ by rounding, as a library's GEMMs sum in orders of
/// their own, and depend on which tokens were appended together.
class CachedModel : public TokenModel {
public:
  /// \p context has an arena for each program of its manifest, which generates,
  /// and the weights. Exits the process where a program lacks a slot or has the
  /// parameters or the cache in another place than the other.
  explicit CachedModel(const tessera_context &context);

  int64_t slots() const override;
  int64_t context() const override;
  int64_t vocabulary() const override;
  const float *append(int64_t slot, std::span<const int32_t> tokens) override;
  const float *step(std::span<const int64_t> slots,
                    std::span<const int32_t> tokens) override;
  void copy(int64_t from, int64_t to, int64_t tokens) override;
  void clear(int64_t slot) override;

private:
  /// A program whose rows are tokens in slots.
  struct RowProgram {
    RowProgram(const tessera_context &context, const char *name);

    /// Runs it for \p tokens, the next ones of the texts in \p slots; logits
    /// are there if they are \p wanted.
    void run(std::span<const int64_t> slots, std::span<const int32_t> tokens,
             std::span<const int32_t> positions, bool wanted = true);
    /// The first \p numbers logits, until it runs again: where they lie, or in
    /// \p copy where only a device can read them there.
    const float *read(int64_t numbers, std::vector<float> &copy);

    tessera_context program;
    const tessera_entry *entry;
    const Slot *tokens, *slots, *positions, *count, *logits;
    /// The row whose logits are wanted, and whether they are; null where those
    /// of all rows always are.
    const Slot *last, *wanted;
  };

  /// Makes \p next the program that runs. Programs have inputs that stay in
  /// memory that others use meanwhile.
  RowProgram &use(RowProgram &next);
  /// Exits the process where \p slot has no room for \p more tokens.
  void requireRoom(int64_t slot, int64_t more) const;

  RowProgram prefill, decode;
  const RowProgram *current = nullptr;
  std::vector<float> rotary;    ///< what both programs' input of it holds
  std::vector<int32_t> lengths; ///< of each slot's text
  std::vector<int64_t> chunkSlots;
  std::vector<int32_t> chunkPositions;
  std::vector<float> scores; ///< unused where the host reads the arena
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_GENERATION_CACHEDMODEL_H
