//===- RandomReference.h - Random bits by the runtime -----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_CODEGEN_CPU_RANDOMREFERENCE_H
#define TESSERA_TEST_CODEGEN_CPU_RANDOMREFERENCE_H

#include "runtime/core/Random.h"
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace tessera::test {

/// An operand `stream` of nn.random_bits: step, draw and the key's two words.
using Stream = std::array<int32_t, 4>;

/// With bits in every byte.
inline constexpr Stream someStream = {70003, 0x153, -123456789, 987654321};

/// What nn.random_bits gives for row \p row, [0, columns), of sample \p sample.
inline uint32_t drawBits(const Stream &stream, int32_t sample, int64_t row,
                         int64_t columns, int64_t column,
                         uint32_t partOfDraw = 0) {
  int64_t call = row * ((columns + 3) / 4) + column / 4;
  return runtime::philox(
      {uint32_t(call), uint32_t(sample), uint32_t(stream[0]),
       uint32_t(stream[1]) + (partOfDraw << 16)},
      {uint32_t(stream[2]), uint32_t(stream[3])})[column % 4];
}

/// What an element is multiplied by where dropout has rate \p rate.
inline double dropFactor(uint32_t bits, double rate) {
  return bits >= rate * 0x1p32 ? 1 / (1 - rate) : 0;
}

/// A kernel that draws for [rows, columns], evenly of `samples` samples (0:
/// each row is one), and drops a quarter of its first argument, of type
/// `element`. The further arguments are the stream and the samples' ids.
struct RandomBitsCase {
  int64_t rows, columns, samples;
  std::string element = "f32";

  /// The kernel's text. Results: bits and what is not dropped; or, \p
  /// byColumns, how many of each column are kept.
  std::string source(bool byColumns) const {
    auto tensor = [&](const std::string &type) {
      return "tensor<" + std::to_string(rows) + "x" + std::to_string(columns) +
             "x" + type + ">";
    };
    std::string full = tensor("f32"), given = tensor(element),
                ints = tensor("i32"),
                counts = "tensor<" + std::to_string(columns) + "xf32>";
    std::string ids = "tensor<" + std::to_string(samples) + "xi32>";
    std::string text =
        "func.func private @kernel(%x: " + given + ", %s: tensor<1x4xi32>" +
        (samples ? ", %ids: " + ids : "") + ") -> " +
        (byColumns ? counts : "(" + ints + ", " + given + ")") +
        " attributes {plan.kernel} {\n%bits = nn.random_bits %s" +
        (samples ? ", %ids" : "") + " : tensor<1x4xi32>" +
        (samples ? ", " + ids : "") + " -> " + ints +
        "\n%limit = arith.constant dense<1073741824> : " + ints +
        "\n%zero = arith.constant dense<0.0> : " + full +
        "\n%one = arith.constant dense<1.0> : " + full +
        "\n%kept = arith.cmpi uge, %bits, %limit : " + ints +
        "\n%factor = arith.select %kept, %one, %zero : " + tensor("i1") + ", " +
        full;
    if (byColumns)
      return text + "\n%count = nn.reduce sum %factor dims [0] : " + full +
             " -> " + counts + "\nreturn %count : " + counts + "\n}";
    if (element == "f32")
      return text + "\n%y = arith.mulf %x, %factor : " + full +
             "\nreturn %bits, %y : " + ints + ", " + full + "\n}";
    return text + "\n%w = arith.extf %x : " + given + " to " + full +
           "\n%p = arith.mulf %w, %factor : " + full +
           "\n%y = arith.truncf %p : " + full + " to " + given +
           "\nreturn %bits, %y : " + ints + ", " + given + "\n}";
  }

  std::vector<int32_t> ids() const {
    std::vector<int32_t> ids(samples);
    for (int64_t i = 0; i < samples; ++i)
      ids[i] = static_cast<int32_t>(-5 + 3 * i);
    return ids;
  }

  /// The bits, row by row.
  std::vector<uint32_t> expected() const {
    std::vector<uint32_t> bits;
    std::vector<int32_t> all = ids();
    int64_t ofSample = samples ? rows / samples : 1;
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j)
        bits.push_back(drawBits(
            someStream, samples ? all[i / ofSample] : static_cast<int32_t>(i),
            i % ofSample, columns, j));
    return bits;
  }
};

/// A stream as a constant's elements.
inline std::string toText(const Stream &stream) {
  std::string text = "[[";
  for (size_t i = 0; i < stream.size(); ++i)
    text += (i ? ", " : "") + std::to_string(stream[i]);
  return text + "]]";
}

} // namespace tessera::test

#endif // TESSERA_TEST_CODEGEN_CPU_RANDOMREFERENCE_H
