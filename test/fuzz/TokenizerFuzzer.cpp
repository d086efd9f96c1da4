//===- TokenizerFuzzer.cpp - Tokenizers and texts that may be anything ----===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An input is the text of a tokenizer.json, a byte of zero, and a text. The
// tokenizer is refused with a reason, or the text's ids are those of its
// tokens, whatever was encoded before, and decode to whole characters, at once
// and one by one. A text of large_texts.py goes each way once, for time's sake.
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Utf8.h"
#include "runtime/tokenizer/Tokenizer.h"
#include "test/fuzz/Exit.h"
#include "test/fuzz/JsonMutator.h"
#include "test/fuzz/PairMutator.h"
#include <algorithm>

using namespace tessera;
using namespace tessera::runtime;
using namespace tessera::fuzz;

using Ids = std::vector<int32_t>;

/// Bytes of a text that no mutator makes.
static constexpr size_t largeText = 1 << 20;

static void checkText(const Tokenizer &tokenizer, std::string_view text,
                      EncodeOptions options, TokenizerScratch &scratch) {
  bool isLarge = text.size() >= largeText;
  Ids ids, again;
  std::string error;
  TokenizerScratch fresh;
  bool isEncoded = tokenizer.encode(text, options, scratch, ids, error);
  require(isEncoded != !error.empty(), "a refusal has a reason");
  if (!isLarge)
    require(tokenizer.encode(text, options, fresh, again, error) == isEncoded,
            "a text is refused always");
  if (!isEncoded)
    return;
  require(isLarge || ids == again, "ids do not depend on texts before");
  for (int32_t id : ids)
    require(id >= 0 && id < tokenizer.vocabularySize() && tokenizer.tokenOf(id),
            "an id has a token");
  for (bool skipSpecial : {false, true}) {
    if (isLarge && skipSpecial)
      break;
    std::string whole = tokenizer.decode(ids, skipSpecial), streamed;
    DecodeStream stream(tokenizer, skipSpecial);
    for (int32_t id : ids) {
      std::string part;
      stream.push(id, part);
      require(isUtf8(part), "a part is of whole characters");
      streamed += part;
    }
    stream.finish(streamed);
    require(isUtf8(whole) && streamed == whole, "a stream gives the text");
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string input(reinterpret_cast<const char *>(data), size);
  size_t cut = std::min(input.find('\0'), size);
  std::string error;
  auto tokenizer = Tokenizer::parse(input.substr(0, cut), error);
  if (!tokenizer) {
    require(!error.empty(), "a refusal has a reason");
    return 0;
  }
  std::string_view text(input);
  text = text.substr(std::min(cut + 1, size));
  TokenizerScratch scratch;
  checkText(*tokenizer, text, {}, scratch);
  if (text.size() < largeText)
    checkText(*tokenizer, text, {.addSpecial = true, .findSpecial = false},
              scratch);
  return 0;
}

std::string fuzz::mutatePair(const std::string &bytes, const std::string &other,
                             size_t most, Dice &dice) {
  size_t cut = std::min(bytes.find('\0'), bytes.size());
  std::string text = bytes.substr(std::min(cut + 1, bytes.size()));
  std::optional<Json> tree = readTree(bytes.substr(0, cut));
  if (!tree || dice.oneIn(20))
    return mutateBytes(bytes, most);
  if (dice.oneIn(3)) {
    text = mutateBytes(text, 256);
  } else {
    std::optional<Json> grafts =
        readTree(other.substr(0, std::min(other.find('\0'), other.size())));
    mutateTree(*tree, grafts ? *grafts : Json(), dice);
  }
  return writeTree(*tree) + '\0' + text;
}
