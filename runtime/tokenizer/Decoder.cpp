//===- Decoder.cpp - Tokens back into text --------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/tokenizer/Decoder.h"
#include "runtime/core/Utf8.h"
#include "runtime/tokenizer/BpeModel.h"

namespace tessera::runtime {
namespace {

using Kind = Decoder::Step::Kind;

/// Bytes that replacing may add to a token.
constexpr size_t mostAdded = 1 << 20;

int hexDigit(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                : -1;
}

/// The byte of a token <0xXX>; -1: it is another.
int byteOfToken(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>')
    return -1;
  int high = hexDigit(token[3]), low = hexDigit(token[4]);
  return high < 0 || low < 0 ? -1 : 16 * high + low;
}

/// Appends the bytes of a byte-level token; one with a character that is no
/// byte's goes in as it is.
void appendTokenBytes(std::string &bytes, std::string_view token) {
  size_t before = bytes.size();
  for (size_t at = 0; at < token.size();
       at += utf8Length(static_cast<unsigned char>(token[at]))) {
    int byte = byteOfCharacter(utf8At(token.data() + at));
    if (byte < 0) {
      bytes.resize(before);
      bytes += token;
      return;
    }
    bytes.push_back(static_cast<char>(byte));
  }
}

} // namespace

void DecoderRun::flushBytes(size_t index, std::string &out) {
  std::string bytes;
  bytes.swap(states[index].held);
  if (bytes.empty())
    return;
  if (isUtf8(bytes)) {
    feed(index + 1, bytes, true, out);
    return;
  }
  for (size_t i = 0; i < bytes.size(); ++i)
    feed(index + 1, replacementCharacter, true, out);
}

void DecoderRun::feed(size_t index, std::string_view text, bool opens,
                      std::string &out) {
  if (index == steps.size()) {
    out += text;
    return;
  }
  const Decoder::Step &step = steps[index];
  State &state = states[index];
  if (opens)
    ++state.tokens;
  switch (step.kind) {
  case Kind::Join:
    if (opens && state.tokens > 1)
      feed(index + 1, " ", false, out);
    feed(index + 1, text, opens, out);
    break;
  case Kind::ByteLevel: {
    appendTokenBytes(state.held, text);
    std::string sure;
    size_t taken = appendRepaired(sure, state.held, /*more=*/true);
    state.held.erase(0, taken);
    feed(index + 1, sure, state.tokens == 1 && opens, out);
    break;
  }
  case Kind::Replace: {
    std::string replaced, error;
    // A search that fails, or makes too much, leaves the token as it is.
    if (!step.replacement.apply(text, text.size() + mostAdded, replaced, error))
      replaced = text;
    feed(index + 1, replaced, opens, out);
    break;
  }
  case Kind::ByteFallback:
    if (int byte = byteOfToken(text); byte >= 0) {
      state.held.push_back(static_cast<char>(byte));
    } else {
      flushBytes(index, out);
      feed(index + 1, text, opens, out);
    }
    break;
  case Kind::Fuse:
    feed(index + 1, text, state.tokens == 1 && opens, out);
    break;
  case Kind::Strip: {
    if (opens) {
      state.left = step.fromStart;
      state.held.clear();
    }
    std::string_view rest = text;
    for (; state.left > 0 && rest.starts_with(step.text); --state.left)
      rest.remove_prefix(step.text.size());
    if (!rest.empty())
      state.left = 0;
    // What may be the end of the token stays here.
    std::string all = state.held + std::string(rest);
    size_t sure = all.size();
    for (size_t i = 0;
         i < step.fromEnd && sure >= step.text.size() &&
         all.compare(sure - step.text.size(), step.text.size(), step.text) == 0;
         ++i)
      sure -= step.text.size();
    state.held = all.substr(sure);
    feed(index + 1, std::string_view(all).substr(0, sure), opens, out);
    break;
  }
  case Kind::Metaspace: {
    bool isDropped = state.tokens == 1 && step.scheme != PrependScheme::Never;
    Replacement marks{step.text, nullptr, isDropped ? "" : " "};
    std::string replaced, error;
    marks.apply(text, text.size(), replaced, error);
    feed(index + 1, replaced, opens, out);
    break;
  }
  }
}

void DecoderRun::finish(std::string &out) {
  for (size_t index = 0; index < steps.size(); ++index) {
    if (steps[index].kind == Kind::ByteFallback) {
      flushBytes(index, out);
    } else if (steps[index].kind == Kind::ByteLevel) {
      std::string rest;
      appendRepaired(rest, states[index].held, /*more=*/false);
      states[index].held.clear();
      if (!rest.empty())
        feed(index + 1, rest, false, out);
    }
  }
}

} // namespace tessera::runtime
