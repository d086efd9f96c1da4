//===- Normalizer.h - Texts before they are split ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_TOKENIZER_NORMALIZER_H
#define TESSERA_RUNTIME_TOKENIZER_NORMALIZER_H

#include "runtime/tokenizer/Regex.h"
#include <memory>
#include <string>
#include <vector>

namespace tessera::runtime {

/// What is replaced, in normalizers and decoders: a text or an expression.
struct Replacement {
  std::string pattern;                ///< the text; not empty
  std::shared_ptr<const Regex> regex; ///< in place of it
  std::string content;

  /// \p text with all matches replaced, in \p result. False with the reason in
  /// \p error where the search fails or the result has more than \p most bytes.
  bool apply(std::string_view text, size_t most, std::string &result,
             std::string &error) const;
};

/// The steps of a normalizer, one after the other.
class Normalizer {
public:
  enum class Kind { Nfc, Nfd, Nfkc, Nfkd, Prepend, Replace };
  struct Step {
    Kind kind;
    Replacement replacement; ///< of Replace; its content of Prepend
  };

  void add(Step step) { steps.push_back(std::move(step)); }
  bool empty() const { return steps.empty(); }

  /// Replaces \p text, valid UTF-8, by its normal form; \p other is scratch.
  /// False with the reason in \p error, also where a step makes much more of it
  /// than any normal form does.
  bool apply(std::string &text, std::string &other, std::string &error) const;

private:
  std::vector<Step> steps;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_TOKENIZER_NORMALIZER_H
