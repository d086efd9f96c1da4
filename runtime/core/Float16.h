//===- Float16.h - Numbers of 16 bits ------------------------- -*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// bfloat16 and IEEE 754 binary16 as bits, and their conversions. To 16 bits a
// number is rounded to nearest, ties to even; what is too large becomes
// infinite; a NaN stays one. No conversion branches or calls a library, so
// loops over them are vectorised for any CPU.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CORE_FLOAT16_H
#define TESSERA_RUNTIME_CORE_FLOAT16_H

#include <bit>
#include <cstdint>

namespace tessera::runtime {

/// The upper half of a float's bits.
struct BFloat16 {
  uint16_t bits = 0;
};

/// One bit of sign, five of exponent (bias 15), ten of mantissa.
struct Float16 {
  uint16_t bits = 0;
};

inline float toFloat(BFloat16 number) {
  return std::bit_cast<float>(uint32_t(number.bits) << 16);
}

inline float toFloat(Float16 number) {
  constexpr uint32_t rebias = (127 - 15) << 23;
  uint32_t sign = uint32_t(number.bits & 0x8000) << 16;
  uint32_t magnitude = uint32_t(number.bits & 0x7fff) << 13;
  uint32_t exponent = magnitude & 0x0f800000;
  uint32_t normal = magnitude + rebias;
  // Infinities and NaNs have the largest exponent in both types.
  uint32_t special = normal + rebias;
  // 2^-14 (1 + m) - 2^-14: exact, and no operand is subnormal.
  uint32_t small = std::bit_cast<uint32_t>(
      std::bit_cast<float>(magnitude + rebias + (1 << 23)) - 0x1p-14f);
  uint32_t bits = exponent == 0            ? small
                  : exponent == 0x0f800000 ? special
                                           : normal;
  return std::bit_cast<float>(sign | bits);
}

inline BFloat16 toBFloat16(float number) {
  uint32_t bits = std::bit_cast<uint32_t>(number);
  uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  uint32_t quiet = bits >> 16 | 0x40;
  bool isNan = (bits & 0x7fffffff) > 0x7f800000;
  return {static_cast<uint16_t>(isNan ? quiet : rounded)};
}

inline Float16 toFloat16(float number) {
  uint32_t bits = std::bit_cast<uint32_t>(number);
  uint32_t sign = bits >> 16 & 0x8000;
  uint32_t magnitude = bits & 0x7fffffff;
  uint32_t normal =
      (magnitude - ((127 - 15) << 23) + 0xfff + (magnitude >> 13 & 1)) >> 13;
  // A float of [0.5, 1) has the smallest subnormal half as its last place, so
  // that this addition rounds to it.
  uint32_t small =
      std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) -
      std::bit_cast<uint32_t>(0.5f);
  uint32_t large = magnitude > 0x7f800000 ? 0x7e00 : 0x7c00;
  uint32_t result = magnitude < 0x38800000    ? small // below 2^-14
                    : magnitude >= 0x47800000 ? large // from 2^16
                                              : normal;
  return {static_cast<uint16_t>(sign | result)};
}

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CORE_FLOAT16_H
