//===- SafetensorsFuzzer.cpp - Files of tensors that may be anything ------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A file is refused with a reason, or its tensors tile its data and can be
// read, and the header written from them reads back the same.
//
//===----------------------------------------------------------------------===//

#include "runtime/files/Checksum.h"
#include "runtime/files/Safetensors.h"
#include "runtime/files/SafetensorsHeader.h"
#include "test/fuzz/Exit.h"
#include "test/fuzz/Scratch.h"
#include "test/fuzz/TensorFile.h"
#include <algorithm>

using namespace tessera::runtime;
using namespace tessera::fuzz;

static constexpr const char *names[] = {"__metadata__", "wte.weight",
                                        "transformer.wte.weight"};
const std::span<const char *const> tessera::fuzz::tensorNames = names;

/// That all bytes are there and floats can be made of them.
static void readTensors(const SafetensorsFile &file) {
  int64_t total = 0;
  for (const auto &[name, tensor] : file.tensors()) {
    checksum(tensor.data, tensor.bytes);
    total += tensor.bytes;
    require(file.find(name) == &tensor, "a tensor is found by its name");
    if (typeBytes(tensor.dtype) == 0)
      continue;
    require(tensor.bytes == tensor.elements() * typeBytes(tensor.dtype),
            "a tensor has the bytes of its type and shape");
    float first[16];
    copyAsFloat(tensor, 0, std::min<int64_t>(16, tensor.elements()), first);
  }
  for (const auto &[alias, name] : file.metadata())
    file.find(alias);
}

/// That what safetensorsHeader writes of a file's tensors means the same.
static void writeAndRead(const SafetensorsFile &file) {
  std::vector<TensorEntry> entries;
  int64_t bytes = 0;
  for (const auto &[name, tensor] : file.tensors()) {
    if (typeBytes(tensor.dtype) == 0)
      return;
    entries.push_back({name, tensor.dtype, tensor.shape});
    bytes += tensor.bytes;
  }
  std::string text = safetensorsHeader(entries, file.metadata());
  SafetensorsHeader header;
  std::string error;
  require(parseSafetensorsHeader(std::string_view(text).substr(8), bytes,
                                 header, error),
          "a header that is written is read");
  require(header.entries.size() == entries.size() &&
              header.metadata == file.metadata(),
          "a header that is written reads back the same");
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const std::string path = scratchPath("input.safetensors");
  writeFile(path, {reinterpret_cast<const char *>(data), size});
  std::string error;
  if (auto file = SafetensorsFile::open(path, error)) {
    readTensors(*file);
    writeAndRead(*file);
  } else {
    require(!error.empty(), "a refusal has a reason");
  }
  return 0;
}
