//===- SpecificationJson.h - The manifest's specification -------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_SPECIFICATIONJSON_H
#define TESSERA_CODEGEN_SPECIFICATIONJSON_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/JSON.h"

namespace tessera {

/// Writes what the manifest (docs/manifest.md) has of the specification of
/// \p module, as attributes of the object that \p json is in; nothing where the
/// module has none.
void writeSpecification(mlir::ModuleOp module, llvm::json::OStream &json);

} // namespace tessera

#endif // TESSERA_CODEGEN_SPECIFICATIONJSON_H
