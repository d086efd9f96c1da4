//===- ElementType.cpp - Types of elements in memory ----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/ElementType.h"
#include "runtime/core/Error.h"
#include "runtime/core/Float16.h"
#include <cstring>

namespace tessera::runtime {

ElementType parseElementType(const std::string &name) {
  if (name == "f32")
    return ElementType::F32;
  if (name == "f64")
    return ElementType::F64;
  if (name == "bf16")
    return ElementType::Bf16;
  if (name == "f16")
    return ElementType::F16;
  if (name == "i8")
    return ElementType::I8;
  fatal("the embedded manifest names an unknown type '%s'", name.c_str());
}

template <typename Number>
static void widen(const void *from, int64_t count, float *to) {
  auto *numbers = static_cast<const Number *>(from);
  for (int64_t i = 0; i < count; ++i)
    to[i] = toFloat(numbers[i]);
}

void toFloats(ElementType type, const void *from, int64_t count, float *to) {
  if (type == ElementType::Bf16)
    widen<BFloat16>(from, count, to);
  else if (type == ElementType::F16)
    widen<Float16>(from, count, to);
  else
    memcpy(to, from, count * sizeof(float));
}

void fromFloats(ElementType type, const float *from, int64_t count, void *to) {
  if (type == ElementType::Bf16)
    for (int64_t i = 0; i < count; ++i)
      static_cast<BFloat16 *>(to)[i] = toBFloat16(from[i]);
  else if (type == ElementType::F16)
    for (int64_t i = 0; i < count; ++i)
      static_cast<Float16 *>(to)[i] = toFloat16(from[i]);
  else
    memcpy(to, from, count * sizeof(float));
}

} // namespace tessera::runtime
