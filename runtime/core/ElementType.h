//===- ElementType.h - Types of elements in memory ------------ -*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CORE_ELEMENTTYPE_H
#define TESSERA_RUNTIME_CORE_ELEMENTTYPE_H

#include <cstdint>
#include <string>

namespace tessera::runtime {

/// The type of an element in memory.
enum class ElementType {
  F32,
  F64,
  Bf16,
  F16,
  I8 ///< bytes that stand for numbers, which collectives only move
};

/// Bytes of an element.
constexpr int64_t sizeOf(ElementType type) {
  return type == ElementType::F64   ? 8
         : type == ElementType::F32 ? 4
         : type == ElementType::I8  ? 1
                                    : 2;
}

/// The type of a name like "f32"; exits the process on another.
ElementType parseElementType(const std::string &name);

/// \p count elements of 16 bits or of f32 at \p from, as fp32.
void toFloats(ElementType type, const void *from, int64_t count, float *to);

/// \p count numbers as 16 bits, rounded to nearest even, or as f32.
void fromFloats(ElementType type, const float *from, int64_t count, void *to);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CORE_ELEMENTTYPE_H
