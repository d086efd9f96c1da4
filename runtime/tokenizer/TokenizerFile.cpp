//===- TokenizerFile.cpp - The text of a tokenizer.json -------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/tokenizer/TokenizerFile.h"

namespace tessera::runtime {
namespace {

using Json = JsonCursor::Json;
using Refusal = JsonCursor::Refusal;

/// Of values within one another.
constexpr size_t deepest = 64;
/// Members of an object, which is searched from its beginning for each key.
constexpr size_t mostMembers = 4096;

/// Takes the events of a parser. A place is one of the tree, or one within the
/// two lists.
class Builder : public nlohmann::json_sax<Json> {
public:
  TokenizerFile file;
  std::string error;

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override {
    return within == Part::Vocabulary ? putId(value) : put(value);
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (within == Part::Vocabulary)
      return putId(value <= INT32_MAX ? static_cast<int64_t>(value) : -1);
    return put(value);
  }
  bool number_float(number_float_t value, const string_t &) override {
    return put(value);
  }
  bool string(string_t &value) override {
    if (within == Part::Merges)
      return putMerge(value);
    if (within == Part::Merge) {
      if (parts == 2)
        return refuseMerge();
      std::string &part =
          parts == 0 ? file.merges.back().first : file.merges.back().second;
      part = std::move(value);
      ++parts;
      return true;
    }
    return put(std::move(value));
  }
  bool binary(binary_t &) override { return false; }

  bool start_object(size_t) override {
    if (within == Part::Tree && inModel("vocab")) {
      within = Part::Vocabulary;
      file.hasVocabulary = true;
      return true;
    }
    return open(Json::object());
  }
  bool key(string_t &value) override {
    if (within == Part::Vocabulary) {
      name = std::move(value);
      return true;
    }
    Json &object = *stack.back();
    if (object.contains(value))
      return refuse("it has '" + value + "' twice in one object");
    if (object.size() == mostMembers)
      return refuse("an object has more than " + std::to_string(mostMembers) +
                    " members");
    name = value;
    object[name] = nullptr;
    return true;
  }
  bool end_object() override {
    if (within == Part::Vocabulary) {
      within = Part::Tree;
      return true;
    }
    return close();
  }
  bool start_array(size_t) override {
    if (within == Part::Merges) {
      within = Part::Merge;
      parts = 0;
      file.merges.emplace_back();
      return true;
    }
    if (within == Part::Tree && inModel("merges")) {
      within = Part::Merges;
      file.hasMerges = true;
      return true;
    }
    return open(Json::array());
  }
  bool end_array() override {
    if (within == Part::Merge) {
      if (parts != 2)
        return refuseMerge();
      within = Part::Merges;
      return true;
    }
    if (within == Part::Merges) {
      within = Part::Tree;
      return true;
    }
    return close();
  }
  bool parse_error(size_t position, const std::string &,
                   const nlohmann::detail::exception &) override {
    return refuse("it is not JSON: byte " + std::to_string(position));
  }

private:
  enum class Part { Tree, Vocabulary, Merges, Merge };

  bool refuse(std::string text) {
    if (error.empty())
      error = std::move(text);
    return false;
  }
  bool refuseMerge() {
    return refuse("model.merges[" + std::to_string(file.merges.size() - 1) +
                  "] is no pair of tokens");
  }
  /// Whether the value that begins is the member \p member of the model.
  bool inModel(const char *member) const {
    return stack.size() == 2 && parent == "model" && stack[0]->is_object() &&
           stack[1]->is_object() && name == member;
  }

  Json *place() {
    if (stack.empty())
      return &file.tree;
    Json &top = *stack.back();
    if (top.is_object())
      return &top[name];
    top.push_back(nullptr);
    return &top.back();
  }
  template <typename Value> bool put(Value &&value) {
    if (within == Part::Vocabulary)
      return refuse("model.vocab['" + name + "'] is no id");
    if (within == Part::Merges)
      file.merges.emplace_back();
    if (within != Part::Tree)
      return refuseMerge();
    *place() = std::forward<Value>(value);
    return true;
  }
  bool putId(int64_t id) {
    if (id < 0 || id > INT32_MAX)
      return refuse("model.vocab['" + name + "'] is no id");
    file.vocabulary.emplace_back(name, static_cast<int32_t>(id));
    return true;
  }
  /// The old form of a merge, "a b".
  bool putMerge(const std::string &text) {
    if (text.starts_with("#version"))
      return true;
    file.merges.emplace_back();
    size_t space = text.find(' ');
    if (space == text.npos || text.find(' ', space + 1) != text.npos)
      return refuseMerge();
    file.merges.back() = {text.substr(0, space), text.substr(space + 1)};
    return true;
  }
  bool open(Json value) {
    if (within == Part::Vocabulary)
      return refuse("model.vocab['" + name + "'] is no id");
    if (within != Part::Tree) {
      if (within == Part::Merges)
        file.merges.emplace_back();
      return refuseMerge();
    }
    if (stack.size() == deepest)
      return refuse("it nests values more than " + std::to_string(deepest) +
                    " deep");
    if (stack.size() == 1)
      parent = name;
    Json *where = place();
    *where = std::move(value);
    stack.push_back(where);
    return true;
  }
  bool close() {
    stack.pop_back();
    return true;
  }

  Part within = Part::Tree;
  std::vector<Json *> stack;
  std::string name, parent; ///< the last key, and that of the outer object
  int parts = 0;            ///< of the merge being read
};

} // namespace

TokenizerFile parseTokenizerFile(const std::string &text) {
  Builder builder;
  if (!Json::sax_parse(text, &builder))
    throw Refusal(builder.error.empty() ? "it is not JSON" : builder.error);
  return std::move(builder.file);
}

} // namespace tessera::runtime
