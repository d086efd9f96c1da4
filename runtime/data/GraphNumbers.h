//===- GraphNumbers.h - The numbers of a graph file -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_DATA_GRAPHNUMBERS_H
#define TESSERA_RUNTIME_DATA_GRAPHNUMBERS_H

#include "runtime/core/Float16.h"
#include "runtime/files/Safetensors.h"
#include <cstring>

namespace tessera::runtime {

inline constexpr const char *maskNames[] = {"train_mask", "val_mask",
                                            "test_mask"};

/// Numbers in a file, which may begin at any byte.
template <typename Number> struct Numbers {
  const char *data;
  Number operator[](int64_t index) const {
    Number number;
    memcpy(&number, data + index * int64_t(sizeof number), sizeof number);
    return number;
  }
};

/// Calls \p body with the Numbers of \p tensor. False where its elements are
/// no whole numbers.
template <typename Body> bool visitIntegers(const Tensor &tensor, Body &&body) {
  if (tensor.dtype == "I64")
    body(Numbers<int64_t>{tensor.data});
  else if (tensor.dtype == "I32")
    body(Numbers<int32_t>{tensor.data});
  else if (tensor.dtype == "I16")
    body(Numbers<int16_t>{tensor.data});
  else if (tensor.dtype == "I8")
    body(Numbers<int8_t>{tensor.data});
  else if (tensor.dtype == "U8")
    body(Numbers<uint8_t>{tensor.data});
  else if (tensor.dtype == "U16")
    body(Numbers<uint16_t>{tensor.data});
  else if (tensor.dtype == "U32")
    body(Numbers<uint32_t>{tensor.data});
  else
    return false;
  return true;
}

/// Calls \p body(get) where get(i) is element i of \p tensor as a float. False
/// where its elements are no numbers.
template <typename Body> bool visitFloats(const Tensor &tensor, Body &&body) {
  auto visit = [&](auto numbers) {
    body([=](int64_t i) { return static_cast<float>(numbers[i]); });
  };
  if (tensor.dtype == "F32")
    visit(Numbers<float>{tensor.data});
  else if (tensor.dtype == "F64")
    visit(Numbers<double>{tensor.data});
  else if (tensor.dtype == "BF16")
    body([numbers = Numbers<uint16_t>{tensor.data}](int64_t i) {
      return toFloat(BFloat16{numbers[i]});
    });
  else if (tensor.dtype == "F16")
    body([numbers = Numbers<uint16_t>{tensor.data}](int64_t i) {
      return toFloat(Float16{numbers[i]});
    });
  else if (tensor.dtype == "BOOL")
    body([numbers = Numbers<uint8_t>{tensor.data}](int64_t i) {
      return numbers[i] ? 1.0f : 0.0f;
    });
  else
    return visitIntegers(tensor, visit);
  return true;
}

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_DATA_GRAPHNUMBERS_H
