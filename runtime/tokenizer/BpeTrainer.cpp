//===- BpeTrainer.cpp - Learning a tokenizer ------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/tokenizer/BpeTrainer.h"
#include "runtime/core/Utf8.h"
#include "runtime/tokenizer/BpeModel.h"
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <queue>

namespace tessera::runtime {

void WordCounts::add(std::string_view text) {
  const char *end = text.data() + text.size();
  for (const char *at = text.data(); at < end;) {
    const char *stop = endOfPiece(split, at, end);
    std::string_view word(at, static_cast<size_t>(stop - at));
    at = stop;
    if (auto found = counts.find(word); found != counts.end())
      ++found->second;
    else
      counts.emplace(word, 1);
  }
}

void WordCounts::add(const WordCounts &other) {
  for (const auto &[word, count] : other.counts)
    counts[word] += count;
}

namespace {

using Pair = uint64_t; ///< of ids, so that pairs compare as their ids do

Pair pairOf(int32_t a, int32_t b) {
  return uint64_t(uint32_t(a)) << 32 | uint32_t(b);
}

/// A pair that may be joined next, and the words that it was seen in.
struct Candidate {
  int64_t count;
  Pair pair;
  std::vector<uint32_t> words;
};

struct IsLater {
  bool operator()(const Candidate *a, const Candidate *b) const {
    return a->count != b->count ? a->count < b->count : a->pair > b->pair;
  }
};

class Trainer {
public:
  Trainer(const BpeTraining &training, const WordCounts &words);
  void run();
  std::string write() const;

private:
  /// Words in which pairs are new, by pair.
  using Places = std::unordered_map<Pair, std::vector<uint32_t>>;

  void addToken(const std::string &token) {
    if (ids.emplace(token, static_cast<int32_t>(tokens.size())).second)
      tokens.push_back(token);
  }
  void countPairs(Places &places);
  void offer(Places &places);
  int32_t join(Pair pair);
  void joinIn(uint32_t word, Pair pair, int32_t id, Places &places);
  void note(Pair pair, int64_t change, uint32_t word, Places &places);

  const BpeTraining &training;
  std::unordered_map<std::string, int32_t> ids;
  std::vector<std::string> tokens;
  std::vector<std::vector<int32_t>> words;
  std::vector<int64_t> counts;
  std::unordered_map<Pair, int64_t> pairCounts;
  std::priority_queue<Candidate *, std::vector<Candidate *>, IsLater> queue;
  std::vector<std::unique_ptr<Candidate>> candidates;
  std::vector<Pair> merges;
};

Trainer::Trainer(const BpeTraining &training, const WordCounts &given)
    : training(training) {
  for (const std::string &token : training.special)
    addToken(token);
  std::vector<char32_t> alphabet;
  for (int byte = 0; byte < 256; ++byte)
    alphabet.push_back(characterOfByte(static_cast<unsigned char>(byte)));
  std::sort(alphabet.begin(), alphabet.end());
  for (char32_t character : alphabet) {
    std::string token;
    appendUtf8(token, character);
    addToken(token);
  }
  int32_t byteIds[256];
  for (int byte = 0; byte < 256; ++byte) {
    std::string token;
    appendUtf8(token, characterOfByte(static_cast<unsigned char>(byte)));
    byteIds[byte] = ids.at(token);
  }
  words.reserve(given.all().size());
  for (const auto &[word, count] : given.all()) {
    words.emplace_back();
    words.back().reserve(word.size());
    for (unsigned char byte : word)
      words.back().push_back(byteIds[byte]);
    counts.push_back(count);
  }
}

void Trainer::note(Pair pair, int64_t change, uint32_t word, Places &places) {
  pairCounts[pair] += change * counts[word];
  if (change <= 0)
    return;
  // Words come in order, so that the last one is the only one to be there.
  std::vector<uint32_t> &list = places[pair];
  if (list.empty() || list.back() != word)
    list.push_back(word);
}

void Trainer::countPairs(Places &places) {
  for (uint32_t word = 0; word < words.size(); ++word)
    for (size_t i = 0; i + 1 < words[word].size(); ++i)
      note(pairOf(words[word][i], words[word][i + 1]), 1, word, places);
}

void Trainer::offer(Places &places) {
  for (auto &[pair, list] : places) {
    int64_t count = pairCounts[pair];
    if (count <= 0)
      continue;
    candidates.push_back(
        std::make_unique<Candidate>(Candidate{count, pair, std::move(list)}));
    queue.push(candidates.back().get());
  }
  places.clear();
}

void Trainer::joinIn(uint32_t word, Pair pair, int32_t id, Places &places) {
  auto first = static_cast<int32_t>(pair >> 32),
       second = static_cast<int32_t>(pair & UINT32_MAX);
  std::vector<int32_t> &symbols = words[word];
  size_t kept = 0;
  for (size_t i = 0; i < symbols.size(); ++i) {
    if (symbols[i] != first || i + 1 == symbols.size() ||
        symbols[i + 1] != second) {
      symbols[kept++] = symbols[i];
      continue;
    }
    if (kept > 0) {
      note(pairOf(symbols[kept - 1], first), -1, word, places);
      note(pairOf(symbols[kept - 1], id), 1, word, places);
    }
    ++i;
    if (i + 1 < symbols.size()) {
      note(pairOf(second, symbols[i + 1]), -1, word, places);
      note(pairOf(id, symbols[i + 1]), 1, word, places);
    }
    symbols[kept++] = id;
  }
  symbols.resize(kept);
}

int32_t Trainer::join(Pair pair) {
  std::string token = tokens[pair >> 32] + tokens[pair & UINT32_MAX];
  addToken(token);
  return ids.at(token);
}

void Trainer::run() {
  Places places;
  countPairs(places);
  offer(places);
  while (ids.size() < training.size && !queue.empty()) {
    Candidate *top = queue.top();
    queue.pop();
    // Its count may have changed since it was offered.
    if (int64_t now = pairCounts[top->pair]; top->count != now) {
      top->count = now;
      queue.push(top);
      continue;
    }
    if (top->count < 1 || top->count < training.least)
      break;
    int32_t id = join(top->pair);
    merges.push_back(top->pair);
    for (uint32_t word : top->words)
      joinIn(word, top->pair, id, places);
    top->words = {};
    offer(places);
  }
}

std::string Trainer::write() const {
  using Json = nlohmann::ordered_json;
  auto quote = [](const std::string &text) { return Json(text).dump(); };
  Json head;
  head["version"] = "1.0";
  head["truncation"] = nullptr;
  head["padding"] = nullptr;
  head["added_tokens"] = Json::array();
  for (const std::string &token : training.special)
    head["added_tokens"].push_back(Json{{"id", ids.at(token)},
                                        {"content", token},
                                        {"single_word", false},
                                        {"lstrip", false},
                                        {"rstrip", false},
                                        {"normalized", false},
                                        {"special", true}});
  head["normalizer"] = nullptr;
  Json split{{"type", "Split"},
             {"pattern", {{"Regex", patternOf(training.split)}}},
             {"behavior", "Isolated"},
             {"invert", false}};
  Json bytes{{"type", "ByteLevel"},
             {"add_prefix_space", false},
             {"trim_offsets", true},
             {"use_regex", false}};
  head["pre_tokenizer"] = {{"type", "Sequence"},
                           {"pretokenizers", Json::array({split, bytes})}};
  head["post_processor"] = nullptr;
  bytes["use_regex"] = true;
  head["decoder"] = bytes;
  // Lists of this length are written by hand: a tree of them takes minutes.
  std::string text = head.dump(2);
  text.resize(text.size() - 2); // "\n}"
  text += ",\n  \"model\": {\n    \"type\": \"BPE\",\n    \"dropout\": null,\n"
          "    \"unk_token\": null,\n    \"continuing_subword_prefix\": null,\n"
          "    \"end_of_word_suffix\": null,\n    \"fuse_unk\": false,\n"
          "    \"byte_fallback\": false,\n    \"ignore_merges\": false,\n"
          "    \"vocab\": {";
  for (size_t i = 0; i < tokens.size(); ++i)
    text += (i ? ",\n      " : "\n      ") + quote(tokens[i]) + ": " +
            std::to_string(i);
  text += "\n    },\n    \"merges\": [";
  // A pair that was joined twice has the later rank.
  std::unordered_map<Pair, size_t> last;
  for (size_t i = 0; i < merges.size(); ++i)
    last[merges[i]] = i;
  bool isFirst = true;
  for (size_t i = 0; i < merges.size(); ++i) {
    if (last.at(merges[i]) != i)
      continue;
    text += (isFirst ? "\n      [" : ",\n      [") +
            quote(tokens[merges[i] >> 32]) + ", " +
            quote(tokens[merges[i] & UINT32_MAX]) + "]";
    isFirst = false;
  }
  return text + "\n    ]\n  }\n}\n";
}

} // namespace

std::string BpeTraining::run(const WordCounts &words) const {
  Trainer trainer(*this, words);
  trainer.run();
  return trainer.write();
}

} // namespace tessera::runtime
