//===- TokenFile.cpp - Files of tokens ------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/TokenFile.h"
#include "runtime/core/Error.h"
#include <algorithm>
#include <bit>
#include <cinttypes>
#include <cstring>
#include <limits>
#include <string_view>
#include <type_traits>
#include <vector>

namespace tessera::runtime {
namespace {

static_assert(std::endian::native == std::endian::little,
              "tokens are little-endian");

struct TypeInfo {
  const char *name;
  int64_t bytes, most; ///< the largest value
  bool isSigned;
  int code; ///< in MMIDIDX; 0: it has none
};

/// By TokenType.
constexpr TypeInfo typeTable[] = {
    {"u8", 1, UINT8_MAX, false, 1},   {"i8", 1, INT8_MAX, true, 2},
    {"u16", 2, UINT16_MAX, false, 8}, {"i16", 2, INT16_MAX, true, 3},
    {"u32", 4, UINT32_MAX, false, 0}, {"i32", 4, INT32_MAX, true, 4},
    {"i64", 8, INT64_MAX, true, 5}};

const TypeInfo &infoOf(TokenType type) {
  return typeTable[static_cast<int>(type)];
}

/// Tokens are checked and widened in pieces of this size, which stay in the
/// first cache.
constexpr int64_t pieceTokens = 2048;

/// The magic numbers of llm.c's files of tokens.
constexpr int32_t llmcShort = 20240520, llmcLong = 20240801;

/// llm.c's files begin with 256 numbers of 32 bits: magic, version, count.
constexpr int64_t llmcHeader = 1024;

/// Bytes of an MMIDIDX index before its lengths of sequences.
constexpr int64_t headBytes = 34;

bool isFile(const std::string &path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

bool exists(const std::string &path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0;
}

/// The prefix of an MMIDIDX pair that \p path names, empty where it names
/// none.
std::string pairPrefix(const std::string &path) {
  for (const char *suffix : {".idx", ".bin"})
    if (path.ends_with(suffix)) {
      std::string prefix = path.substr(0, path.size() - strlen(suffix));
      if (isFile(prefix + ".idx") && isFile(prefix + ".bin"))
        return prefix;
    }
  if (!isFile(path) && isFile(path + ".idx") && isFile(path + ".bin"))
    return path;
  return "";
}

template <typename Number> Number numberAt(const char *address) {
  Number number;
  memcpy(&number, address, sizeof number);
  return number;
}

std::unique_ptr<InputFile> openData(const std::string &path) {
  std::string error;
  std::unique_ptr<InputFile> file = InputFile::open(path, "the data ", error);
  if (!file)
    fatal("%s", error.c_str());
  return file;
}

void readOrEnd(const InputFile &file, int64_t offset, void *destination,
               int64_t bytes) {
  std::string error;
  if (!file.read(offset, destination, bytes, error))
    fatal("%s", error.c_str());
}

bool beginsWith(std::string_view head, std::string_view magic) {
  return head.starts_with(magic);
}

/// True if one of \p tokens is negative or at least \p vocabulary.
template <typename Token>
bool anyStrange(const Token *tokens, int64_t n, int64_t vocabulary) {
  // A negative one is a large one: beyond all that the type has, which a
  // vocabulary may exceed.
  using Bits = std::make_unsigned_t<Token>;
  Bits largest = 0;
  for (int64_t i = 0; i < n; ++i)
    largest = std::max(largest, static_cast<Bits>(tokens[i]));
  return largest >
         std::min<uint64_t>(vocabulary - 1, std::numeric_limits<Token>::max());
}

template <typename Token>
StrangeToken firstStrange(const Token *tokens, int64_t n, int64_t vocabulary,
                          int64_t begin) {
  for (int64_t i = 0; i < n; ++i)
    if (auto value = static_cast<int64_t>(tokens[i]);
        value < 0 || value >= vocabulary)
      return {begin + i, value};
  return {};
}

} // namespace

const char *nameOf(TokenType type) { return infoOf(type).name; }
int64_t bytesOf(TokenType type) { return infoOf(type).bytes; }

std::optional<TokenType> tokenTypeNamed(const std::string &name) {
  for (TokenType type : {TokenType::U8, TokenType::U16, TokenType::I32})
    if (name == nameOf(type))
      return type;
  return {};
}

bool isTokenFile(const std::string &path) {
  if (path.ends_with(".bin") || path.ends_with(".idx") ||
      !pairPrefix(path).empty() || isFile(path + ".bin"))
    return true;
  std::string error;
  std::unique_ptr<InputFile> file = InputFile::open(path, "the data ", error);
  int32_t magic;
  return file && file->size() >= llmcHeader &&
         file->read(0, &magic, sizeof magic, error) &&
         (magic == llmcShort || magic == llmcLong);
}

const char *knownFormat(const char *head, int64_t bytes, int64_t size) {
  using namespace std::string_view_literals;
  struct {
    std::string_view magic;
    const char *name;
  } const table[] = {
      {"\x28\xb5\x2f\xfd"sv, "zstd"},
      {"\xfd"
       "7zXZ\0"sv,
       "xz"},
      {"\x04\x22\x4d\x18"sv, "lz4"},
      {"PK\3\4"sv, "a zip archive (as .npz and PyTorch's files are)"},
      {"\x93NUMPY"sv, "a NumPy array"},
      {"PAR1"sv, "Parquet"},
      {"ARROW1\0\0"sv, "Arrow"},
      {"\x89HDF\r\n\x1a\n"sv, "HDF5"},
      {"%PDF-"sv, "PDF"},
      {"SQLite format 3\0"sv, "a SQLite database"},
      {"MMIDIDX\0\0"sv, "an MMIDIDX index"},
  };
  std::string_view text(head, bytes);
  for (const auto &[magic, name] : table)
    if (beginsWith(text, magic))
      return name;
  // Two bytes may be a token of u16; the method and the reserved flags decide.
  if (bytes >= 4 && beginsWith(text, "\x1f\x8b\x08") && !(head[3] & 0xe0))
    return "gzip";
  if (bytes >= 10 && beginsWith(text, "BZh") &&
      beginsWith(text.substr(4), "1AY&SY"))
    return "bzip2";
  if (bytes >= 262 && text.substr(257, 5) == "ustar")
    return "a tar archive";
  // A stream of Arrow: a mark, the length of a message, and its root's offset.
  if (bytes >= 12 && numberAt<uint32_t>(head) == UINT32_MAX &&
      numberAt<uint32_t>(head + 8) == 16)
    return "Arrow";
  if (bytes >= 10) {
    auto header = numberAt<uint64_t>(head);
    if (header >= 2 && header <= static_cast<uint64_t>(size) - 8 &&
        head[8] == '{' && (head[9] == '"' || head[9] == '}'))
      return "safetensors";
  }
  return nullptr;
}

TokenFile::TokenFile(const std::string &path, int64_t vocabulary,
                     std::optional<TokenType> type)
    : filePath(path), vocabulary(vocabulary) {
  if (std::string prefix = pairPrefix(path); !prefix.empty()) {
    openIndex(prefix);
    requireType("MMIDIDX", type);
    return;
  }
  if (path.ends_with(".idx"))
    fatal("the data '%s' lacks the '.bin' file beside it", path.c_str());
  if (!exists(path) && isFile(path + ".bin"))
    fatal("the data '%s.bin' lacks the '.idx' file of an MMIDIDX pair beside "
          "it: give the whole pair, or the file's own name and --data-type "
          "u8, u16 or i32",
          path.c_str());
  file = openData(path);
  if (openLlmC())
    requireType("llm.c", type);
  else
    openPlain(type);
}

TokenFile::TokenFile(std::unique_ptr<InputFile> content, TokenType type,
                     int64_t vocabulary)
    : filePath(content->path()), vocabulary(vocabulary),
      tokens(content->size() / bytesOf(type)), tokenType(type), format("text"),
      file(std::move(content)) {}

void TokenFile::requireType(const char *name,
                            std::optional<TokenType> given) const {
  if (given && *given != tokenType)
    fatal("the data '%s' says itself that its tokens are %s (%s), not %s: "
          "leave --data-type out",
          filePath.c_str(), nameOf(tokenType), name, nameOf(*given));
}

void TokenFile::openPlain(std::optional<TokenType> type) {
  char head[512];
  const char *path = filePath.c_str();
  int64_t bytes = std::min<int64_t>(sizeof head, file->size());
  readOrEnd(*file, 0, head, bytes);
  if (const char *name = knownFormat(head, bytes, file->size()))
    fatal("the data '%s' is %s, not text or tokens: unpack or convert it, to "
          "plain text or to the ids of tokens as u16 or i32",
          path, name);
  if (!type && filePath.ends_with(".bin"))
    fatal("the data '%s' does not say what it holds, and no '.idx' file of an "
          "MMIDIDX pair is beside it: --data-type u8, u16 or i32 says it (u8: "
          "a token is a byte; u16: as nanoGPT writes them)",
          path);
  if (!type && vocabulary != 256)
    fatal("the data '%s' does not say what it holds, and the model's "
          "vocabulary of %" PRId64 " is not that of bytes, 256: --data-type "
          "u8, u16 or i32 says it; or give an MMIDIDX pair or a .bin of llm.c",
          path, vocabulary);
  if (!type && bytes >= 2 &&
      (!memcmp(head, "\xff\xfe", 2) || !memcmp(head, "\xfe\xff", 2)))
    fatal("the data '%s' is text in UTF-16, which would be read as bytes: "
          "convert it ('iconv -f UTF-16 -t UTF-8'), or say --data-type u8",
          path);
  if (!type && bytes >= 3 && !memcmp(head, "\xef\xbb\xbf", 3))
    warning("the data '%s' begins with a byte order mark, which counts as "
            "three tokens",
            path);
  byDefault = !type;
  tokenType = type.value_or(TokenType::U8);
  if (file->size() % bytesOf(tokenType) != 0)
    fatal("the data '%s' has %" PRId64 " bytes, which is no multiple of the "
          "%" PRId64 " of a token of %s: is it cut short, or of another type?",
          path, file->size(), bytesOf(tokenType), nameOf(tokenType));
  tokens = file->size() / bytesOf(tokenType);
}

bool TokenFile::openLlmC() {
  struct {
    int32_t magic, version, count;
  } head;
  if (file->size() < llmcHeader)
    return false;
  readOrEnd(*file, 0, &head, sizeof head);
  struct {
    int32_t magic, version;
    TokenType type;
  } const known[] = {{llmcShort, 1, TokenType::U16},
                     {llmcLong, 7, TokenType::U32}};
  const char *path = filePath.c_str();
  // Its checkpoints, states, tokenizers and tests of multiple choice.
  if (head.magic == 20240522 ||
      (head.magic >= 20240326 && head.magic <= 20240328))
    fatal("the data '%s' is a file of llm.c (%d) that holds no stream of "
          "tokens: give one that its dev/data scripts write",
          path, head.magic);
  for (const auto &[magic, version, type] : known) {
    if (head.magic != magic)
      continue;
    if (head.version != version)
      fatal("the data '%s' has version %d of llm.c's format %d: version %d is "
            "known",
            path, head.version, magic, version);
    tokenType = type;
    format = "llm.c";
    start = llmcHeader;
    tokens = head.count;
    int64_t expected = start + tokens * bytesOf(type);
    if (head.count < 0 || file->size() != expected)
      fatal("the data '%s' has %" PRId64 " bytes; the %" PRId64
            " tokens that its header names take %" PRId64 ": is it cut short?",
            path, file->size(), tokens, expected);
    return true;
  }
  return false;
}

void TokenFile::openIndex(const std::string &prefix) {
  static constexpr int64_t pieceSequences = 1 << 16;
  indexPath = prefix + ".idx";
  const char *path = indexPath.c_str();
  std::unique_ptr<InputFile> index = openData(indexPath);
  char head[headBytes];
  if (index->size() >= headBytes)
    readOrEnd(*index, 0, head, headBytes);
  if (index->size() < headBytes || memcmp(head, "MMIDIDX\0\0", 9) != 0)
    fatal("'%s' is not an MMIDIDX index", path);
  auto version = numberAt<uint64_t>(head + 9);
  if (version != 1)
    fatal("'%s' has version %" PRIu64 " of MMIDIDX: version 1 is known", path,
          version);
  int code = numberAt<uint8_t>(head + 17);
  const auto *info = std::find_if(
      std::begin(typeTable), std::end(typeTable),
      [&](const TypeInfo &info) { return code && info.code == code; });
  if (info == std::end(typeTable))
    fatal("'%s' holds elements of type %d%s, which are not token ids", path,
          code, code == 6 || code == 7 ? " (floating-point numbers)" : "");
  tokenType = static_cast<TokenType>(info - typeTable);
  int64_t size = info->bytes;
  sequences = numberAt<int64_t>(head + 18);
  auto documents = numberAt<int64_t>(head + 26);
  int64_t limit = index->size() / 4;
  if (sequences < 0 || documents < 0 || sequences > limit ||
      documents > limit ||
      index->size() < headBytes + 12 * sequences + 8 * documents)
    fatal("'%s' is cut short: it names %" PRId64 " sequences and %" PRId64
          " document bounds",
          path, sequences, documents);
  file = openData(prefix + ".bin");
  int64_t piece = std::min(pieceSequences, sequences);
  std::vector<int32_t> lengths(piece);
  std::vector<int64_t> offsets(piece);
  int64_t expected = 0;
  for (int64_t first = 0; first < sequences; first += piece) {
    int64_t n = std::min(piece, sequences - first);
    readOrEnd(*index, headBytes + 4 * first, lengths.data(), 4 * n);
    readOrEnd(*index, headBytes + 4 * sequences + 8 * first, offsets.data(),
              8 * n);
    for (int64_t i = 0; i < n; ++i) {
      if (lengths[i] < 0 || offsets[i] != expected)
        fatal("sequence %" PRId64 " of '%s' does not follow the one before "
              "it: write the pair anew, in order",
              first + i, path);
      expected += lengths[i] * size;
    }
  }
  if (expected > file->size())
    fatal("'%s.bin' has %" PRId64 " bytes, its index names %" PRId64
          ": it is cut short",
          prefix.c_str(), file->size(), expected);
  if (expected < file->size())
    warning("'%s.bin' has %" PRId64 " bytes, its index names %" PRId64
            ": the rest is not read",
            prefix.c_str(), file->size(), expected);
  format = "MMIDIDX";
  tokens = expected / size;
}

bool TokenFile::readSequences(std::vector<int32_t> &lengths,
                              std::string &error) const {
  lengths.clear();
  if (indexPath.empty()) {
    // Pieces of what a length can say.
    for (int64_t left = tokens; left > 0; left -= lengths.back())
      lengths.push_back(
          static_cast<int32_t>(std::min<int64_t>(left, INT32_MAX)));
    return true;
  }
  std::unique_ptr<InputFile> index =
      InputFile::open(indexPath, "the data ", error);
  if (!index)
    return false;
  lengths.resize(sequences);
  return index->read(headBytes, lengths.data(), 4 * sequences, error);
}

std::string TokenFile::form() const {
  if (*format)
    return std::string(format) + " " + nameOf(tokenType);
  return tokenType == TokenType::U8
             ? "bytes"
             : nameOf(tokenType) + std::string(" tokens");
}

DataFingerprint TokenFile::fingerprint() const {
  // The same bytes read as other tokens are other data.
  return fingerprintOf(*file, {tokens, bytesOf(tokenType)});
}

bool TokenFile::canHoldStrange() const {
  const TypeInfo &info = infoOf(tokenType);
  return info.isSigned || info.most >= vocabulary;
}

std::string TokenFile::describe(const StrangeToken &token) const {
  std::string text =
      "token " + std::to_string(token.position) + " of the data '" + filePath +
      "' (read as " + form() + ") is " + std::to_string(token.value) +
      ", outside the model's vocabulary of " + std::to_string(vocabulary);
  return text + (*format ? ": was it made with another tokenizer?"
                         : ": was it made with another tokenizer, or is it of "
                           "another --data-type?");
}

template <typename Token>
bool TokenFile::copy(int64_t begin, int64_t n, int32_t *destination,
                     std::string &error) const {
  Token piece[pieceTokens];
  for (int64_t at = 0; at < n; at += pieceTokens) {
    int64_t count = std::min(pieceTokens, n - at), first = begin + at;
    bool isRead = file->read(start + first * int64_t(sizeof(Token)), piece,
                             count * int64_t(sizeof(Token)), error);
    if (!isRead || anyStrange(piece, count, vocabulary)) {
      if (isRead)
        error = describe(firstStrange(piece, count, vocabulary, first));
      std::fill_n(destination, n, 0);
      return false;
    }
    for (int64_t i = 0; i < count; ++i)
      destination[at + i] = static_cast<int32_t>(piece[i]);
  }
  return true;
}

template <typename Token>
bool TokenFile::find(int64_t begin, int64_t n, StrangeToken &found,
                     std::string &error) const {
  static constexpr int64_t bytes = 256 << 10;
  static constexpr int64_t most = bytes / int64_t(sizeof(Token));
  std::vector<Token> piece(std::min(most, n));
  for (int64_t at = 0; at < n; at += most) {
    int64_t count = std::min(most, n - at), first = begin + at;
    if (!file->read(start + first * int64_t(sizeof(Token)), piece.data(),
                    count * int64_t(sizeof(Token)), error))
      return false;
    if (anyStrange(piece.data(), count, vocabulary)) {
      found = firstStrange(piece.data(), count, vocabulary, first);
      return true;
    }
  }
  return true;
}

/// Calls \p body with a value of the C++ type of \p type.
template <typename Body> static bool withType(TokenType type, Body body) {
  switch (type) {
  case TokenType::U8:
    return body(uint8_t());
  case TokenType::I8:
    return body(int8_t());
  case TokenType::U16:
    return body(uint16_t());
  case TokenType::I16:
    return body(int16_t());
  case TokenType::U32:
    return body(uint32_t());
  case TokenType::I32:
    return body(int32_t());
  case TokenType::I64:
    return body(int64_t());
  }
  return false;
}

bool TokenFile::read(int64_t begin, int64_t n, int32_t *destination,
                     std::string &error) const {
  return withType(tokenType, [&](auto token) {
    return copy<decltype(token)>(begin, n, destination, error);
  });
}

bool TokenFile::findStrange(int64_t begin, int64_t n, StrangeToken &found,
                            std::string &error) const {
  found = {};
  return withType(tokenType, [&](auto token) {
    return find<decltype(token)>(begin, n, found, error);
  });
}

} // namespace tessera::runtime
