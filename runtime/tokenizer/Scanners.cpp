//===- Scanners.cpp - The splits of published models ----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/tokenizer/Scanners.h"
#include "runtime/core/Utf8.h"
#include "runtime/tokenizer/CharClasses.h"

namespace tessera::runtime {

const std::string_view gpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

namespace {

constexpr std::string_view bloomPattern = " ?[^(\\s|[.,!?…。，、।۔،])]+";
constexpr std::string_view llama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view qwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr uint8_t anyClass = LetterClass | NumberClass | SpaceClass;

struct Scanner {
  const uint8_t *classes;
  const char *end;

  uint8_t at(const char *place) const { return classes[utf8At(place)]; }
  static const char *next(const char *place) {
    return place + utf8Length(static_cast<unsigned char>(*place));
  }

  /// The end of the run of characters that have the classes \p wanted of those
  /// in \p mask; at most \p most.
  const char *run(const char *place, uint8_t mask, uint8_t wanted,
                  size_t most = SIZE_MAX) const {
    for (; place < end && most && (at(place) & mask) == wanted; --most)
      place = next(place);
    return place;
  }

  /// The end of a contraction such as 's at \p place; null where there is none.
  const char *contraction(const char *place, bool anyCase) const {
    if (*place != '\'' || place + 1 == end)
      return nullptr;
    auto letter = [&](int i) {
      char c = place + i < end ? place[i] : '\0';
      return anyCase && c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    };
    char first = letter(1), second = letter(2);
    if (first == 's' || first == 't' || first == 'm' || first == 'd')
      return place + 2;
    if ((first == 'r' && second == 'e') || (first == 'v' && second == 'e') ||
        (first == 'l' && second == 'l'))
      return place + 3;
    // The long s is an s in the other case.
    if (anyCase && std::string_view(place + 1, end).starts_with("\xc5\xbf"))
      return place + 3;
    return nullptr;
  }

  /// `\s+(?!\S)|\s+` at white space: a run, without its last character where
  /// something follows it.
  const char *space(const char *place) const {
    const char *last = place, *stop = place;
    while (stop < end && (at(stop) & SpaceClass)) {
      last = stop;
      stop = next(stop);
    }
    return stop == end || last == place ? stop : last;
  }

  const char *gpt2(const char *place) const {
    if (const char *stop = contraction(place, false))
      return stop;
    const char *word = *place == ' ' && place + 1 < end ? place + 1 : place;
    uint8_t kind = at(word) & anyClass;
    if (kind & SpaceClass)
      return space(place);
    return run(word, anyClass, kind);
  }

  const char *llama3(const char *place, size_t digits) const {
    if (const char *stop = contraction(place, true))
      return stop;
    uint8_t kind = at(place) & anyClass;
    if (kind == LetterClass)
      return run(place, LetterClass, LetterClass);
    if (kind == NumberClass)
      return run(place, NumberClass, NumberClass, digits);
    const char *second = next(place);
    uint8_t following = second < end ? at(second) & anyClass : SpaceClass;
    bool isBreak = *place == '\r' || *place == '\n';
    if (!isBreak && following == LetterClass)
      return run(second, LetterClass, LetterClass);
    if (kind == 0 || (*place == ' ' && following == 0)) {
      const char *stop = run(kind == 0 ? place : second, anyClass, 0);
      while (stop < end && (*stop == '\r' || *stop == '\n'))
        ++stop;
      return stop;
    }
    // White space: up to the last line break of the run, where there is one.
    const char *afterBreak = nullptr;
    for (const char *stop = place; stop < end && (at(stop) & SpaceClass);) {
      bool breaks = *stop == '\r' || *stop == '\n';
      stop = next(stop);
      if (breaks)
        afterBreak = stop;
    }
    return afterBreak ? afterBreak : space(place);
  }

  bool bloomBegins(const char *place) const {
    if (!(at(place) & BloomClass))
      return true;
    return *place == ' ' && place + 1 < end && !(at(place + 1) & BloomClass);
  }

  const char *bloom(const char *place) const {
    if (bloomBegins(place))
      return run(*place == ' ' ? place + 1 : place, BloomClass, 0);
    do
      place = next(place);
    while (place < end && !bloomBegins(place));
    return place;
  }
};

} // namespace

std::string_view patternOf(KnownSplit split) {
  switch (split) {
  case KnownSplit::None:
    return "";
  case KnownSplit::Bloom:
    return bloomPattern;
  case KnownSplit::Gpt2:
    return gpt2Pattern;
  case KnownSplit::Llama3:
    return llama3Pattern;
  case KnownSplit::Qwen2:
    return qwen2Pattern;
  }
  return "";
}

KnownSplit knownSplit(std::string_view pattern) {
  for (KnownSplit split : {KnownSplit::Bloom, KnownSplit::Gpt2,
                           KnownSplit::Llama3, KnownSplit::Qwen2})
    if (pattern == patternOf(split))
      return split;
  return KnownSplit::None;
}

bool coversText(KnownSplit split) { return split != KnownSplit::Bloom; }

const char *endOfPiece(KnownSplit split, const char *begin, const char *end) {
  Scanner scanner{charClasses(), end};
  switch (split) {
  case KnownSplit::Bloom:
    return scanner.bloom(begin);
  case KnownSplit::Gpt2:
    return scanner.gpt2(begin);
  case KnownSplit::Llama3:
    return scanner.llama3(begin, 3);
  case KnownSplit::Qwen2:
    return scanner.llama3(begin, 1);
  case KnownSplit::None:
    break;
  }
  return end;
}

} // namespace tessera::runtime
