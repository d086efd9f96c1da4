//===- PreTokenizer.cpp - Texts into words --------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/tokenizer/PreTokenizer.h"
#include "runtime/core/Utf8.h"
#include "runtime/tokenizer/CharClasses.h"
#include <algorithm>

namespace tessera::runtime {
namespace {

using Kind = PreTokenizerStep::Kind;
using Piece = PreTokenizerScratch::Piece;

/// Makes \p pieces, alternately a text and a match (dropped: it is a match),
/// those that \p behavior wants.
void applyBehavior(SplitBehavior behavior, std::vector<Piece> &pieces) {
  if (behavior == SplitBehavior::Removed)
    return;
  size_t kept = 0;
  bool wasMatch = false;
  auto take = [&](const Piece &piece, bool joins) {
    // What a piece is goes before the place it may be written to.
    bool isMatch = piece.dropped;
    if (joins && kept > 0) {
      pieces[kept - 1].begin = std::min(pieces[kept - 1].begin, piece.begin);
      pieces[kept - 1].end = std::max(pieces[kept - 1].end, piece.end);
    } else {
      pieces[kept++] = {piece.begin, piece.end, false};
    }
    wasMatch = isMatch;
  };
  bool fromBehind = behavior == SplitBehavior::MergedWithNext;
  if (fromBehind)
    std::reverse(pieces.begin(), pieces.end());
  for (size_t i = 0; i < pieces.size(); ++i) {
    Piece piece = pieces[i];
    take(piece, behavior == SplitBehavior::Isolated ? false
                : behavior == SplitBehavior::Contiguous
                    ? piece.dropped == wasMatch
                    : piece.dropped && !wasMatch);
  }
  pieces.resize(kept);
  if (fromBehind)
    std::reverse(pieces.begin(), pieces.end());
}

bool isMetaspaceMark(const PreTokenizerStep &step, std::string_view rest) {
  return rest.starts_with(step.text);
}

} // namespace

std::string_view PreTokenizer::prepare(const PreTokenizerStep &step,
                                       std::string_view text, bool first,
                                       std::string &buffer) {
  if (step.kind == Kind::ByteLevel) {
    if (!step.addPrefixSpace || text[0] == ' ')
      return text;
    buffer.assign(1, ' ');
    buffer += text;
    return buffer;
  }
  if (step.kind != Kind::Metaspace)
    return text;
  buffer.clear();
  bool marked = text[0] == ' ' || isMetaspaceMark(step, text);
  if (!marked && (step.scheme == PrependScheme::Always ||
                  (step.scheme == PrependScheme::First && first)))
    buffer += step.text;
  for (char c : text)
    if (c == ' ')
      buffer += step.text;
    else
      buffer.push_back(c);
  return buffer;
}

bool PreTokenizer::findPieces(const PreTokenizerStep &step,
                              std::string_view text, std::vector<Piece> &pieces,
                              std::string &error) {
  size_t done = 0;
  // The pieces that are found are matches, what is between them is not.
  auto found = [&](size_t begin, size_t end) {
    if (done != begin)
      pieces.push_back({done, begin, step.invert});
    pieces.push_back({begin, end, !step.invert});
    done = end;
  };
  auto finish = [&](SplitBehavior behavior) {
    if (done != text.size())
      pieces.push_back({done, text.size(), step.invert});
    applyBehavior(behavior, pieces);
    return true;
  };
  switch (step.kind) {
  case Kind::ByteLevel:
    return finish(SplitBehavior::Isolated);
  case Kind::Metaspace:
    if (step.isSplit)
      for (size_t at = text.find(step.text); at != text.npos;
           at = text.find(step.text, at + step.text.size()))
        found(at, at + step.text.size());
    return finish(SplitBehavior::MergedWithNext);
  case Kind::Digits: {
    const uint8_t *classes = charClasses();
    for (size_t at = 0; at < text.size();) {
      size_t length = utf8Length(static_cast<unsigned char>(text[at]));
      if (classes[utf8At(text.data() + at)] & NumberClass)
        found(at, at + length);
      at += length;
    }
    return finish(step.isSplit ? SplitBehavior::Isolated
                               : SplitBehavior::Contiguous);
  }
  case Kind::Known:
  case Kind::Split:
    break;
  }
  if (!step.regex) {
    for (size_t at = text.find(step.text); at != text.npos;
         at = text.find(step.text, at + step.text.size()))
      found(at, at + step.text.size());
    return finish(step.behavior);
  }
  Regex::Matches matches(*step.regex, text);
  Range match;
  while (matches.next(match))
    found(match.begin, match.end);
  error = matches.error();
  return error.empty() && finish(step.behavior);
}

} // namespace tessera::runtime
