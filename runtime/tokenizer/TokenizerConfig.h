//===- TokenizerConfig.h - What a model's tokens are for --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// tokenizer_config.json lies beside a published tokenizer and says which tokens
// begin and end a text, fill a batch and stand for what is in no other.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_TOKENIZER_TOKENIZERCONFIG_H
#define TESSERA_RUNTIME_TOKENIZER_TOKENIZERCONFIG_H

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tessera::runtime {

inline constexpr const char *tokenizerConfigName = "tokenizer_config.json";

struct TokenizerConfig {
  std::string text; ///< of the whole file; empty where there is none
  /// The tokens by what they are for, such as ("eos_token", "</s>").
  std::vector<std::pair<std::string, std::string>> tokens;

  /// The token that ends a text; empty where it is not known.
  std::string end() const;
  /// The ones that transformers' AutoTokenizer reads for the class that any
  /// tokenizer.json may have, of \p tokens.
  static std::string
  write(const std::vector<std::pair<std::string, std::string>> &tokens);
};

/// Reads the file beside the tokenizer \p path, a file or the folder that has
/// it; a file that is not there says nothing. False with the reason, which
/// names it, in \p error.
bool readTokenizerConfig(const std::string &path, TokenizerConfig &config,
                         std::string &error);

/// The same for a file's text, called \p name.
bool parseTokenizerConfig(std::string_view text, const std::string &name,
                          TokenizerConfig &config, std::string &error);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_TOKENIZER_TOKENIZERCONFIG_H
