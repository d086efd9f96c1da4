//===- SafetensorsHeader.cpp - The header of a tensor file ----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Read as it is scanned, without a tree: a tree forgets names that are there
// twice, and takes many times the memory.
//
//===----------------------------------------------------------------------===//

#include "runtime/files/SafetensorsHeader.h"
#include "runtime/files/Safetensors.h"
#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_set>

using nlohmann::json;

namespace tessera::runtime {
namespace {

constexpr const char *metadataName = "__metadata__";
/// Of a tensor; NumPy and PyTorch have no more.
constexpr size_t maxDimensions = 64;
/// Of fields that the format does not have and a file may have nevertheless.
constexpr int maxNesting = 128;

class HeaderScanner final : public nlohmann::json_sax<json> {
public:
  HeaderScanner(SafetensorsHeader &header, std::string &error)
      : header(header), error(error) {}

  bool key(string_t &text) override {
    switch (place) {
    case Place::Header:
      if (!names.insert(text).second)
        return fail("'" + text + "' is there twice");
      name = text;
      return true;
    case Place::Metadata:
      note = text;
      return !header.metadata.contains(text) ||
             fail("its metadata have '" + text + "' twice");
    case Place::Entry:
      field = text;
      return fields.insert(text).second ||
             fail("tensor '" + name + "' has " + text + " twice");
    default:
      return true;
    }
  }

  bool start_object(size_t) override {
    switch (place) {
    case Place::Outside:
      place = Place::Header;
      return true;
    case Place::Header:
      if (name == metadataName) {
        place = Place::Metadata;
        return true;
      }
      place = Place::Entry;
      fields.clear();
      header.entries.emplace_back().name = name;
      return true;
    default:
      return nest();
    }
  }

  bool end_object() override {
    if (place == Place::Ignored)
      return leave();
    if (place == Place::Entry)
      for (const char *wanted : {"dtype", "shape", "data_offsets"})
        if (!fields.contains(wanted))
          return fail("tensor '" + name + "' lacks " + wanted);
    place = place == Place::Header ? Place::Outside : Place::Header;
    return true;
  }

  bool start_array(size_t) override {
    if (place == Place::Entry && field == "shape") {
      place = Place::Shape;
      return true;
    }
    if (place == Place::Entry && field == "data_offsets") {
      place = Place::Offsets;
      offsets = 0;
      return true;
    }
    return nest();
  }

  bool end_array() override {
    if (place == Place::Ignored)
      return leave();
    if (place == Place::Offsets && offsets != 2)
      return fail("tensor '" + name + "' has " + std::to_string(offsets) +
                  " data_offsets, not 2");
    place = Place::Entry;
    return true;
  }

  bool number_unsigned(number_unsigned_t number) override {
    if (place != Place::Shape && place != Place::Offsets)
      return scalar();
    if (number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
      return badNumber(std::to_string(number));
    SafetensorsHeader::Entry &entry = header.entries.back();
    int64_t value = static_cast<int64_t>(number);
    if (place == Place::Shape) {
      entry.shape.push_back(value);
      return entry.shape.size() <= maxDimensions ||
             fail("tensor '" + name + "' has more than " +
                  std::to_string(maxDimensions) + " dimensions");
    }
    (offsets++ == 0 ? entry.begin : entry.end) = value;
    return true;
  }

  bool string(string_t &text) override {
    if (place == Place::Metadata) {
      header.metadata.emplace(note, std::move(text));
      return true;
    }
    if (place == Place::Entry && field == "dtype") {
      header.entries.back().dtype = std::move(text);
      return true;
    }
    return scalar();
  }

  bool null() override {
    return (place == Place::Header && name == metadataName) || scalar();
  }
  bool boolean(bool) override { return scalar(); }
  bool number_integer(number_integer_t number) override {
    return number_float(0, std::to_string(number));
  }
  bool number_float(number_float_t, const string_t &text) override {
    return place == Place::Shape || place == Place::Offsets ? badNumber(text)
                                                            : scalar();
  }
  bool binary(binary_t &) override { return scalar(); }

  bool parse_error(size_t position, const std::string &,
                   const nlohmann::detail::exception &) override {
    return fail("its header is not JSON, from byte " +
                std::to_string(position) + " on");
  }

private:
  /// What the scanner is within.
  enum class Place {
    Outside,
    Header,
    Metadata,
    Entry,
    Shape,
    Offsets,
    Ignored
  };

  bool fail(std::string reason) {
    error = std::move(reason);
    return false;
  }

  /// Of a value that is no number, string or array where one is wanted.
  bool badValue() {
    switch (place) {
    case Place::Outside:
      return fail("its header is not a JSON object");
    case Place::Header:
      return fail("the entry '" + name + "' of its header is not an object");
    case Place::Metadata:
      return fail("its metadata have no string for '" + note + "'");
    default:
      return fail("tensor '" + name + "' has no valid " + field);
    }
  }

  bool badNumber(const std::string &text) {
    return fail("tensor '" + name + "' has the number " + text + " in its " +
                field + ": it must be whole and below 2^63");
  }

  bool knownField() const {
    return field == "dtype" || field == "shape" || field == "data_offsets";
  }

  /// A value that means nothing to the format.
  bool scalar() {
    return place == Place::Ignored ||
           (place == Place::Entry && !knownField()) || badValue();
  }

  bool nest() {
    if (!scalar())
      return false;
    place = Place::Ignored;
    return ++nesting <= maxNesting ||
           fail("tensor '" + name + "' has a field '" + field +
                "' nested more than " + std::to_string(maxNesting) + " deep");
  }

  bool leave() {
    if (--nesting == 0)
      place = Place::Entry;
    return true;
  }

  SafetensorsHeader &header;
  std::string &error;
  Place place = Place::Outside;
  int nesting = 0;
  int offsets = 0;
  std::string name, note, field;
  std::unordered_set<std::string> names, fields;
};

/// Whether \p entry has the bytes of its type and shape.
bool sizeFits(const SafetensorsHeader::Entry &entry, std::string &error) {
  int64_t size = typeBytes(entry.dtype), expected = std::max<int64_t>(size, 1);
  bool valid = entry.begin <= entry.end;
  for (int64_t extent : entry.shape)
    valid = valid && !__builtin_mul_overflow(expected, extent, &expected);
  if (valid && (size == 0 || expected == entry.end - entry.begin))
    return true;
  error = "tensor '" + entry.name + "' of type " + entry.dtype + " and shape " +
          shapeText(entry.shape) + " has " +
          std::to_string(entry.end - entry.begin) + " bytes";
  return false;
}

/// Sorts the tensors by their data; false where these do not cover
/// \p dataBytes bytes.
bool cover(std::vector<SafetensorsHeader::Entry> &entries, int64_t dataBytes,
           std::string &error) {
  std::sort(entries.begin(), entries.end(), [](const auto &a, const auto &b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  int64_t at = 0;
  const std::string *before = nullptr;
  for (const SafetensorsHeader::Entry &entry : entries) {
    if (entry.end > dataBytes) {
      error =
          "tensor '" + entry.name + "' ends after the file (is it cut short?)";
      return false;
    }
    if (entry.begin < at) {
      error = "the data of tensors '" + *before + "' and '" + entry.name +
              "' overlap";
      return false;
    }
    if (entry.begin > at) {
      error = "bytes " + std::to_string(at) + " to " +
              std::to_string(entry.begin) + " of its data, before tensor '" +
              entry.name + "', belong to no tensor";
      return false;
    }
    at = entry.end;
    before = &entry.name;
  }
  if (at == dataBytes)
    return true;
  error = std::to_string(dataBytes - at) +
          " bytes at its end belong to no tensor (is something appended?)";
  return false;
}

} // namespace

bool parseSafetensorsHeader(std::string_view text, int64_t dataBytes,
                            SafetensorsHeader &header, std::string &error) {
  if (text.size() > static_cast<size_t>(maxHeaderBytes)) {
    error = "its header has " + std::to_string(text.size()) +
            " bytes: the format allows " + std::to_string(maxHeaderBytes);
    return false;
  }
  // The scanner would skip a byte order mark and take a NUL for the end.
  if (!text.starts_with('{') || text.find('\0') != text.npos) {
    error = "its header is not JSON";
    return false;
  }
  HeaderScanner scanner(header, error);
  if (!json::sax_parse(text, &scanner))
    return false;
  for (const SafetensorsHeader::Entry &entry : header.entries)
    if (!sizeFits(entry, error))
      return false;
  return cover(header.entries, dataBytes, error);
}

} // namespace tessera::runtime
