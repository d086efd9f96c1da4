//===- Spec.h - The specification that a module carries ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_SPEC_H
#define TESSERA_DIALECTS_SPEC_H

#include "mlir/IR/BuiltinOps.h"

namespace tessera {

/// The entry \p path ("training.world") of the specification that the module
/// carries as the attribute `tessera.spec`, or null.
inline mlir::Attribute getSpec(mlir::ModuleOp module, llvm::StringRef path) {
  mlir::Attribute entry = module->getAttr("tessera.spec");
  while (entry && !path.empty()) {
    auto [name, rest] = path.split('.');
    auto dictionary = mlir::dyn_cast<mlir::DictionaryAttr>(entry);
    entry = dictionary ? dictionary.get(name) : mlir::Attribute();
    path = rest;
  }
  return entry;
}

/// Sets the entry \p path of that specification, whose dictionaries on the way
/// to it must exist.
inline void setSpec(mlir::ModuleOp module, llvm::StringRef path,
                    mlir::Attribute value) {
  auto [parent, name] = path.rsplit('.');
  if (name.empty())
    std::swap(parent, name);
  mlir::NamedAttrList entries(
      mlir::cast<mlir::DictionaryAttr>(getSpec(module, parent)));
  entries.set(name, value);
  auto dictionary = entries.getDictionary(module.getContext());
  if (parent.empty())
    module->setAttr("tessera.spec", dictionary);
  else
    setSpec(module, parent, dictionary);
}

/// An entry as an integer, \p missing where there is none.
inline int64_t getSpecInt(mlir::ModuleOp module, llvm::StringRef path,
                          int64_t missing) {
  auto entry =
      mlir::dyn_cast_if_present<mlir::IntegerAttr>(getSpec(module, path));
  return entry ? entry.getInt() : missing;
}

/// The same as text.
inline llvm::StringRef getSpecText(mlir::ModuleOp module, llvm::StringRef path,
                                   llvm::StringRef missing) {
  auto entry =
      mlir::dyn_cast_if_present<mlir::StringAttr>(getSpec(module, path));
  return entry ? entry.getValue() : missing;
}

/// The same as a floating-point number.
inline double getSpecFloat(mlir::ModuleOp module, llvm::StringRef path,
                           double missing) {
  auto entry =
      mlir::dyn_cast_if_present<mlir::FloatAttr>(getSpec(module, path));
  return entry ? entry.getValueAsDouble() : missing;
}

} // namespace tessera

#endif // TESSERA_DIALECTS_SPEC_H
