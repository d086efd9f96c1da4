//===- PreTokenizer.h - Texts into words ------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_TOKENIZER_PRETOKENIZER_H
#define TESSERA_RUNTIME_TOKENIZER_PRETOKENIZER_H

#include "runtime/tokenizer/Regex.h"
#include "runtime/tokenizer/Scanners.h"
#include <memory>
#include <string>
#include <vector>

namespace tessera::runtime {

/// What becomes of the matches of a split.
enum class SplitBehavior {
  Removed,
  Isolated,
  MergedWithPrevious,
  MergedWithNext,
  Contiguous
};

/// Where Metaspace puts its mark before a text.
enum class PrependScheme { Always, Never, First };

/// One step: splits each piece of the step before it.
struct PreTokenizerStep {
  enum class Kind { Known, Split, ByteLevel, Metaspace, Digits } kind;
  KnownSplit known = KnownSplit::None;
  SplitBehavior behavior = SplitBehavior::Isolated;
  bool invert = false;
  std::shared_ptr<const Regex> regex = {}; ///< of Split; null: the text
  std::string text = {};                   ///< of Split; the mark of Metaspace
  bool addPrefixSpace = false;             ///< of ByteLevel
  PrependScheme scheme = PrependScheme::Always;
  bool isSplit = true; ///< of Metaspace: at its marks, of Digits: each alone
};

/// A step's buffers, which only grow.
struct PreTokenizerScratch {
  struct Piece {
    size_t begin, end;
    bool dropped;
  };
  std::vector<Piece> pieces;
  std::string text;
};

class PreTokenizer {
public:
  void add(PreTokenizerStep step) { steps.push_back(std::move(step)); }
  size_t size() const { return steps.size(); }

  /// Calls \p take for each word of \p text, which is valid UTF-8. \p first: it
  /// begins the text that is encoded. False with the reason in \p error where
  /// a search fails. \p scratch has size() elements.
  template <typename Take>
  bool split(std::string_view text, bool first, PreTokenizerScratch *scratch,
             std::string &error, Take &&take) const {
    return apply(0, text, first, scratch, error, take);
  }

private:
  template <typename Take>
  bool apply(size_t index, std::string_view text, bool first,
             PreTokenizerScratch *scratch, std::string &error,
             Take &take) const {
    if (text.empty())
      return true;
    if (index == steps.size()) {
      take(text);
      return true;
    }
    const PreTokenizerStep &step = steps[index];
    auto deeper = [&](std::string_view piece, bool isFirst) {
      return apply(index + 1, piece, isFirst, scratch, error, take);
    };
    if (step.kind == PreTokenizerStep::Kind::Known) {
      const char *end = text.data() + text.size();
      for (const char *at = text.data(); at < end;) {
        const char *stop = endOfPiece(step.known, at, end);
        if (!deeper({at, static_cast<size_t>(stop - at)},
                    first && at == text.data()))
          return false;
        at = stop;
      }
      return true;
    }
    PreTokenizerScratch &own = scratch[index];
    text = prepare(step, text, first, own.text);
    own.pieces.clear();
    if (!findPieces(step, text, own.pieces, error))
      return false;
    for (const auto &piece : own.pieces)
      if (!piece.dropped &&
          !deeper(text.substr(piece.begin, piece.end - piece.begin),
                  first && piece.begin == 0))
        return false;
    return true;
  }

  /// \p text as the step splits it, in \p buffer where it is another.
  static std::string_view prepare(const PreTokenizerStep &step,
                                  std::string_view text, bool first,
                                  std::string &buffer);
  static bool findPieces(const PreTokenizerStep &step, std::string_view text,
                         std::vector<PreTokenizerScratch::Piece> &pieces,
                         std::string &error);

  std::vector<PreTokenizerStep> steps;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_TOKENIZER_PRETOKENIZER_H
