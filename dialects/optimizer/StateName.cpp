//===- StateName.cpp - Names of a group's states ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/optimizer/StateName.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

bool tessera::isStateName(StringRef name) {
  return !name.empty() && llvm::isAlpha(name.front()) &&
         llvm::all_of(name,
                      [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

ParseResult tessera::parseStateName(OpAsmParser &parser, StringAttr &name) {
  StringRef text;
  SMLoc place = parser.getCurrentLocation();
  if (parser.parseKeyword(&text))
    return failure();
  if (!isStateName(text))
    return parser.emitError(place, "expected the name of a state: letters, "
                                   "digits and underscores");
  name = parser.getBuilder().getStringAttr(text);
  return success();
}

void tessera::printStateName(OpAsmPrinter &printer, Operation *,
                             StringAttr name) {
  printer << name.getValue();
}
