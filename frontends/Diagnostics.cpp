//===- Diagnostics.cpp - Errors of a specification and their places -------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/Diagnostics.h"

using namespace tessera;

std::string Diagnostics::placeOf(llvm::StringRef field) const {
  for (; !field.empty(); field = field.rsplit('.').first) {
    auto place = places.find(field);
    if (place != places.end())
      return place->second;
    if (!field.contains('.'))
      break;
  }
  return fallback;
}

Diagnostics Diagnostics::within(llvm::StringRef message) const {
  Diagnostics result(file, stream);
  result.fallback = placeOf(message);
  for (const auto &place : places) {
    llvm::StringRef field = place.getKey();
    if (field.consume_front(message) && field.consume_front("."))
      result.places[field] = place.getValue();
  }
  return result;
}

void Diagnostics::errorAt(llvm::StringRef place, const llvm::Twine &what,
                          const llvm::Twine &remedy) {
  ++errors;
  stream << place << ": error: " << what << "; " << remedy << "\n";
}

void Diagnostics::warning(llvm::StringRef field, const llvm::Twine &what) {
  stream << placeOf(field) << ": warning: " << what << "\n";
}
