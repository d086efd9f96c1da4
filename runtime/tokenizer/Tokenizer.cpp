//===- Tokenizer.cpp - Texts to the ids of tokens, and back ---------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/tokenizer/Tokenizer.h"
#include "runtime/core/Utf8.h"

namespace tessera::runtime {

int32_t Tokenizer::idOf(std::string_view token) const {
  if (auto found = addedIds.find(token); found != addedIds.end())
    return found->second;
  return model->idOf(token);
}

const std::string *Tokenizer::tokenOf(int32_t id) const {
  if (auto found = added.find(id); found != added.end())
    return &found->second;
  return model->tokenOf(id);
}

bool Tokenizer::isSpecial(int32_t id) const {
  const std::string *token = tokenOf(id);
  return token && special.contains(*token);
}

bool Tokenizer::encodePiece(std::string_view piece, bool first,
                            const EncodeOptions &options,
                            TokenizerScratch &scratch,
                            std::vector<int32_t> &out,
                            std::string &error) const {
  if (!normalizer.empty()) {
    scratch.text = piece;
    if (!normalizer.apply(scratch.text, scratch.other, error))
      return false;
    piece = scratch.text;
  }
  auto encodeText = [&](std::string_view text, bool isFirst) {
    return preTokenizer.split(
        text, isFirst, scratch.splits.data(), error,
        [&](std::string_view word) { model->encode(word, scratch.bpe, out); });
  };
  if (normalizedTokens.empty())
    return encodeText(piece, first);
  scratch.normalizedParts.clear();
  normalizedTokens.split(piece, options.findSpecial, scratch.normalizedParts);
  for (const TextPart &part : scratch.normalizedParts)
    if (part.token >= 0)
      out.push_back(part.token);
    else if (!encodeText(piece.substr(part.begin, part.end - part.begin),
                         first && part.begin == 0))
      return false;
  return true;
}

bool Tokenizer::encode(std::string_view text, EncodeOptions options,
                       TokenizerScratch &scratch, std::vector<int32_t> &out,
                       std::string &error) const {
  if (text.size() >= size_t(INT32_MAX)) {
    error = "a text of 2 GiB or more is not encoded at once";
    return false;
  }
  if (!isUtf8(text)) {
    scratch.repaired.clear();
    appendRepaired(scratch.repaired, text, /*more=*/false);
    text = scratch.repaired;
  }
  scratch.splits.resize(preTokenizer.size());
  if (options.addSpecial)
    out.insert(out.end(), before.begin(), before.end());
  if (rawTokens.empty()) {
    if (!encodePiece(text, true, options, scratch, out, error))
      return false;
  } else {
    scratch.parts.clear();
    rawTokens.split(text, options.findSpecial, scratch.parts);
    for (const TextPart &part : scratch.parts)
      if (part.token >= 0)
        out.push_back(part.token);
      else if (!encodePiece(text.substr(part.begin, part.end - part.begin),
                            part.begin == 0, options, scratch, out, error))
        return false;
  }
  if (options.addSpecial)
    out.insert(out.end(), behind.begin(), behind.end());
  return true;
}

std::string Tokenizer::decode(const std::vector<int32_t> &ids,
                              bool skipSpecial) const {
  std::string text;
  DecodeStream stream(*this, skipSpecial);
  for (int32_t id : ids)
    stream.push(id, text);
  stream.finish(text);
  return text;
}

void DecodeStream::push(int32_t id, std::string &out) {
  const std::string *token = tokenizer.tokenOf(id);
  if (token && !(skipSpecial && tokenizer.isSpecial(id)))
    run.push(*token, out);
}

} // namespace tessera::runtime
