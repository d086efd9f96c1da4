//===- CachedAttentionTest.cpp - Attention to long contexts -----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rows see keys of several parts: alone, in tiles, and in parts that are
// merged.
//
//===----------------------------------------------------------------------===//

#include "runtime/core/ElementType.h"
#include "test/codegen/cpu/CompiledKernel.h"
#include "test/codegen/cpu/KernelCache.h"
#include "test/codegen/cpu/Numbers.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

using namespace tessera::test;
using tessera::runtime::ElementType;

namespace {

struct Shape {
  const char *name;
  int64_t heads, keyHeads, dim, context;
  int64_t window = 0; ///< 0: none
  bool alibi = false;
  ElementType element = ElementType::F32;
  bool bytes = false; ///< the cache's numbers are bytes with scales

  int64_t columns() const { return (heads + 2 * keyHeads) * dim; }
  int64_t hidden() const { return heads * dim; }
  int64_t first(int64_t position) const {
    return window ? std::max<int64_t>(position - window + 1, 0) : 0;
  }
  std::string elementName() const {
    return element == ElementType::Bf16 ? "bf16" : "f32";
  }
};

std::ostream &operator<<(std::ostream &stream, const Shape &shape) {
  return stream << shape.name;
}

KernelCache<CompiledKernel> kernels;

/// Numbers as memory of an element type has them.
struct Buffer {
  Buffer() = default;
  Buffer(const std::vector<float> &numbers, ElementType type)
      : bytes(numbers.size() * (type == ElementType::F32 ? 4 : 2)) {
    tessera::runtime::fromFloats(type, numbers.data(), numbers.size(),
                                 bytes.data());
  }
  std::vector<float> read(ElementType type) const {
    std::vector<float> numbers(bytes.size() /
                               (type == ElementType::F32 ? 4 : 2));
    tessera::runtime::toFloats(type, bytes.data(), numbers.size(),
                               numbers.data());
    return numbers;
  }
  std::vector<char> bytes;
};

/// Rows at positions of slots. Keys behind the last position of a slot are NaN.
struct Rows {
  Rows(const Shape &shape, std::vector<int32_t> slots,
       std::vector<int32_t> positions, int32_t count)
      : shape(shape), slots(std::move(slots)), positions(std::move(positions)),
        count({count}) {
    auto rows = static_cast<int64_t>(this->slots.size());
    slotCount = *llvm::max_element(this->slots) + 1;
    qkv = Buffer(randomNumbers(rows * shape.columns(), 1, 3), shape.element);
    numbers = randomNumbers(
        2 * slotCount * shape.keyHeads * shape.context * shape.dim, 1, 4);
    if (shape.bytes)
      fillBytes();
    for (int64_t which = 0; which < 2; ++which)
      for (int64_t slot = 0; slot < slotCount; ++slot) {
        int64_t last = 0;
        for (int64_t row = 0; row < count; ++row)
          if (this->slots[row] == slot)
            last = std::max<int64_t>(last, this->positions[row]);
        for (int64_t head = 0; head < shape.keyHeads; ++head)
          for (int64_t at = last + 1; at < shape.context; ++at)
            spoil(place(which, slot, head, at));
      }
    if (!shape.bytes) {
      cache = Buffer(numbers, shape.element);
      numbers = cache.read(shape.element);
    }
  }

  int64_t place(int64_t which, int64_t slot, int64_t head, int64_t at) const {
    return ((which * slotCount + slot) * shape.keyHeads + head) *
               shape.context +
           at;
  }

  void fillBytes() {
    std::mt19937 generator(1);
    std::vector<float> numbersOfScales(numbers.size() / shape.dim);
    for (float &scale : numbersOfScales)
      scale = 0.001f * static_cast<float>(1 + generator() % 30);
    scales = Buffer(numbersOfScales, ElementType::F16);
    numbersOfScales = scales.read(ElementType::F16);
    cache.bytes.resize(numbers.size());
    for (size_t i = 0; i < numbers.size(); ++i) {
      cache.bytes[i] = static_cast<char>(generator() % 255 - 127);
      numbers[i] = static_cast<float>(static_cast<int8_t>(cache.bytes[i])) *
                   numbersOfScales[i / shape.dim];
    }
  }

  void spoil(int64_t at) {
    if (shape.bytes) {
      const unsigned short nan = 0x7e00;
      memcpy(&scales.bytes[2 * at], &nan, 2);
      return;
    }
    std::fill_n(&numbers[at * shape.dim], shape.dim,
                std::numeric_limits<float>::quiet_NaN());
  }

  /// The text of the operation \p name on these rows.
  std::string source(const std::string &name, const std::string &after,
                     const std::vector<std::string> &results) const {
    auto rows = static_cast<int64_t>(slots.size());
    std::string ofQkv = tensor({rows, shape.columns()}, shape.elementName());
    std::string ofCache =
        tensor({2, slotCount, shape.keyHeads, shape.context, shape.dim},
               shape.bytes ? "i8" : shape.elementName());
    std::string ofScales =
        tensor({2, slotCount, shape.keyHeads, shape.context, 1}, "f16");
    std::string ofNumbers = tensor({rows}, "i32");
    std::vector<std::string> types = {ofQkv, ofCache, ofNumbers, ofNumbers,
                                      "tensor<1xi32>"};
    if (shape.bytes)
      types.push_back(ofScales);
    std::string text, list;
    for (size_t i = 0; i < results.size(); ++i) {
      text += (i ? ", %r" : "%r") + std::to_string(i);
      list += (i ? ", " : "") + results[i];
    }
    text += " = " + name + " %a0, %a1" + (shape.bytes ? " scaled %a5" : "") +
            " at %a2, %a3 count %a4 heads " + std::to_string(shape.heads) +
            " layout blocked" + (after == "one_slot" ? " one_slot" : "") +
            (shape.alibi ? " alibi" : "") + window() + " scale 0.2" +
            (after == "one_slot" ? "" : after) + " : ";
    for (size_t i = 0; i < types.size(); ++i)
      text += (i ? ", " : "") + types[i];
    return kernelText(types, results, text + " -> " + list);
  }

  std::string window() const {
    return shape.window ? " window " + std::to_string(shape.window) : "";
  }

  /// Their operands and then \p results.
  std::vector<void *> buffers(const std::vector<void *> &results) {
    std::vector<void *> all = {qkv.bytes.data(), cache.bytes.data(),
                               slots.data(), positions.data(), count.data()};
    if (shape.bytes)
      all.push_back(scales.bytes.data());
    all.insert(all.end(), results.begin(), results.end());
    return all;
  }

  Buffer empty() const {
    return {std::vector<float>(slots.size() * shape.hidden(), 7),
            shape.element};
  }

  /// By one kernel.
  Buffer attend(const std::string &after = "", int64_t pieces = 1) {
    auto rows = static_cast<int64_t>(slots.size());
    CompiledKernel &kernel = kernels.get(
        source("nn.cached_attention", after,
               {tensor({rows, shape.hidden()}, shape.elementName())}));
    Buffer result = empty();
    kernel.run(buffers({result.bytes.data()}), pieces);
    return result;
  }

  /// By parts of \p length positions, of which a row keeps \p kept.
  Buffer attendInParts(int64_t length, int64_t kept, int64_t pieces) {
    auto rows = static_cast<int64_t>(slots.size());
    std::string of = " parts of " + std::to_string(length);
    std::string ofSums = tensor({rows, shape.heads, kept, shape.dim}),
                ofPart = tensor({rows, shape.heads, kept}),
                ofNumbers = tensor({rows}, "i32"),
                ofResult = tensor({rows, shape.hidden()}, shape.elementName());
    CompiledKernel &parts = kernels.get(
        source("nn.cached_attention_parts", of, {ofSums, ofPart, ofPart}));
    CompiledKernel &merge = kernels.get(kernelText(
        {ofSums, ofPart, ofPart, ofNumbers, "tensor<1xi32>"}, {ofResult},
        "%r0 = nn.merge_attention_parts %a0, %a1, %a2 at %a3 count %a4" +
            window() + of + " : " + ofSums + ", " + ofPart + ", " + ofNumbers +
            ", tensor<1xi32> -> " + ofResult));
    // What no part is written to must not be read.
    std::vector<float> maxima(rows * shape.heads * kept,
                              std::numeric_limits<float>::quiet_NaN()),
        totals = maxima, sums(maxima.size() * shape.dim, maxima[0]);
    parts.run(buffers({sums.data(), maxima.data(), totals.data()}), pieces);
    Buffer result = empty();
    merge.run({sums.data(), maxima.data(), totals.data(), positions.data(),
               count.data(), result.bytes.data()},
              pieces);
    return result;
  }

  /// What rows that are there differ from the definition, in fp64, as a part of
  /// its norm; the others must be as they were.
  double getError(const Buffer &result) const {
    std::vector<float> got = result.read(shape.element),
                       queries = qkv.read(shape.element);
    int64_t there = count[0] * shape.hidden();
    for (size_t i = there; i < got.size(); ++i)
      EXPECT_EQ(got[i], 7) << "row " << i / shape.hidden() << " is not there";
    got.resize(there);
    std::vector<double> expected;
    for (int64_t row = 0; row < count[0]; ++row)
      for (int64_t head = 0; head < shape.heads; ++head)
        addReference(row, head, queries, expected);
    return relativeError(got, expected);
  }

  void addReference(int64_t row, int64_t head,
                    const std::vector<float> &queries,
                    std::vector<double> &expected) const {
    int64_t position = positions[row], first = shape.first(position);
    int64_t keyHead = head * shape.keyHeads / shape.heads;
    const float *query = &queries[row * shape.columns() + head * shape.dim];
    // Slopes are 2^(-8 (head + 1) / heads) for the powers of two used here.
    double slope = shape.alibi
                       ? std::exp2(-8.0 * static_cast<double>(head + 1) /
                                   static_cast<double>(shape.heads))
                       : 0;
    std::vector<double> scores;
    for (int64_t key = first; key <= position; ++key) {
      const float *k = &numbers[place(0, slots[row], keyHead, key) * shape.dim];
      double score = slope * static_cast<double>(key - position);
      for (int64_t i = 0; i < shape.dim; ++i)
        score += 0.2 * query[i] * k[i];
      scores.push_back(score);
    }
    double largest = *llvm::max_element(scores), total = 0;
    std::vector<double> sums(shape.dim);
    for (int64_t key = first; key <= position; ++key) {
      double weight = std::exp(scores[key - first] - largest);
      total += weight;
      const float *v = &numbers[place(1, slots[row], keyHead, key) * shape.dim];
      for (int64_t i = 0; i < shape.dim; ++i)
        sums[i] += weight * v[i];
    }
    for (double sum : sums)
      expected.push_back(sum / total);
  }

  Shape shape;
  std::vector<int32_t> slots, positions, count;
  int64_t slotCount;
  Buffer qkv, cache, scales;
  std::vector<float> numbers; ///< what the cache stands for
};

const Shape shapes[] = {
    {"plain", 2, 2, 64, 1300},
    {"grouped", 6, 2, 40, 1300},
    {"many", 12, 1, 128, 1100},
    {"alibi", 4, 2, 24, 1300, 0, true},
    {"window", 4, 1, 32, 2600, 700},
    {"window_of_parts", 2, 1, 7, 2600, 513, true},
    {"bf16", 4, 2, 64, 1300, 0, false, ElementType::Bf16},
    {"bytes", 4, 2, 40, 1300, 0, true, ElementType::F32, true},
};

class CachedAttention : public testing::TestWithParam<Shape> {
protected:
  double tolerance() const {
    return GetParam().element == ElementType::Bf16 ? 4e-3 : 2e-6;
  }
  /// The parts that can be seen, of all.
  static int64_t getKept(const Shape &shape, int64_t length) {
    int64_t all = (shape.context + length - 1) / length;
    return shape.window
               ? std::min(all, (shape.window + length - 2) / length + 1)
               : all;
  }
};

/// Where parts begin and end, and at the ends of slots.
TEST_P(CachedAttention, PartsAreTheWholeToTheBit) {
  auto last = static_cast<int32_t>(GetParam().context - 1);
  Rows rows(GetParam(), {5, 0, 2, 1, 4, 3, 0},
            {0, 511, 512, last, 1023, 600, 2}, 6);
  Buffer whole = rows.attend();
  EXPECT_LT(rows.getError(whole), tolerance());
  EXPECT_EQ(rows.attend("", 5).bytes, whole.bytes);
  for (int64_t pieces : {1, 2, 7})
    EXPECT_EQ(rows.attendInParts(512, getKept(GetParam(), 512), pieces).bytes,
              whole.bytes)
        << pieces;
}

/// A part need not be whole blocks of keys.
TEST_P(CachedAttention, PartsMayHaveAnyLength) {
  auto last = static_cast<int32_t>(GetParam().context - 1);
  Rows rows(GetParam(), {1, 0, 2}, {99, last, 100}, 3);
  for (int64_t length : {100, 1, 5000})
    EXPECT_LT(rows.getError(
                  rows.attendInParts(length, getKept(GetParam(), length), 3)),
              tolerance())
        << length;
}

/// A text's rows have the same bits together, which is how a prompt is read, as
/// alone, which is how it goes on.
TEST_P(CachedAttention, TilesHaveTheBitsOfRows) {
  for (int32_t first : {490, 1000}) {
    std::vector<int32_t> positions(70);
    std::iota(positions.begin(), positions.end(), first);
    Rows rows(GetParam(), std::vector<int32_t>(70, 1), positions, 67);
    Buffer alone = rows.attend();
    EXPECT_LT(rows.getError(alone), tolerance());
    EXPECT_EQ(rows.attend("one_slot", 3).bytes, alone.bytes) << first;
    EXPECT_EQ(rows.attendInParts(512, getKept(GetParam(), 512), 4).bytes,
              alone.bytes)
        << first;
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, CachedAttention, testing::ValuesIn(shapes),
                         [](const auto &info) { return info.param.name; });

} // namespace
