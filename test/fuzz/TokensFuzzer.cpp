//===- TokensFuzzer.cpp - Files of tokens that may be anything ------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An input is the pair PREFIX.idx and PREFIX.bin, or one file, and what its
// user says of it:
//
//   byte 0      the files that are there, see Files
//   byte 1      --data-type: 0 none, 1 u8, 2 u16, 3 i32
//   bytes 2-9   the vocabulary
//   bytes 10-13 bytes of the index, which follows; the rest is the content
//
// The files are refused, or all tokens are read and are in the vocabulary, but
// for those that a look through them finds.
//
//===----------------------------------------------------------------------===//

#include "runtime/data/TokenFile.h"
#include "test/fuzz/Dice.h"
#include "test/fuzz/Exit.h"
#include "test/fuzz/Scratch.h"
#include <algorithm>
#include <cstring>
#include <unistd.h>
#include <vector>

using namespace tessera::runtime;
using namespace tessera::fuzz;

namespace {

enum Files : uint8_t {
  Pair,
  ContentAlone,
  ContentNamedBin,
  IndexAlone,
  FilesCount
};

constexpr size_t headBytes = 14;

template <typename Number> Number numberAt(const std::string &text, size_t at) {
  Number number = 0;
  if (at + sizeof number <= text.size())
    memcpy(&number, &text[at], sizeof number);
  return number;
}

template <typename Number> void put(std::string &text, Number number) {
  text.append(reinterpret_cast<const char *>(&number), sizeof number);
}

struct Input {
  uint8_t files = Pair, type = 0;
  int64_t vocabulary = 256;
  std::string index, content;

  explicit Input(const std::string &bytes) {
    if (bytes.size() < headBytes)
      return;
    files = static_cast<uint8_t>(bytes[0]) % FilesCount;
    type = static_cast<uint8_t>(bytes[1]) % 4;
    // A model has one that is positive and fits 32 bits.
    vocabulary = std::clamp<int64_t>(numberAt<int64_t>(bytes, 2), 1, INT32_MAX);
    index =
        bytes.substr(headBytes, std::min<size_t>(numberAt<uint32_t>(bytes, 10),
                                                 bytes.size() - headBytes));
    content = bytes.substr(headBytes + index.size());
  }

  std::string write() const {
    std::string bytes = {static_cast<char>(files), static_cast<char>(type)};
    put(bytes, vocabulary);
    put(bytes, static_cast<uint32_t>(index.size()));
    return bytes + index + content;
  }
};

/// An MMIDIDX index.
struct Index {
  static constexpr size_t headBytes = 34;
  std::string magic;
  uint64_t version = 1;
  uint8_t code = 4;
  std::vector<int32_t> lengths;
  std::vector<int64_t> offsets, documents;

  /// Of an index that is cut, or says more than it has, what is there.
  explicit Index(const std::string &text) {
    magic = text.substr(0, 9);
    version = numberAt<uint64_t>(text, 9);
    code = numberAt<uint8_t>(text, 17);
    size_t at = headBytes;
    size_t sequences = std::min<size_t>(numberAt<uint64_t>(text, 18), 1000);
    for (size_t i = 0; i < sequences; ++i, at += 4)
      lengths.push_back(numberAt<int32_t>(text, at));
    for (size_t i = 0; i < sequences; ++i, at += 8)
      offsets.push_back(numberAt<int64_t>(text, at));
    for (; at + 8 <= text.size(); at += 8)
      documents.push_back(numberAt<int64_t>(text, at));
  }

  std::string write() const {
    std::string text = magic;
    put(text, version);
    put(text, code);
    put(text, static_cast<int64_t>(lengths.size()));
    put(text, static_cast<int64_t>(documents.size()));
    for (int32_t length : lengths)
      put(text, length);
    for (int64_t offset : offsets)
      put(text, offset);
    for (int64_t document : documents)
      put(text, document);
    return text;
  }

  /// Makes the offsets those of the lengths again.
  void follow() {
    static constexpr int64_t bytes[] = {0, 1, 1, 2, 4, 8, 4, 8, 2};
    int64_t next = 0;
    offsets.clear();
    for (int32_t length : lengths) {
      offsets.push_back(next);
      next += length * (code < std::size(bytes) ? bytes[code] : 4);
    }
  }

  void mutate(Dice &dice) {
    switch (dice.below(6)) {
    case 0:
      code = static_cast<uint8_t>(dice.below(10));
      follow();
      return;
    case 1:
      lengths.push_back(static_cast<int32_t>(dice.below(9)));
      follow();
      return;
    case 2:
      if (!lengths.empty())
        dice.pick(lengths) = static_cast<int32_t>(dice.edgeNumber());
      if (dice.oneIn(2))
        follow();
      return;
    case 3:
      if (!offsets.empty())
        dice.pick(offsets) = dice.edgeNumber();
      return;
    case 4:
      if (!lengths.empty())
        lengths.pop_back();
      follow();
      return;
    default:
      documents.resize(dice.below(4), dice.edgeNumber());
    }
  }
};

/// Writes a small or extreme number over a token.
void mutateToken(std::string &content, Dice &dice) {
  if (content.empty())
    return;
  static const size_t sizes[] = {1, 2, 4, 8};
  size_t size = std::min(dice.pick(sizes), content.size());
  int64_t number = dice.edgeNumber();
  memcpy(&content[dice.below(content.size() / size) * size], &number, size);
}

/// The header of an llm.c file in place of the content's.
void mutateLlmC(std::string &content, Dice &dice) {
  static const int32_t magics[] = {20240520, 20240801, 20240522, 20240326};
  static const int32_t versions[] = {1, 7, 2};
  int32_t magic = dice.pick(magics);
  int64_t width = magic == 20240801 ? 4 : 2;
  content.resize(std::max<size_t>(content.size(), 1024));
  int32_t head[3] = {
      magic, dice.pick(versions),
      dice.oneIn(4) ? static_cast<int32_t>(dice.edgeNumber())
                    : static_cast<int32_t>((content.size() - 1024) / width)};
  memcpy(content.data(), head, sizeof head);
}

void mutate(Input &input, size_t most, Dice &dice) {
  switch (dice.below(8)) {
  case 0:
    input.files = static_cast<uint8_t>(dice.below(FilesCount));
    return;
  case 1:
    input.type = static_cast<uint8_t>(dice.below(4));
    return;
  case 2:
    input.vocabulary = dice.edgeNumber();
    return;
  case 3:
    mutateLlmC(input.content, dice);
    return;
  case 4:
    input.content = mutateBytes(input.content, most);
    return;
  case 5:
    mutateToken(input.content, dice);
    return;
  default:
    Index index(input.index);
    index.mutate(dice);
    std::string text = index.write();
    // The counts may lie.
    if (dice.oneIn(8) && text.size() >= Index::headBytes) {
      int64_t count = dice.edgeNumber();
      memcpy(&text[dice.oneIn(2) ? 18 : 26], &count, sizeof count);
    }
    input.index = text;
  }
}

/// Writes the files and returns the path that the user gives.
std::string writeFiles(const Input &input) {
  static const std::string prefix = scratchPath("data");
  for (const char *suffix : {"", ".idx", ".bin"})
    unlink((prefix + suffix).c_str());
  if (input.files == Pair || input.files == IndexAlone)
    writeFile(prefix + ".idx", input.index);
  if (input.files == Pair || input.files == ContentNamedBin)
    writeFile(prefix + ".bin", input.content);
  if (input.files == ContentAlone)
    writeFile(prefix, input.content);
  return input.files == ContentNamedBin ? prefix + ".bin" : prefix;
}

/// Reads all tokens, in samples and at once.
void readAll(const TokenFile &file) {
  std::string error;
  StrangeToken strange;
  require(file.findStrange(0, file.count(), strange, error),
          "tokens of a file that stays as it is can be read");
  require(strange.position < 0 || file.canHoldStrange(),
          "a type whose tokens are all known has no strange one");
  std::vector<int32_t> tokens(file.count());
  bool isRead = file.read(0, file.count(), tokens.data(), error);
  require(isRead == (strange.position < 0),
          "tokens are read where none is strange");
  for (int32_t token : tokens)
    require(token >= 0 && token < file.vocabularySize(),
            "a token that is read is in the vocabulary");
  if (strange.position >= 0)
    require(!file.describe(strange).empty(), "a strange token is described");
  constexpr int64_t length = 3;
  for (int64_t sample = 0; sample < std::min<int64_t>(file.samples(length), 9);
       ++sample) {
    int32_t row[length + 1];
    file.read(sample * length, length + 1, row, error);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input input(std::string(data, data + size));
  std::string path = writeFiles(input);
  static const char *const types[] = {"", "u8", "u16", "i32"};
  exits([&] {
    readAll(
        TokenFile(path, input.vocabulary, tokenTypeNamed(types[input.type])));
  });
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t most, unsigned seed) {
  Dice dice(seed);
  std::string bytes(data, data + size);
  if (dice.oneIn(16))
    return store(mutateBytes(bytes, most), data, most);
  Input input(bytes);
  for (size_t times = 1 + dice.below(3); times > 0; --times)
    mutate(input, most, dice);
  return store(input.write(), data, most);
}
