//===- TokenWriter.cpp - Writing files of tokens --------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/TokenWriter.h"
#include <algorithm>
#include <cstring>

namespace tessera::runtime {

bool TokenWriter::refuse(const OutputFile &file) {
  reason = file.error();
  return false;
}

bool TokenWriter::open(const std::string &prefix, int64_t vocabulary) {
  width = tokenBytes(vocabulary);
  if (!content.open(prefix + ".bin", 0))
    return refuse(content);
  return index.open(prefix + ".idx", 0) || refuse(index);
}

int64_t tokenBytes(int64_t vocabulary) { return vocabulary < 65500 ? 2 : 4; }

void packTokens(const std::vector<int32_t> &ids, int64_t bytesPerToken,
                std::string &bytes) {
  size_t before = bytes.size();
  bytes.resize(before + ids.size() * static_cast<size_t>(bytesPerToken));
  char *to = bytes.data() + before;
  if (bytesPerToken == 4) {
    memcpy(to, ids.data(), 4 * ids.size());
    return;
  }
  for (size_t i = 0; i < ids.size(); ++i) {
    auto id = static_cast<uint16_t>(ids[i]);
    memcpy(to + 2 * i, &id, 2);
  }
}

bool TokenWriter::add(const std::vector<int32_t> &lengths,
                      const std::string &bytes) {
  all.insert(all.end(), lengths.begin(), lengths.end());
  count += static_cast<int64_t>(bytes.size()) / bytesPerToken();
  return content.write(bytes.data(), static_cast<int64_t>(bytes.size())) ||
         refuse(content);
}

bool TokenWriter::commit() {
  std::string bytes("MMIDIDX\0\0", 9);
  auto put = [&](auto number) {
    bytes.append(reinterpret_cast<const char *>(&number), sizeof number);
  };
  auto flush = [&](size_t least) {
    if (bytes.size() < least)
      return true;
    bool isWritten =
        index.write(bytes.data(), static_cast<int64_t>(bytes.size()));
    bytes.clear();
    return isWritten;
  };
  put(uint64_t(1));
  put(uint8_t(width == 2 ? 8 : 4));
  put(uint64_t(all.size()));
  put(uint64_t(all.size()) + 1);
  constexpr size_t piece = 1 << 20;
  bool isWritten = true;
  for (int32_t length : all) {
    put(length);
    isWritten = isWritten && flush(piece);
  }
  int64_t offset = 0;
  for (int32_t length : all) {
    put(offset);
    offset += length * bytesPerToken();
    isWritten = isWritten && flush(piece);
  }
  for (int64_t document = 0; document <= documents(); ++document) {
    put(document);
    isWritten = isWritten && flush(piece);
  }
  if (!isWritten || !flush(0))
    return refuse(index);
  // An index without its tokens would be worse than the other way around.
  if (!content.commit())
    return refuse(content);
  return index.commit() || refuse(index);
}

} // namespace tessera::runtime
