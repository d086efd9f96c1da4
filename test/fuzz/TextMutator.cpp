//===- TextMutator.cpp - Changes of texts by their tokens -----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/TextMutator.h"
#include <algorithm>
#include <cctype>
#include <string_view>
#include <vector>

namespace tessera::fuzz {
namespace {

using Tokens = std::vector<std::string>;

bool isWord(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.';
}

/// Numbers, names (with their sigil: %x, @f, #a, !t), texts in quotes, runs of
/// blanks, and all else a character each. Joined they are the text.
Tokens split(const std::string &text) {
  Tokens tokens;
  for (size_t begin = 0, end; begin < text.size(); begin = end) {
    end = begin + 1;
    char first = text[begin];
    if (first == '"') {
      while (end < text.size() && text[end] != '"' && text[end] != '\n')
        end += text[end] == '\\' ? 2 : 1;
      end = std::min(end + 1, text.size());
    } else if (first == ' ') {
      while (end < text.size() && text[end] == ' ')
        ++end;
    } else if (isWord(first) || std::string_view("%@#!^").find(first) !=
                                    std::string_view::npos) {
      while (end < text.size() && isWord(text[end]))
        ++end;
    }
    tokens.push_back(text.substr(begin, end - begin));
  }
  return tokens;
}

std::string join(const Tokens &tokens) {
  std::string text;
  for (const std::string &token : tokens)
    text += token;
  return text;
}

/// Tokens of a kind can stand for each other: '1' numbers, 'a' words, else the
/// first character.
char kindOf(const std::string &token) {
  if (std::isdigit(static_cast<unsigned char>(token[0])))
    return '1';
  return isWord(token[0]) ? 'a' : token[0];
}

/// A number in place of \p token; what follows its digits, as in 16x16xf32,
/// stays.
std::string otherNumber(const std::string &token, Dice &dice) {
  size_t digits = token.find_first_not_of("0123456789");
  std::string rest = digits == token.npos ? "" : token.substr(digits);
  static const char *const special[] = {"0",   "1",     "2",         "-1",
                                        "1.5", "1e309", "0x7fffffff"};
  if (dice.oneIn(3))
    return dice.pick(special) + rest;
  return std::to_string(dice.oneIn(2) ? static_cast<int64_t>(dice.below(70))
                                      : dice.edgeNumber()) +
         rest;
}

/// A token of the kind of \p token, from one of the texts.
std::string otherOfKind(const std::string &token, const Tokens &source,
                        Dice &dice) {
  if (kindOf(token) == '1' && dice.oneIn(2))
    return otherNumber(token, dice);
  Tokens choices;
  for (const std::string &candidate : source)
    if (kindOf(candidate) == kindOf(token) && candidate != token)
      choices.push_back(candidate);
  return choices.empty() ? "" : dice.pick(choices);
}

struct Span {
  size_t begin = 0, end = 0;
  bool empty() const { return begin == end; }
};

/// From a bracket to its counterpart, or of the line at \p at.
Span spanAt(const Tokens &tokens, size_t at, bool block) {
  static constexpr std::string_view open = "{[(<", close = "}])>";
  if (block) {
    while (at < tokens.size() && open.find(tokens[at][0]) == open.npos)
      ++at;
    size_t depth = 0, end = at;
    for (; end < tokens.size(); ++end) {
      if (open.find(tokens[end][0]) != open.npos)
        ++depth;
      else if (close.find(tokens[end][0]) != close.npos && --depth == 0)
        return {at, end + 1};
    }
    return {at, at};
  }
  Span line = {at, at};
  while (line.begin > 0 && tokens[line.begin - 1] != "\n")
    --line.begin;
  while (line.end < tokens.size() && tokens[line.end] != "\n")
    ++line.end;
  line.end = std::min(line.end + 1, tokens.size());
  return line;
}

Tokens copyOf(const Tokens &tokens, Span span) {
  return {tokens.begin() + static_cast<std::ptrdiff_t>(span.begin),
          tokens.begin() + static_cast<std::ptrdiff_t>(span.end)};
}

void replace(Tokens &tokens, Span span, const Tokens &by) {
  auto at =
      tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(span.begin),
                   tokens.begin() + static_cast<std::ptrdiff_t>(span.end));
  tokens.insert(at, by.begin(), by.end());
}

void mutateSpan(Tokens &tokens, const Tokens &source, Dice &dice) {
  bool block = dice.oneIn(2);
  Span span = spanAt(tokens, dice.below(tokens.size()), block);
  if (span.empty())
    return;
  switch (dice.below(5)) {
  case 0:
    replace(tokens, span, {});
    return;
  case 1:
    replace(tokens, {span.end, span.end}, copyOf(tokens, span));
    return;
  case 2:
  case 3: {
    // Beside it, or in its place.
    Tokens copy =
        copyOf(source, spanAt(source, dice.below(source.size()), block));
    replace(tokens, dice.oneIn(2) ? span : Span{span.end, span.end}, copy);
    return;
  }
  default: {
    // What opens it is there many times, closed or not.
    Span outer = spanAt(tokens, span.begin, false);
    Tokens head = copyOf(tokens, {outer.begin, span.begin + 1});
    for (size_t times = dice.oneIn(8) ? dice.below(600) : dice.below(4);
         times > 0; --times)
      replace(tokens, {outer.begin, outer.begin}, head);
  }
  }
}

void mutateOnce(Tokens &tokens, const Tokens &source, Dice &dice) {
  if (dice.oneIn(3))
    return mutateSpan(tokens, source, dice);
  // Blanks are no place to change.
  size_t at = dice.below(tokens.size());
  while (at + 1 < tokens.size() && (tokens[at][0] == ' ' || dice.oneIn(4)))
    ++at;
  std::string old = tokens[at], other = otherOfKind(old, source, dice);
  switch (dice.below(4)) {
  case 0:
    std::replace(tokens.begin(), tokens.end(), old, other);
    std::erase(tokens, "");
    return;
  case 1:
    tokens[at] = mutateBytes(old, old.size() + 4);
    break;
  default:
    tokens[at] = other;
  }
  if (tokens[at].empty())
    tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(at));
}

} // namespace

std::string mutateText(const std::string &text, const std::string &other,
                       Dice &dice) {
  Tokens tokens = split(text);
  const Tokens source = split(other.empty() ? text : other);
  for (size_t times = 1 + dice.below(3); times > 0; --times)
    if (!tokens.empty() && !source.empty())
      mutateOnce(tokens, source, dice);
  return join(tokens);
}

} // namespace tessera::fuzz
