//===- CharClasses.cpp - What characters are ------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/tokenizer/CharClasses.h"
#include <unicode/uchar.h>
#include <vector>

namespace tessera::runtime {
namespace {

constexpr char32_t codePoints = 0x110000;
constexpr int unicodeVersion = 14;

/// The marks of BLOOM's split, besides white space: it keeps them apart from
/// words.
constexpr char32_t bloomMarks[] = {'(',    '|',    ')',    '.',    ',',
                                   '!',    '?',    0x2026, 0x3002, 0xff0c,
                                   0x3001, 0x0964, 0x06d4, 0x060c};

UBool addRange(const void *context, UChar32 begin, UChar32 end,
               UCharCategory category) {
  auto &classes =
      *static_cast<std::vector<uint8_t> *>(const_cast<void *>(context));
  uint32_t mask = U_MASK(category);
  uint8_t added = mask & U_GC_L_MASK   ? LetterClass
                  : mask & U_GC_N_MASK ? NumberClass
                                       : 0;
  if (!added)
    return true;
  for (UChar32 c = begin; c < end; ++c) {
    UVersionInfo age;
    u_charAge(c, age);
    if (age[0] <= unicodeVersion)
      classes[c] |= added;
  }
  return true;
}

std::vector<uint8_t> makeClasses() {
  std::vector<uint8_t> classes(codePoints);
  u_enumCharTypes(addRange, &classes);
  for (char32_t c = 0; c <= 0x3000; ++c)
    if (isSpace(c))
      classes[c] |= SpaceClass | BloomClass;
  for (char32_t c : bloomMarks)
    classes[c] |= BloomClass;
  return classes;
}

} // namespace

const uint8_t *charClasses() {
  static const std::vector<uint8_t> classes = makeClasses();
  return classes.data();
}

bool isSpace(char32_t c) { return u_isUWhiteSpace(static_cast<UChar32>(c)); }

bool isWordCharacter(char32_t character) {
  auto c = static_cast<UChar32>(character);
  return u_hasBinaryProperty(c, UCHAR_ALPHABETIC) ||
         u_hasBinaryProperty(c, UCHAR_JOIN_CONTROL) ||
         (U_GET_GC_MASK(c) & (U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK));
}

} // namespace tessera::runtime
