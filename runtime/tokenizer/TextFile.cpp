//===- TextFile.cpp - Texts to be tokenized -------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/tokenizer/TextFile.h"
#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <zlib.h>
#include <zstd.h>

namespace tessera::runtime {
namespace {

constexpr size_t packedPiece = 1 << 20;

class GzipUnpacker : public Unpacker {
public:
  GzipUnpacker() { isReady = inflateInit2(&stream, 16 + MAX_WBITS) == Z_OK; }
  ~GzipUnpacker() override { inflateEnd(&stream); }

  bool unpack(const char *&input, const char *inputEnd, char *&output,
              char *outputEnd, std::string &error) override {
    if (!isReady) {
      error = "zlib has no memory";
      return false;
    }
    // Files may be put together of several.
    if (ended) {
      inflateReset(&stream);
      ended = false;
    }
    stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(input));
    stream.avail_in = static_cast<uInt>(inputEnd - input);
    stream.next_out = reinterpret_cast<Bytef *>(output);
    stream.avail_out = static_cast<uInt>(outputEnd - output);
    int code = inflate(&stream, Z_NO_FLUSH);
    input = inputEnd - stream.avail_in;
    output = outputEnd - stream.avail_out;
    ended = code == Z_STREAM_END;
    if (code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR)
      return true;
    error = stream.msg ? stream.msg : "it is damaged";
    return false;
  }
  bool isWhole() const override { return ended; }

private:
  z_stream stream = {};
  bool isReady = false, ended = false;
};

class ZstdUnpacker : public Unpacker {
public:
  ~ZstdUnpacker() override { ZSTD_freeDStream(stream); }

  bool unpack(const char *&input, const char *inputEnd, char *&output,
              char *outputEnd, std::string &error) override {
    ZSTD_inBuffer in{input, static_cast<size_t>(inputEnd - input), 0};
    ZSTD_outBuffer out{output, static_cast<size_t>(outputEnd - output), 0};
    left = stream ? ZSTD_decompressStream(stream, &out, &in)
                  : static_cast<size_t>(-1);
    input += in.pos;
    output += out.pos;
    if (!ZSTD_isError(left))
      return true;
    error = ZSTD_getErrorName(left);
    return false;
  }
  bool isWhole() const override { return left == 0; }

private:
  ZSTD_DStream *stream = ZSTD_createDStream();
  size_t left = 0;
};

/// Takes the text under one key of the outermost object.
class FieldReader : public nlohmann::json_sax<nlohmann::json> {
public:
  FieldReader(const std::string &field, std::string &text)
      : field(field), text(text) {}
  bool isFound = false, isOther = false, isObject = false;

  bool null() override { return other(); }
  bool boolean(bool) override { return other(); }
  bool number_integer(number_integer_t) override { return other(); }
  bool number_unsigned(number_unsigned_t) override { return other(); }
  bool number_float(number_float_t, const string_t &) override {
    return other();
  }
  bool string(string_t &value) override {
    if (isWanted()) {
      text.swap(value);
      isFound = true;
    }
    return true;
  }
  bool binary(binary_t &) override { return false; }
  bool start_object(size_t) override {
    isObject = isObject || depth == 0;
    return open();
  }
  bool key(string_t &value) override {
    if (depth == 1)
      atField = value == field;
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(size_t) override { return open(); }
  bool end_array() override { return close(); }
  bool parse_error(size_t, const std::string &,
                   const nlohmann::detail::exception &) override {
    return false;
  }

private:
  bool isWanted() const { return depth == 1 && atField; }
  bool other() {
    isOther = isOther || isWanted();
    return true;
  }
  bool open() {
    other();
    ++depth;
    return true;
  }
  bool close() {
    --depth;
    return true;
  }

  const std::string &field;
  std::string &text;
  int64_t depth = 0;
  bool atField = false;
};

} // namespace

std::unique_ptr<TextFile> TextFile::open(const std::string &path,
                                         std::string &error) {
  std::unique_ptr<TextFile> text(new TextFile);
  text->file = InputFile::open(path, "the text ", error);
  if (!text->file)
    return nullptr;
  char head[8] = {};
  if (!text->file->read(0, head, std::min<int64_t>(8, text->file->size()),
                        error))
    return nullptr;
  if (!memcmp(head, "\x1f\x8b\x08", 3))
    text->unpacker = std::make_unique<GzipUnpacker>();
  else if (!memcmp(head, "\x28\xb5\x2f\xfd", 4))
    text->unpacker = std::make_unique<ZstdUnpacker>();
  const char *known = nullptr;
  if (!memcmp(head, "\xfd\x37zXZ", 5))
    known = "xz";
  else if (!memcmp(head, "BZh", 3))
    known = "bzip2";
  else if (!memcmp(head, "PK\3\4", 4))
    known = "a zip archive";
  else if (!memcmp(head, "PAR1", 4))
    known = "Parquet";
  else if (!memcmp(head, "\xff\xfe", 2) || !memcmp(head, "\xfe\xff", 2))
    known = "text in UTF-16";
  if (known) {
    error = "the text '" + path + "' is " + known +
            ": give UTF-8, plain or packed by gzip or zstd";
    return nullptr;
  }
  return text;
}

bool TextFile::refill(std::string &error) {
  auto bytes = std::min<int64_t>(packedPiece, file->size() - offset);
  packed.resize(static_cast<size_t>(bytes));
  if (!file->read(offset, packed.data(), bytes, error))
    return false;
  offset += bytes;
  input = packed.data();
  inputEnd = input + bytes;
  return true;
}

bool TextFile::read(std::string &text, size_t most, std::string &error) {
  size_t before = text.size();
  if (!unpacker) {
    auto bytes =
        std::min<int64_t>(static_cast<int64_t>(most), file->size() - offset);
    text.resize(before + static_cast<size_t>(bytes));
    if (!file->read(offset, text.data() + before, bytes, error))
      return false;
    offset += bytes;
    return true;
  }
  text.resize(before + most);
  char *output = text.data() + before, *outputEnd = output + most;
  while (output < outputEnd) {
    if (input == inputEnd && !refill(error))
      return false;
    // At the end of the file what is inside may still have bytes.
    const char *inputBefore = input;
    char *outputBefore = output;
    if (input == inputEnd && unpacker->isWhole())
      break;
    std::string reason;
    if (!unpacker->unpack(input, inputEnd, output, outputEnd, reason)) {
      error = "the text '" + path() + "' cannot be unpacked: " + reason;
      return false;
    }
    if (input == inputBefore && output == outputBefore) {
      error = "the text '" + path() + "' is cut short";
      return false;
    }
  }
  text.resize(static_cast<size_t>(output - text.data()));
  return true;
}

bool fieldOfLine(std::string_view line, const std::string &field,
                 std::string &text, std::string &error) {
  FieldReader reader(field, text);
  if (!nlohmann::json::sax_parse(line.begin(), line.end(), &reader))
    error = "is no JSON";
  else if (!reader.isObject)
    error = "is no JSON object";
  else if (reader.isOther)
    error = "has something else than a text as '" + field + "'";
  else if (!reader.isFound)
    error = "has no '" + field + "' (--field names the text)";
  else
    return true;
  return false;
}

} // namespace tessera::runtime
