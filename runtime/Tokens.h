//===- Tokens.h - Files of tokens -------------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_TOKENS_H
#define TESSERA_RUNTIME_TOKENS_H

#include "runtime/Data.h"
#include <vector>

namespace tessera {

/// A stream of tokens, memory-mapped: any file, a token a byte; or the pair
/// PREFIX.idx ("MMIDIDX", Megatron's format) and PREFIX.bin, given by its
/// prefix or either name, documents one after the other.
class TokenFile {
public:
  /// Ends the process where the file cannot be read, is damaged, or has byte
  /// tokens for a vocabulary under 256.
  TokenFile(const std::string &path, int64_t vocabulary);
  ~TokenFile();
  TokenFile(const TokenFile &) = delete;
  TokenFile &operator=(const TokenFile &) = delete;

  int64_t count() const { return tokens; }
  const std::string &path() const { return filePath; }
  /// Copies tokens [begin, begin + n). Ends the process on one outside the
  /// vocabulary.
  void read(int64_t begin, int64_t n, int32_t *destination) const;

  /// Samples of \p length + 1 tokens that overlap by one.
  int64_t samples(int64_t length) const {
    return tokens > 0 ? (tokens - 1) / length : 0;
  }

private:
  void openIndex(const std::string &prefix);
  template <typename Token>
  void copy(int64_t begin, int64_t n, int32_t *destination) const;

  std::string filePath;
  int64_t vocabulary, tokens = 0, length = 0;
  int type = 1; ///< code of the element type in MMIDIDX
  const char *data = nullptr;
};

/// Which sample stands at place \p position of the endless order.
int64_t sampleAt(SampleOrder order, int64_t position, int64_t samples,
                 uint64_t seed);

std::unique_ptr<BatchSource> openTokenBatches(const Manifest &manifest,
                                              const std::string &path,
                                              SampleOrder order, uint64_t seed,
                                              int rank, int ranks);

} // namespace tessera

#endif // TESSERA_RUNTIME_TOKENS_H
