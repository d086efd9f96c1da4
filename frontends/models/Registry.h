//===- Registry.h - Kinds by their names ------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_MODELS_REGISTRY_H
#define TESSERA_FRONTENDS_MODELS_REGISTRY_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/ErrorHandling.h"

#include <map>
#include <string>

namespace tessera {

/// What there is of one sort of a model's parts, by the names that the
/// specification uses, in lower case. A part from outside this folder is added
/// before a model is built.
template <typename Kind> class Registry {
public:
  Registry(std::initializer_list<std::pair<const std::string, Kind>> kinds)
      : kinds(kinds) {}

  void add(llvm::StringRef name, Kind kind) {
    kinds.insert_or_assign(name.str(), std::move(kind));
  }

  bool contains(llvm::StringRef name) const {
    return kinds.count(name.str()) != 0;
  }

  /// All of them, by their names.
  auto begin() const { return kinds.begin(); }
  auto end() const { return kinds.end(); }

  /// The kind named \p name, which must be there: a specification that was
  /// checked names no other.
  const Kind &get(llvm::StringRef name) const {
    auto kind = kinds.find(name.str());
    if (kind == kinds.end())
      llvm::report_fatal_error("no part of a model is registered as `" +
                               llvm::Twine(name) + "`");
    return kind->second;
  }

private:
  std::map<std::string, Kind> kinds;
};

} // namespace tessera

#endif // TESSERA_FRONTENDS_MODELS_REGISTRY_H
