//===- TokenModel.h - What gives logits to texts that grow ------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_GENERATION_TOKENMODEL_H
#define TESSERA_RUNTIME_GENERATION_TOKENMODEL_H

#include <cstdint>
#include <span>

namespace tessera::runtime {

/// A model that reads several texts at once, each in a slot of its own,
/// numbered from 0. Slots begin without a token. A text's logits depend on its
/// tokens alone, to the bit: not on its slot, on others or on what the slot had
/// before.
///
/// Logits are rows of vocabulary() floats in the host's memory, valid until the
/// next call. Errors of the device exit the process.
class TokenModel {
public:
  virtual ~TokenModel() = default;

  /// Texts at once.
  virtual int64_t slots() const = 0;
  /// The most tokens of a slot; who calls keeps to it.
  virtual int64_t context() const = 0;
  virtual int64_t vocabulary() const = 0;

  /// Appends one or more \p tokens to the text of \p slot. Returns the logits
  /// of the token that follows, [vocabulary].
  virtual const float *append(int64_t slot,
                              std::span<const int32_t> tokens) = 0;
  /// Appends tokens[i] to the text of slots[i], each slot at most once; every
  /// text has a token before. Returns the logits of those that follow,
  /// [slots.size(), vocabulary].
  virtual const float *step(std::span<const int64_t> slots,
                            std::span<const int32_t> tokens) = 0;
  /// Makes the first \p tokens tokens of the text of slot \p from, which has as
  /// many, the text of slot \p to, which may be the same.
  virtual void copy(int64_t from, int64_t to, int64_t tokens) = 0;
  /// Forgets the text of \p slot.
  virtual void clear(int64_t slot) = 0;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_GENERATION_TOKENMODEL_H
