//===- Normalizer.cpp - Texts before they are split -----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/tokenizer/Normalizer.h"
#include <algorithm>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>

namespace tessera::runtime {
namespace {

/// Whether all of \p text is below U+0300, where NFC changes nothing, or of
/// ASCII, where no form does.
bool isPlain(std::string_view text, bool ascii) {
  unsigned char most = ascii ? 0x7f : 0xcb; // the lead byte of U+02FF
  return std::all_of(text.begin(), text.end(),
                     [&](unsigned char byte) { return byte <= most; });
}

const icu::Normalizer2 *formOf(Normalizer::Kind kind, UErrorCode &code) {
  switch (kind) {
  case Normalizer::Kind::Nfc:
    return icu::Normalizer2::getNFCInstance(code);
  case Normalizer::Kind::Nfd:
    return icu::Normalizer2::getNFDInstance(code);
  case Normalizer::Kind::Nfkc:
    return icu::Normalizer2::getNFKCInstance(code);
  default:
    return icu::Normalizer2::getNFKDInstance(code);
  }
}

} // namespace

bool Replacement::apply(std::string_view text, size_t most, std::string &result,
                        std::string &error) const {
  result.clear();
  size_t done = 0;
  auto replace = [&](size_t begin, size_t end) {
    result += text.substr(done, begin - done);
    result += content;
    done = end;
    return result.size() <= most;
  };
  bool fits = true;
  if (regex) {
    Regex::Matches matches(*regex, text);
    Range match;
    while (fits && matches.next(match))
      fits = replace(match.begin, match.end);
    error = matches.error();
    if (!error.empty())
      return false;
  } else {
    for (size_t at = text.find(pattern); fits && at != text.npos;
         at = text.find(pattern, done))
      fits = replace(at, at + pattern.size());
  }
  if (!fits) {
    error =
        "replacing makes more than " + std::to_string(most) + " bytes of it";
    return false;
  }
  result += text.substr(done);
  return true;
}

bool Normalizer::apply(std::string &text, std::string &other,
                       std::string &error) const {
  const size_t most = (size_t(1) << 20) + 64 * text.size();
  for (const Step &step : steps) {
    if (text.empty())
      break;
    if (step.kind == Kind::Prepend) {
      text.insert(0, step.replacement.content);
      continue;
    }
    if (step.kind == Kind::Replace) {
      if (!step.replacement.apply(text, most, other, error))
        return false;
      text.swap(other);
      continue;
    }
    if (isPlain(text, step.kind != Kind::Nfc))
      continue;
    UErrorCode code = U_ZERO_ERROR;
    const icu::Normalizer2 *form = formOf(step.kind, code);
    other.clear();
    if (U_SUCCESS(code)) {
      icu::StringByteSink<std::string> sink(&other);
      form->normalizeUTF8(
          0, icu::StringPiece(text.data(), static_cast<int32_t>(text.size())),
          sink, nullptr, code);
    }
    if (U_FAILURE(code)) {
      error = u_errorName(code);
      return false;
    }
    text.swap(other);
  }
  return true;
}

} // namespace tessera::runtime
