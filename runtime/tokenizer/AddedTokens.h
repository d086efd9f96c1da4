//===- AddedTokens.h - Tokens that are found in a text ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_TOKENIZER_ADDEDTOKENS_H
#define TESSERA_RUNTIME_TOKENIZER_ADDEDTOKENS_H

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::runtime {

/// A token that is found in a text before it is split into words.
struct AddedToken {
  int32_t id = 0;
  std::string content;
  bool special = false;    ///< not text: left out when a text is decoded
  bool leftStrip = false;  ///< takes the white space before it
  bool rightStrip = false; ///< and behind it
  bool singleWord = false; ///< has no letters or digits beside it
  bool normalized = false; ///< is looked for behind the normalizer
};

/// A part of a text, in bytes: a token, or text that is between them.
struct TextPart {
  size_t begin, end;
  int32_t token; ///< -1: text
};

/// Finds tokens in texts: the leftmost, of those the longest.
class AddedTokens {
public:
  AddedTokens() { firstBytes.fill(false); }

  /// \p content is how the token stands in texts.
  void add(const AddedToken &token, std::string_view content);
  bool empty() const { return tokens.empty(); }

  /// Appends the parts of \p text, in order; none is empty text. Without
  /// \p special what looks like a special token is text.
  void split(std::string_view text, bool special,
             std::vector<TextPart> &parts) const;

private:
  struct Node {
    int32_t child = -1, sibling = -1; ///< indices of nodes
    int32_t token = -1;               ///< index of a token
    char byte = 0;
  };
  int32_t childOf(int32_t node, char byte) const;
  /// The longest token at the beginning of \p text, with its length.
  int32_t longestAt(std::string_view text, size_t &length) const;

  std::vector<AddedToken> tokens;
  std::vector<Node> nodes;
  std::array<bool, 256> firstBytes;
  std::array<int32_t, 256> roots;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_TOKENIZER_ADDEDTOKENS_H
