//===- AddedTokens.cpp - Tokens that are found in a text ------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/tokenizer/AddedTokens.h"
#include "runtime/core/Utf8.h"
#include "runtime/tokenizer/CharClasses.h"
#include <algorithm>

namespace tessera::runtime {
namespace {

/// Where the last character of \p text begins.
size_t lastCharacter(std::string_view text) {
  size_t at = text.size() - 1;
  while (at > 0 && (text[at] & 0xc0) == 0x80)
    --at;
  return at;
}

bool endsWithWord(std::string_view text) {
  return !text.empty() &&
         isWordCharacter(utf8At(text.data() + lastCharacter(text)));
}

bool beginsWithWord(std::string_view text) {
  return !text.empty() && isWordCharacter(utf8At(text.data()));
}

} // namespace

void AddedTokens::add(const AddedToken &token, std::string_view content) {
  if (content.empty())
    return;
  auto first = static_cast<unsigned char>(content[0]);
  if (!firstBytes[first]) {
    firstBytes[first] = true;
    roots[first] = static_cast<int32_t>(nodes.size());
    nodes.push_back({-1, -1, -1, content[0]});
  }
  int32_t node = roots[first];
  for (char byte : content.substr(1)) {
    int32_t child = childOf(node, byte);
    if (child < 0) {
      child = static_cast<int32_t>(nodes.size());
      nodes.push_back({-1, nodes[node].child, -1, byte});
      nodes[node].child = child;
    }
    node = child;
  }
  // Of two that look alike the first one counts.
  if (nodes[node].token < 0)
    nodes[node].token = static_cast<int32_t>(tokens.size());
  tokens.push_back(token);
}

int32_t AddedTokens::childOf(int32_t node, char byte) const {
  int32_t child = nodes[node].child;
  while (child >= 0 && nodes[child].byte != byte)
    child = nodes[child].sibling;
  return child;
}

int32_t AddedTokens::longestAt(std::string_view text, size_t &length) const {
  int32_t found = -1, node = roots[static_cast<unsigned char>(text[0])];
  for (size_t i = 1;; ++i) {
    if (nodes[node].token >= 0) {
      found = nodes[node].token;
      length = i;
    }
    if (i == text.size())
      break;
    node = childOf(node, text[i]);
    if (node < 0)
      break;
  }
  return found;
}

void AddedTokens::split(std::string_view text, bool special,
                        std::vector<TextPart> &parts) const {
  size_t done = 0; // what parts there are have taken
  for (size_t at = 0; at < text.size() && !tokens.empty();) {
    if (!firstBytes[static_cast<unsigned char>(text[at])]) {
      ++at;
      continue;
    }
    size_t length = 0;
    int32_t found = longestAt(text.substr(at), length);
    if (found < 0) {
      ++at;
      continue;
    }
    size_t begin = at, end = at + length;
    at = end; // a match that does not count takes its place, too
    const AddedToken &token = tokens[found];
    if (token.special && !special)
      continue;
    if (token.singleWord && (endsWithWord(text.substr(0, begin)) ||
                             beginsWithWord(text.substr(end))))
      continue;
    if (token.leftStrip) {
      size_t before = begin;
      while (before > 0) {
        size_t last = lastCharacter(text.substr(0, before));
        if (!isSpace(utf8At(text.data() + last)))
          break;
        before = last;
      }
      begin = std::max(before, done);
    }
    if (token.rightStrip)
      while (end < text.size() && isSpace(utf8At(text.data() + end)))
        end += utf8Length(static_cast<unsigned char>(text[end]));
    if (done < begin)
      parts.push_back({done, begin, -1});
    parts.push_back({begin, end, token.id});
    done = end;
  }
  if (done < text.size())
    parts.push_back({done, text.size(), -1});
}

} // namespace tessera::runtime
