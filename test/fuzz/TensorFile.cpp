//===- TensorFile.cpp - safetensors files that mutate ---------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/TensorFile.h"
#include "runtime/files/Safetensors.h"
#include <algorithm>
#include <cstring>

namespace tessera::fuzz {

/// Data of tiled files stay below this.
static constexpr int64_t maxData = 1 << 14;

std::optional<TensorFile> TensorFile::read(const std::string &bytes) {
  uint64_t length;
  if (bytes.size() < sizeof length)
    return std::nullopt;
  memcpy(&length, bytes.data(), sizeof length);
  if (length > bytes.size() - sizeof length)
    return std::nullopt;
  std::optional<Json> header = readTree(bytes.substr(sizeof length, length));
  if (!header)
    return std::nullopt;
  return TensorFile{std::move(*header), bytes.substr(sizeof length + length)};
}

std::string TensorFile::write() const {
  std::string text = writeTree(header);
  uint64_t length = text.size();
  return std::string(reinterpret_cast<const char *>(&length), sizeof length) +
         text + data;
}

/// The bytes of tensor \p entry by its type and shape; none where these say
/// nothing sensible.
static std::optional<int64_t> bytesOf(const Json &entry) {
  if (!entry.is_object() || !entry.contains("dtype") ||
      !entry["dtype"].is_string() || !entry.contains("shape") ||
      !entry["shape"].is_array())
    return std::nullopt;
  int64_t bytes = runtime::typeBytes(entry["dtype"].get<std::string>());
  for (const Json &extent : entry["shape"]) {
    if (!extent.is_number_integer())
      return std::nullopt;
    auto count = extent.get<int64_t>();
    if (count < 0 || count > maxData || (bytes *= count) > maxData)
      return std::nullopt;
  }
  return bytes;
}

void TensorFile::tile() {
  if (!header.is_object())
    return;
  std::string tiled;
  for (auto &[name, entry] : header.items()) {
    std::optional<int64_t> bytes = bytesOf(entry);
    if (!bytes)
      continue;
    std::string old;
    if (auto offsets = entry.find("data_offsets");
        offsets != entry.end() && offsets->is_array() && offsets->size() == 2 &&
        (*offsets)[0].is_number_integer()) {
      size_t begin = (*offsets)[0].get<uint64_t>();
      if (begin < data.size())
        old = data.substr(begin, *bytes);
    }
    old.resize(*bytes);
    entry["data_offsets"] = {tiled.size(), tiled.size() + *bytes};
    tiled += old;
  }
  data = std::move(tiled);
}

/// Gives a tensor another type or shape, or adds one that is looked for.
static void mutateTensor(Json &header, std::span<const char *const> names,
                         Dice &dice) {
  static const char *const types[] = {"F64", "F32", "F16",  "BF16",    "I64",
                                      "I32", "I16", "I8",   "U8",      "U16",
                                      "U32", "U64", "BOOL", "F8_E4M3", "F4"};
  if (!header.is_object() || header.empty())
    return;
  Json entry = pickMember(header, dice).second;
  std::string name = pickMember(header, dice).first;
  if (!names.empty() && dice.oneIn(2))
    name = names[dice.below(names.size())];
  if (!entry.is_object())
    return;
  switch (dice.below(4)) {
  case 0:
    entry["dtype"] = dice.pick(types);
    break;
  case 1:
    if (entry.contains("shape") && entry["shape"].is_array())
      entry["shape"].push_back(dice.below(3));
    break;
  case 2:
    if (entry.contains("shape") && entry["shape"].is_array() &&
        !entry["shape"].empty())
      entry["shape"][dice.below(entry["shape"].size())] = dice.below(20);
    break;
  default:
    break;
  }
  header[name] = std::move(entry);
}

/// Writes a small or extreme number over an element.
static void mutateElement(std::string &data, Dice &dice) {
  if (data.empty())
    return;
  static const size_t sizes[] = {1, 2, 4, 8};
  size_t size = std::min(dice.pick(sizes), data.size());
  int64_t number = dice.edgeNumber();
  // NaN and infinity as floats of 32 bits.
  if (size == 4 && dice.oneIn(4))
    number = dice.oneIn(2) ? 0x7fc00000 : 0x7f800000;
  memcpy(&data[dice.below(data.size() / size) * size], &number, size);
}

void TensorFile::mutate(const Json &other, std::span<const char *const> names,
                        Dice &dice) {
  switch (dice.below(4)) {
  case 0:
    for (size_t times = 1 + dice.below(4); times > 0; --times)
      mutateElement(data, dice);
    return;
  case 1:
    mutateTensor(header, names, dice);
    tile();
    return;
  default:
    mutateTree(header, other, dice);
    if (dice.oneIn(2))
      tile();
  }
}

} // namespace tessera::fuzz
