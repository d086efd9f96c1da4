//===- BpeModel.cpp - Byte pair encoding of words -------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/tokenizer/BpeModel.h"
#include "runtime/core/Utf8.h"
#include <algorithm>
#include <cstdio>

namespace tessera::runtime {
namespace {

constexpr uint32_t noRank = UINT32_MAX;
constexpr int32_t largestId = 1 << 22;
/// Above this many symbols a queue has the next merge.
constexpr size_t shortWord = 48;
constexpr size_t tableCharacters = 1 << 16;

struct ByteCharacters {
  char32_t characters[256];
  int bytes[0x144];
  ByteCharacters() {
    std::fill(std::begin(bytes), std::end(bytes), -1);
    char32_t next = 0x100;
    for (int byte = 0; byte < 256; ++byte) {
      bool isPrinted = (byte >= 33 && byte <= 126) ||
                       (byte >= 161 && byte <= 172) || byte >= 174;
      characters[byte] = isPrinted ? byte : next++;
      bytes[characters[byte]] = byte;
    }
  }
};

const ByteCharacters &byteCharacters() {
  static const ByteCharacters table;
  return table;
}

/// The bytes that a byte-level token stands for; false where it has another
/// character.
bool bytesOfToken(std::string_view token, std::string &bytes) {
  bytes.clear();
  for (size_t at = 0; at < token.size(); at += utf8Length(token[at])) {
    int byte = byteOfCharacter(utf8At(token.data() + at));
    if (byte < 0)
      return false;
    bytes.push_back(static_cast<char>(byte));
  }
  return true;
}

} // namespace

char32_t characterOfByte(unsigned char byte) {
  return byteCharacters().characters[byte];
}

int byteOfCharacter(char32_t character) {
  return character < 0x144 ? byteCharacters().bytes[character] : -1;
}

int32_t BpeModel::idOf(std::string_view token) const {
  auto found = ids.find(token);
  return found == ids.end() ? -1 : found->second;
}

const std::string *BpeModel::tokenOf(int32_t id) const {
  return id >= 0 && id < size() && taken[id] ? &tokens[id] : nullptr;
}

std::unique_ptr<BpeModel> BpeModel::make(const BpeParts &parts,
                                         std::string &error) {
  std::unique_ptr<BpeModel> model(new BpeModel);
  model->isByteLevel = parts.byteLevel;
  model->fuseUnknown = parts.fuseUnknown;
  model->byteFallback = parts.byteFallback;
  model->ignoreMerges = parts.ignoreMerges;
  auto shown = [](const std::string &token) {
    return "'" + (token.size() > 80 ? token.substr(0, 80) + "..." : token) +
           "'";
  };

  int32_t size = 0;
  for (const auto &[token, id] : parts.vocabulary) {
    if (id < 0 || id >= largestId) {
      error = "model.vocab[" + shown(token) + "] is " + std::to_string(id) +
              ": an id of 0 to " + std::to_string(largestId - 1) + " is wanted";
      return nullptr;
    }
    size = std::max(size, id + 1);
  }
  model->tokens.resize(size);
  model->taken.resize(size);
  for (const auto &[token, id] : parts.vocabulary) {
    if (model->taken[id] || !model->ids.emplace(token, id).second) {
      error =
          "model.vocab has " + shown(token) +
          (model->taken[id] ? " with an id that another token has" : " twice");
      return nullptr;
    }
    model->taken[id] = true;
    model->tokens[id] = token;
  }
  if (!parts.unknown.empty()) {
    model->unknown = model->idOf(parts.unknown);
    if (model->unknown < 0) {
      error =
          "model.unk_token " + shown(parts.unknown) + " is not in model.vocab";
      return nullptr;
    }
  }

  model->merges.reserve(parts.merges.size());
  model->mergeCount = parts.merges.size();
  std::string joined;
  for (size_t rank = 0; rank < parts.merges.size(); ++rank) {
    const auto &[left, right] = parts.merges[rank];
    joined = left + right;
    int32_t a = model->idOf(left), b = model->idOf(right),
            c = model->idOf(joined);
    if (a < 0 || b < 0 || c < 0) {
      error = "model.merges[" + std::to_string(rank) + "] joins " +
              shown(left) + " and " + shown(right) + ", but " +
              shown(a < 0   ? left
                    : b < 0 ? right
                            : joined) +
              " is not in model.vocab";
      return nullptr;
    }
    model->merges.set(a, b, static_cast<uint32_t>(rank), c);
  }

  model->byteIds.fill(-1);
  char name[8];
  std::string text;
  for (int byte = 0; byte < 256; ++byte) {
    if (model->isByteLevel) {
      text.clear();
      appendUtf8(text, characterOfByte(byte));
      model->byteIds[byte] = model->idOf(text);
    } else if (model->byteFallback) {
      snprintf(name, sizeof name, "<0x%02X>", byte);
      model->byteIds[byte] = model->idOf(name);
    }
  }
  if (model->isByteLevel && model->byteFallback &&
      *std::min_element(model->byteIds.begin(), model->byteIds.end()) < 0) {
    error = "model.byte_fallback is true for a byte-level model that lacks "
            "some bytes, which is not supported";
    return nullptr;
  }
  if (!model->isByteLevel) {
    model->characterIds.assign(tableCharacters, -1);
    for (const auto &[token, id] : parts.vocabulary)
      if (!token.empty() && token.size() == utf8Length(token[0]) &&
          utf8At(token.data()) < tableCharacters)
        model->characterIds[utf8At(token.data())] = id;
  } else if (model->ignoreMerges) {
    for (const auto &[token, id] : parts.vocabulary)
      if (bytesOfToken(token, text))
        model->whole.emplace(text, id);
  }
  model->noteNeighbours(parts);
  return model;
}

void BpeModel::noteNeighbours(const BpeParts &parts) {
  // A token of what is no character's symbol would join what stands apart.
  isCut = true;
  for (const auto &[left, right] : parts.merges)
    for (const std::string *part : {&left, &right}) {
      int32_t id = idOf(*part);
      bool isByte = !isByteLevel && std::find(byteIds.begin(), byteIds.end(),
                                              id) != byteIds.end();
      if (id == unknown || (isByte && byteFallback)) {
        isCut = false;
        return;
      }
    }
  std::vector<uint64_t> pairs;
  pairs.reserve(parts.merges.size());
  for (const auto &[left, right] : parts.merges) {
    // No symbol is empty.
    if (left.empty() || right.empty())
      continue;
    std::string_view last(left);
    size_t at = last.size();
    do
      --at;
    while (at > 0 && (last[at] & 0xc0) == 0x80);
    char32_t a = utf8At(last.data() + at), b = utf8At(right.data());
    if (isByteLevel) {
      // Another character is no byte's, so that no symbol has it.
      int first = byteOfCharacter(a), second = byteOfCharacter(b);
      if (first < 0 || second < 0)
        continue;
      a = first, b = second;
    }
    pairs.push_back(uint64_t(a) << 32 | b);
  }
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  neighbours.reserve(pairs.size());
  for (uint64_t pair : pairs)
    neighbours.set(int32_t(pair >> 32), int32_t(pair & UINT32_MAX), 0, 0);
}

int32_t BpeModel::idOfCharacter(char32_t character,
                                std::string_view bytes) const {
  return character < tableCharacters ? characterIds[character] : idOf(bytes);
}

void BpeModel::readSymbols(std::string_view word, BpeScratch &scratch) const {
  std::vector<int32_t> &symbols = scratch.symbols;
  symbols.clear();
  bool pending = false; // an unknown token that is not written yet
  auto writePending = [&] {
    if (pending)
      symbols.push_back(unknown);
    pending = false;
  };
  for (size_t at = 0; at < word.size();) {
    size_t length =
        isByteLevel ? 1 : utf8Length(static_cast<unsigned char>(word[at]));
    std::string_view bytes = word.substr(at, length);
    int32_t id = isByteLevel ? byteIds[static_cast<unsigned char>(word[at])]
                             : idOfCharacter(utf8At(bytes.data()), bytes);
    at += length;
    if (id >= 0) {
      writePending();
      symbols.push_back(id);
      continue;
    }
    if (!isByteLevel && byteFallback &&
        std::all_of(bytes.begin(), bytes.end(),
                    [&](unsigned char byte) { return byteIds[byte] >= 0; })) {
      // As in the library that wrote the model, these do not end a run.
      for (unsigned char byte : bytes)
        symbols.push_back(byteIds[byte]);
      continue;
    }
    if (unknown < 0)
      continue;
    if (!fuseUnknown)
      writePending();
    pending = true;
  }
  writePending();
}

void BpeModel::mergeShort(BpeScratch &scratch) const {
  std::vector<int32_t> &symbols = scratch.symbols;
  std::vector<uint32_t> &ranks = scratch.ranks;
  size_t n = symbols.size();
  auto rankAt = [&](size_t i) {
    if (i + 1 >= n)
      return noRank;
    const PairTable::Entry *merge = merges.find(symbols[i], symbols[i + 1]);
    return merge ? merge->rank : noRank;
  };
  ranks.resize(n);
  for (size_t i = 0; i < n; ++i)
    ranks[i] = rankAt(i);
  while (n > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < n; ++i)
      if (ranks[i] < ranks[best])
        best = i;
    if (ranks[best] == noRank)
      break;
    symbols[best] = merges.find(symbols[best], symbols[best + 1])->id;
    --n;
    for (size_t i = best + 1; i < n; ++i) {
      symbols[i] = symbols[i + 1];
      ranks[i] = ranks[i + 1];
    }
    ranks[best] = rankAt(best);
    if (best > 0)
      ranks[best - 1] = rankAt(best - 1);
  }
  symbols.resize(n);
}

void BpeModel::mergeLong(BpeScratch &scratch) const {
  auto &chain = scratch.chain;
  MergeQueue &queue = scratch.merges;
  auto n = static_cast<int32_t>(scratch.symbols.size());
  chain.resize(n);
  for (int32_t i = 0; i < n; ++i)
    chain[i] = {scratch.symbols[i], i - 1, i + 1 < n ? i + 1 : -1};
  queue.reset(mergeCount);
  auto find = [&](int32_t place) {
    return merges.find(chain[place].id, chain[chain[place].next].id);
  };
  auto offer = [&](int32_t place) {
    if (place < 0 || chain[place].next < 0)
      return;
    if (const PairTable::Entry *merge = find(place))
      queue.push(merge->rank, place, merge->id);
  };
  for (int32_t i = 0; i + 1 < n; ++i)
    offer(i);
  while (!queue.empty()) {
    MergeQueue::Merge top = queue.pop();
    BpeScratch::Symbol &left = chain[top.place];
    // What stood here may have been joined with something else since.
    if (left.id < 0 || left.next < 0)
      continue;
    const PairTable::Entry *merge = find(top.place);
    if (!merge || merge->id != top.id)
      continue;
    BpeScratch::Symbol &right = chain[left.next];
    left.id = top.id;
    left.next = right.next;
    right.id = -1;
    if (left.next >= 0)
      chain[left.next].previous = top.place;
    offer(left.previous);
    offer(top.place);
  }
  scratch.symbols.clear();
  for (const BpeScratch::Symbol &symbol : chain)
    if (symbol.id >= 0)
      scratch.symbols.push_back(symbol.id);
}

void BpeModel::encodePart(std::string_view part, BpeScratch &scratch,
                          std::vector<int32_t> &out) const {
  uint64_t hash = 0;
  if (part.size() <= WordCache::longest) {
    hash = WordCache::hash(part);
    if (scratch.cache.find(part, hash, out))
      return;
  }
  readSymbols(part, scratch);
  if (scratch.symbols.size() <= shortWord)
    mergeShort(scratch);
  else
    mergeLong(scratch);
  out.insert(out.end(), scratch.symbols.begin(), scratch.symbols.end());
  if (part.size() <= WordCache::longest)
    scratch.cache.add(part, hash, scratch.symbols.data(),
                      scratch.symbols.size());
}

void BpeModel::encodeParts(std::string_view word, BpeScratch &scratch,
                           std::vector<int32_t> &out) const {
  if (!isCut) {
    encodePart(word, scratch, out);
    return;
  }
  auto length = [&](size_t at) {
    return isByteLevel ? 1 : utf8Length(static_cast<unsigned char>(word[at]));
  };
  auto symbol = [&](size_t at) {
    return isByteLevel ? char32_t(static_cast<unsigned char>(word[at]))
                       : utf8At(word.data() + at);
  };
  auto isKnown = [&](char32_t c, size_t at) {
    return isByteLevel ? byteIds[c] >= 0
                       : idOfCharacter(c, word.substr(at, length(at))) >= 0;
  };
  size_t begin = 0, at = length(0);
  char32_t before = symbol(0);
  bool knownBefore = isKnown(before, 0);
  while (at < word.size()) {
    char32_t here = symbol(at);
    // Unknown ones stay together, as a run of them may become one token.
    bool known = isKnown(here, at);
    if (known != knownBefore ||
        (known && !neighbours.find(int32_t(before), int32_t(here)))) {
      encodePart(word.substr(begin, at - begin), scratch, out);
      begin = at;
    }
    before = here;
    knownBefore = known;
    at += length(at);
  }
  encodePart(word.substr(begin), scratch, out);
}

void BpeModel::encode(std::string_view word, BpeScratch &scratch,
                      std::vector<int32_t> &out) const {
  if (ignoreMerges) {
    const auto &known = isByteLevel ? whole : ids;
    if (auto found = known.find(word); found != known.end()) {
      out.push_back(found->second);
      return;
    }
  }
  // The cache finds a word of usual length faster than it could be cut.
  if (isByteLevel && word.size() <= WordCache::longest)
    encodePart(word, scratch, out);
  else
    encodeParts(word, scratch, out);
}

} // namespace tessera::runtime
