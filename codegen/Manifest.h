//===- Manifest.h - The plan as JSON ----------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_MANIFEST_H
#define TESSERA_CODEGEN_MANIFEST_H

#include "mlir/IR/BuiltinOps.h"
#include <string>

namespace tessera {

/// The manifest (docs/manifest.md) of a module in phase `plan` that carries
/// its specification, once plan-assign-ids has run.
std::string getManifest(mlir::ModuleOp module);

} // namespace tessera

#endif // TESSERA_CODEGEN_MANIFEST_H
