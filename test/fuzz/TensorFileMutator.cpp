//===- TensorFileMutator.cpp - Changes of safetensors files ---------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The mutator and the crossover of targets whose input is a file of tensors.
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/TensorFile.h"

using namespace tessera::fuzz;

/// Changes \p bytes, with parts of the header \p other where there is one.
static size_t mutate(const std::string &bytes, const Json *other, uint8_t *out,
                     size_t most, Dice &dice) {
  std::optional<TensorFile> file = TensorFile::read(bytes);
  if (!file || (!other && dice.oneIn(10)))
    return store(mutateBytes(bytes, most), out, most);
  Json own = file->header;
  file->mutate(other ? *other : own, tensorNames, dice);
  std::string text = file->write();
  // The length that the file begins with may lie.
  if (dice.oneIn(20))
    text[dice.below(8)] = static_cast<char>(dice.below(256));
  return store(text, out, most);
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t most, unsigned seed) {
  Dice dice(seed);
  return mutate(std::string(data, data + size), nullptr, data, most, dice);
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1,
                                            const uint8_t *data2, size_t size2,
                                            uint8_t *out, size_t most,
                                            unsigned seed) {
  Dice dice(seed);
  std::optional<TensorFile> other =
      TensorFile::read(std::string(data2, data2 + size2));
  Json header = other ? other->header : Json();
  return mutate(std::string(data1, data1 + size1), &header, out, most, dice);
}
