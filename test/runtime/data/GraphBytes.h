//===- GraphBytes.h - Graph files for tests ---------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_RUNTIME_DATA_GRAPHBYTES_H
#define TESSERA_TEST_RUNTIME_DATA_GRAPHBYTES_H

#include "runtime/files/Safetensors.h"
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

/// The bytes of \p values as elements of the type \p T.
template <typename T> std::string bytesOf(const std::vector<double> &values) {
  std::string bytes;
  for (double value : values) {
    auto element = static_cast<T>(value);
    bytes.append(reinterpret_cast<const char *>(&element), sizeof element);
  }
  return bytes;
}

/// The same for the name of a type; of 16-bit floats \p values are the words.
inline std::string bytesOf(const std::string &dtype,
                           const std::vector<double> &values) {
  if (dtype == "F64")
    return bytesOf<double>(values);
  if (dtype == "F32")
    return bytesOf<float>(values);
  if (dtype == "I64")
    return bytesOf<int64_t>(values);
  if (dtype == "I32")
    return bytesOf<int32_t>(values);
  if (dtype == "U32")
    return bytesOf<uint32_t>(values);
  if (dtype == "I16")
    return bytesOf<int16_t>(values);
  if (dtype == "U16" || dtype == "BF16" || dtype == "F16")
    return bytesOf<uint16_t>(values);
  if (dtype == "I8")
    return bytesOf<int8_t>(values);
  return bytesOf<uint8_t>(values);
}

/// A safetensors file of named tensors.
struct TensorBytes {
  std::vector<tessera::runtime::TensorEntry> entries;
  std::vector<std::string> data;

  /// Adds the tensor, or replaces the one of that name.
  void set(const std::string &name, const std::string &dtype,
           const std::vector<int64_t> &shape,
           const std::vector<double> &values) {
    remove(name);
    entries.push_back({name, dtype, shape});
    data.push_back(bytesOf(dtype, values));
  }
  void remove(const std::string &name) {
    for (size_t i = 0; i < entries.size(); ++i)
      if (entries[i].name == name) {
        entries.erase(entries.begin() + i);
        data.erase(data.begin() + i);
        return;
      }
  }
  std::string bytes() const {
    std::string result = tessera::runtime::safetensorsHeader(entries, {});
    for (const std::string &tensor : data)
      result += tensor;
    return result;
  }
};

/// A sound graph: 0 -> 1, 2 -> 1, 1 -> 0 and an edge of 2 to itself; two
/// features and two classes.
inline TensorBytes smallGraph() {
  TensorBytes graph;
  graph.set("x", "F32", {3, 2}, {1, 2, 3, 4, 5, 6});
  graph.set("edge_index", "I64", {2, 4}, {0, 2, 1, 2, 1, 1, 0, 2});
  graph.set("y", "I64", {3}, {1, 0, 1});
  graph.set("train_mask", "BOOL", {3}, {1, 0, 1});
  graph.set("val_mask", "BOOL", {3}, {0, 1, 0});
  graph.set("test_mask", "BOOL", {3}, {0, 0, 0});
  return graph;
}

#endif // TESSERA_TEST_RUNTIME_DATA_GRAPHBYTES_H
