//===- TokenizerReader.cpp - From tokenizer.json to a tokenizer -----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Utf8.h"
#include "runtime/files/InputFile.h"
#include "runtime/tokenizer/Tokenizer.h"
#include "runtime/tokenizer/TokenizerFile.h"

namespace tessera::runtime {

/// Makes the parts of a tokenizer. Each read throws JsonCursor::Refusal where
/// something is there that would be ignored otherwise.
class TokenizerReader {
public:
  explicit TokenizerReader(TokenizerFile &file) : file(file), top(file.tree) {}
  std::unique_ptr<Tokenizer> read();

private:
  using Refusal = JsonCursor::Refusal;
  static constexpr size_t longestText = 1 << 20, mostSteps = 64,
                          mostTokens = 1 << 20;
  static constexpr int32_t largestId = (1 << 22) - 1;

  void readNormalizer(const JsonCursor &at);
  void readPreTokenizer(const JsonCursor &at);
  void readByteLevel(const JsonCursor &at);
  void readSplit(const JsonCursor &at);
  void readMetaspace(const JsonCursor &at);
  void readModel(const JsonCursor &at);
  void readAddedTokens(const JsonCursor &at);
  void readPostProcessor(const JsonCursor &at);
  void readTemplate(const JsonCursor &at);
  void readDecoder(const JsonCursor &at);

  /// Calls \p read for each step of a Sequence under \p key, or for \p at.
  template <typename Read>
  void eachStep(const JsonCursor &at, const char *key, int depth, Read read);
  /// The pattern of a Split or a Replace.
  void readPattern(const JsonCursor &at, std::string &text,
                   std::shared_ptr<const Regex> &regex);
  Replacement readReplacement(const JsonCursor &at);
  PrependScheme readScheme(const JsonCursor &at);
  static std::string character(const JsonCursor &at);
  static bool flag(const JsonCursor &at, const char *key, bool otherwise) {
    return isThere(at, key) ? at.at(key).boolean() : otherwise;
  }
  static bool isThere(const JsonCursor &at, const char *key) {
    return at.has(key) && !at.at(key).isNull();
  }

  TokenizerFile &file;
  JsonCursor top;
  std::unique_ptr<Tokenizer> made{new Tokenizer};
  bool isByteLevel = false, isFused = false;
  size_t steps = 0; ///< of all sequences
};

template <typename Read>
void TokenizerReader::eachStep(const JsonCursor &at, const char *key, int depth,
                               Read read) {
  if (at.at("type").text(64) != "Sequence") {
    if (++steps > 4 * mostSteps)
      at.refuse("at most " + std::to_string(4 * mostSteps) + " steps");
    read(at);
    return;
  }
  if (depth == 8)
    at.refuse("Sequences at most 8 deep");
  JsonCursor list = at.at(key);
  for (size_t i = 0, n = list.length(0, mostSteps); i < n; ++i)
    eachStep(list.element(i), key, depth + 1, read);
}

std::string TokenizerReader::character(const JsonCursor &at) {
  std::string text = at.text(4);
  if (text.size() != utf8Length(static_cast<unsigned char>(text[0])))
    at.refuse("one character");
  return text;
}

void TokenizerReader::readPattern(const JsonCursor &at, std::string &text,
                                  std::shared_ptr<const Regex> &regex) {
  if (at.has("String")) {
    text = at.at("String").text(longestText);
    return;
  }
  JsonCursor place = at.at("Regex");
  text = place.text(longestText);
  std::string error;
  regex = Regex::compile(text, error);
  if (!regex)
    place.refuse("a regular expression (" + error + ")");
}

Replacement TokenizerReader::readReplacement(const JsonCursor &at) {
  Replacement replacement;
  readPattern(at.at("pattern"), replacement.pattern, replacement.regex);
  replacement.content = at.at("content").anyText(longestText);
  return replacement;
}

void TokenizerReader::readNormalizer(const JsonCursor &at) {
  using Kind = Normalizer::Kind;
  std::string type = at.at("type").text(64);
  Normalizer::Step step{Kind::Nfc, {}};
  if (type == "NFC" || type == "NFD" || type == "NFKC" || type == "NFKD") {
    step.kind = type == "NFC"    ? Kind::Nfc
                : type == "NFD"  ? Kind::Nfd
                : type == "NFKC" ? Kind::Nfkc
                                 : Kind::Nfkd;
  } else if (type == "Prepend") {
    step.kind = Kind::Prepend;
    step.replacement.content = at.at("prepend").anyText(longestText);
  } else if (type == "Replace") {
    step.kind = Kind::Replace;
    step.replacement = readReplacement(at);
  } else {
    at.at("type").refuse("NFC, NFD, NFKC, NFKD, Prepend, Replace or Sequence");
  }
  made->normalizer.add(std::move(step));
}

void TokenizerReader::readByteLevel(const JsonCursor &at) {
  PreTokenizerStep step{PreTokenizerStep::Kind::ByteLevel};
  step.addPrefixSpace = flag(at, "add_prefix_space", true);
  if (step.addPrefixSpace)
    made->preTokenizer.add(step);
  if (flag(at, "use_regex", true)) {
    PreTokenizerStep split{PreTokenizerStep::Kind::Known};
    split.known = KnownSplit::Gpt2;
    made->preTokenizer.add(split);
  }
  isByteLevel = true;
}

void TokenizerReader::readSplit(const JsonCursor &at) {
  PreTokenizerStep step{PreTokenizerStep::Kind::Split};
  struct {
    const char *name;
    SplitBehavior behavior;
  } const behaviors[] = {
      {"Removed", SplitBehavior::Removed},
      {"Isolated", SplitBehavior::Isolated},
      {"MergedWithPrevious", SplitBehavior::MergedWithPrevious},
      {"MergedWithNext", SplitBehavior::MergedWithNext},
      {"Contiguous", SplitBehavior::Contiguous}};
  std::string name = at.at("behavior").text(64);
  bool isKnown = false;
  for (const auto &known : behaviors)
    if (name == known.name) {
      step.behavior = known.behavior;
      isKnown = true;
    }
  if (!isKnown)
    at.at("behavior")
        .refuse("Removed, Isolated, MergedWithPrevious, MergedWithNext or "
                "Contiguous");
  step.invert = flag(at, "invert", false);
  readPattern(at.at("pattern"), step.text, step.regex);
  KnownSplit split = step.regex ? knownSplit(step.text) : KnownSplit::None;
  if (split != KnownSplit::None && (step.behavior == SplitBehavior::Isolated ||
                                    (step.behavior == SplitBehavior::Removed &&
                                     step.invert && coversText(split)))) {
    step.kind = PreTokenizerStep::Kind::Known;
    step.known = split;
  }
  made->preTokenizer.add(std::move(step));
}

PrependScheme TokenizerReader::readScheme(const JsonCursor &at) {
  if (!isThere(at, "prepend_scheme"))
    return flag(at, "add_prefix_space", true) ? PrependScheme::Always
                                              : PrependScheme::Never;
  std::string scheme = at.at("prepend_scheme").text(64);
  if (scheme == "always")
    return PrependScheme::Always;
  if (scheme == "never")
    return PrependScheme::Never;
  if (scheme != "first")
    at.at("prepend_scheme").refuse("always, never or first");
  return PrependScheme::First;
}

void TokenizerReader::readMetaspace(const JsonCursor &at) {
  PreTokenizerStep step{PreTokenizerStep::Kind::Metaspace};
  step.text = character(at.at("replacement"));
  step.scheme = readScheme(at);
  step.isSplit = flag(at, "split", true);
  made->preTokenizer.add(std::move(step));
}

void TokenizerReader::readPreTokenizer(const JsonCursor &at) {
  std::string type = at.at("type").text(64);
  if (isByteLevel)
    at.refuse("nothing behind ByteLevel");
  if (type == "ByteLevel") {
    readByteLevel(at);
  } else if (type == "Split") {
    readSplit(at);
  } else if (type == "Metaspace") {
    readMetaspace(at);
  } else if (type == "Digits") {
    PreTokenizerStep step{PreTokenizerStep::Kind::Digits};
    step.isSplit = flag(at, "individual_digits", false);
    made->preTokenizer.add(step);
  } else {
    at.at("type").refuse("Split, ByteLevel, Metaspace, Digits or Sequence");
  }
}

void TokenizerReader::readModel(const JsonCursor &at) {
  // Old files leave the type out.
  if (isThere(at, "type") && at.at("type").text(64) != "BPE")
    at.at("type").refuse("BPE");
  if (!file.hasVocabulary)
    throw Refusal("model.vocab is missing");
  if (!file.hasMerges)
    throw Refusal("model.merges is missing");
  for (const char *key : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (isThere(at, key) && !at.at(key).anyText(longestText).empty())
      at.at(key).refuse("null");
  if (isThere(at, "dropout") && at.at("dropout").number(0, 1) != 0)
    at.at("dropout").refuse("null, as ids would be drawn at random,");
  BpeParts parts;
  parts.vocabulary = std::move(file.vocabulary);
  parts.merges = std::move(file.merges);
  if (isThere(at, "unk_token"))
    parts.unknown = at.at("unk_token").text(longestText);
  parts.fuseUnknown = flag(at, "fuse_unk", false);
  parts.byteFallback = flag(at, "byte_fallback", false);
  parts.ignoreMerges = flag(at, "ignore_merges", false);
  parts.byteLevel = isByteLevel;
  std::string error;
  made->model = BpeModel::make(parts, error);
  if (!made->model)
    throw Refusal(error);
  made->vocabulary = made->model->size();
}

void TokenizerReader::readAddedTokens(const JsonCursor &at) {
  std::vector<AddedToken> tokens;
  for (size_t i = 0, n = at.length(0, mostTokens); i < n; ++i) {
    JsonCursor place = at.element(i);
    AddedToken token;
    JsonCursor content = place.at("content");
    token.content = content.text(longestText);
    token.id = static_cast<int32_t>(place.at("id").integer(0, largestId));
    token.special = flag(place, "special", false);
    token.leftStrip = flag(place, "lstrip", false);
    token.rightStrip = flag(place, "rstrip", false);
    token.singleWord = flag(place, "single_word", false);
    token.normalized = flag(place, "normalized", !token.special);
    int32_t known = made->model->idOf(token.content);
    const std::string *other = made->model->tokenOf(token.id);
    if (known >= 0 && known != token.id)
      place.at("id").refuse("the id of '" + token.content +
                            "' in model.vocab, " + std::to_string(known) + ",");
    if (known < 0 && other)
      place.at("id").refuse("an id that model.vocab does not give to '" +
                            *other + "'");
    if (!made->added.emplace(token.id, token.content).second)
      place.at("id").refuse("an id that no token before it has");
    if (!made->addedIds.emplace(token.content, token.id).second)
      content.refuse("a token that is not there twice");
    made->vocabulary = std::max(made->vocabulary, token.id + 1);
    if (token.special)
      made->special.insert(token.content);
    tokens.push_back(std::move(token));
  }
  // Of two that look alike behind the normalizer a special one counts.
  std::string content, other, error;
  for (bool special : {true, false})
    for (const AddedToken &token : tokens) {
      if (token.special != special)
        continue;
      content = token.content;
      if (token.normalized && !made->normalizer.apply(content, other, error))
        throw Refusal("the token '" + token.content +
                      "' cannot be normalized: " + error);
      (token.normalized ? made->normalizedTokens : made->rawTokens)
          .add(token, content);
    }
}

void TokenizerReader::readTemplate(const JsonCursor &at) {
  JsonCursor list = at.at("single");
  bool isBehind = false;
  for (size_t i = 0, n = list.length(1, mostSteps); i < n; ++i) {
    JsonCursor place = list.element(i);
    if (place.has("Sequence")) {
      if (isBehind || place.at("Sequence").at("id").text(1) != "A")
        place.refuse("the text A, once");
      isBehind = true;
      continue;
    }
    std::string name = place.at("SpecialToken").at("id").text(longestText);
    JsonCursor ids = at.at("special_tokens").at(name.c_str()).at("ids");
    for (size_t j = 0, count = ids.length(1, mostSteps); j < count; ++j) {
      JsonCursor id = ids.element(j);
      auto value = static_cast<int32_t>(id.integer(0, largestId));
      if (!made->tokenOf(value))
        id.refuse("the id of a token");
      (isBehind ? made->behind : made->before).push_back(value);
    }
  }
  if (!isBehind)
    list.refuse("a template with the text A");
}

void TokenizerReader::readPostProcessor(const JsonCursor &at) {
  std::string type = at.at("type").text(64);
  if (type == "TemplateProcessing") {
    if (!made->before.empty() || !made->behind.empty())
      at.refuse("one template");
    readTemplate(at);
  } else if (type != "ByteLevel") {
    at.at("type").refuse("TemplateProcessing, ByteLevel or Sequence");
  }
}

void TokenizerReader::readDecoder(const JsonCursor &at) {
  using Kind = Decoder::Step::Kind;
  std::string type = at.at("type").text(64);
  Decoder::Step step{Kind::Fuse, {}, {}};
  // Steps behind one that makes all tokens one get its text in parts.
  bool wasFused = isFused;
  if (type == "ByteLevel") {
    step.kind = Kind::ByteLevel;
    isFused = true;
  } else if (type == "Fuse") {
    isFused = true;
  } else if (type == "ByteFallback") {
    step.kind = Kind::ByteFallback;
  } else if (type == "Replace") {
    step.kind = Kind::Replace;
    step.replacement = readReplacement(at);
    const std::string &pattern = step.replacement.pattern;
    if (wasFused &&
        (step.replacement.regex ||
         pattern.size() != utf8Length(static_cast<unsigned char>(pattern[0]))))
      at.refuse("a pattern of one character behind Fuse or ByteLevel");
  } else if (type == "Strip") {
    step.kind = Kind::Strip;
    step.text = character(at.at("content"));
    step.fromStart = at.at("start").integer(0, INT32_MAX);
    step.fromEnd = at.at("stop").integer(0, INT32_MAX);
  } else if (type == "Metaspace") {
    step.kind = Kind::Metaspace;
    step.text = character(at.at("replacement"));
    step.scheme = readScheme(at);
  } else {
    at.at("type").refuse("ByteLevel, Replace, ByteFallback, Fuse, Strip, "
                         "Metaspace or Sequence");
  }
  if (wasFused && (type == "ByteLevel" || type == "ByteFallback"))
    at.refuse("no such step behind Fuse or ByteLevel");
  made->decoder.add(std::move(step));
}

std::unique_ptr<Tokenizer> TokenizerReader::read() {
  if (isThere(top, "version") && top.at("version").text(64) != "1.0")
    top.at("version").refuse("1.0");
  if (isThere(top, "normalizer"))
    eachStep(top.at("normalizer"), "normalizers", 0,
             [&](const JsonCursor &at) { readNormalizer(at); });
  if (isThere(top, "pre_tokenizer"))
    eachStep(top.at("pre_tokenizer"), "pretokenizers", 0,
             [&](const JsonCursor &at) { readPreTokenizer(at); });
  readModel(top.at("model"));
  if (isThere(top, "added_tokens"))
    readAddedTokens(top.at("added_tokens"));
  if (isThere(top, "post_processor"))
    eachStep(top.at("post_processor"), "processors", 0,
             [&](const JsonCursor &at) { readPostProcessor(at); });
  if (isThere(top, "decoder"))
    eachStep(top.at("decoder"), "decoders", 0,
             [&](const JsonCursor &at) { readDecoder(at); });
  else
    made->decoder.add({Decoder::Step::Kind::Join, {}, {}});
  return std::move(made);
}

std::unique_ptr<Tokenizer> Tokenizer::parse(const std::string &text,
                                            std::string &error) {
  try {
    TokenizerFile file = parseTokenizerFile(text);
    return TokenizerReader(file).read();
  } catch (const JsonCursor::Refusal &refusal) {
    error = refusal.what();
    return nullptr;
  }
}

std::unique_ptr<Tokenizer> Tokenizer::open(const std::string &path,
                                           std::string &error) {
  static constexpr int64_t mostBytes = int64_t(1) << 30;
  struct stat status;
  std::string name = path;
  if (stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode))
    name += "/tokenizer.json";
  auto input = InputFile::open(name, "the tokenizer ", error);
  if (!input)
    return nullptr;
  if (input->size() > mostBytes) {
    error = "the tokenizer '" + name + "' has more than 1 GiB";
    return nullptr;
  }
  std::string text;
  if (!input->readAll(text, error))
    return nullptr;
  auto tokenizer = parse(text, error);
  if (!tokenizer)
    error = "the tokenizer '" + name + "': " + error;
  return tokenizer;
}

} // namespace tessera::runtime
