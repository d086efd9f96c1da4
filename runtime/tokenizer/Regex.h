//===- Regex.h - Regular expressions, as tokenizers write them --*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_TOKENIZER_REGEX_H
#define TESSERA_RUNTIME_TOKENIZER_REGEX_H

#include <memory>
#include <string>
#include <string_view>

namespace tessera::runtime {

/// A part of a text, in bytes.
struct Range {
  size_t begin = 0, end = 0;
};

/// An expression of Oniguruma in Ruby's syntax on UTF-8, as tokenizers compile
/// theirs. Any threads may search with it at the same time.
class Regex {
public:
  /// Null, with the reason in \p error, where \p pattern is none.
  static std::unique_ptr<Regex> compile(const std::string &pattern,
                                        std::string &error);
  ~Regex();
  Regex(const Regex &) = delete;
  Regex &operator=(const Regex &) = delete;

  /// The matches in a text, from left to right: an empty one does not follow
  /// the match before it at once.
  class Matches {
  public:
    Matches(const Regex &regex, std::string_view text);
    ~Matches();
    Matches(const Matches &) = delete;
    Matches &operator=(const Matches &) = delete;

    /// False at the end, and where the search fails: it takes more steps than
    /// Oniguruma allows, which error() says then.
    bool next(Range &match);
    const std::string &error() const { return reason; }

  private:
    const Regex &regex;
    std::string_view text;
    void *region;
    size_t from = 0, lastEnd;
    std::string reason;
  };

private:
  explicit Regex(void *compiled) : compiled(compiled) {}
  void *compiled;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_TOKENIZER_REGEX_H
