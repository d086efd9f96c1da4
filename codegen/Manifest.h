//===- Manifest.h - The plan as JSON ----------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_MANIFEST_H
#define TESSERA_CODEGEN_MANIFEST_H

#include "mlir/IR/BuiltinOps.h"
#include "target/GemmShape.h"
#include <map>
#include <string>
#include <vector>

namespace tessera {

/// The products of all programs of a module, each shape once.
class GemmTable {
public:
  explicit GemmTable(mlir::ModuleOp module);
  /// The number of \p gemm's shape in the manifest.
  int64_t getId(plan::GemmOp gemm) const;

  struct Entry {
    GemmShape shape;
    int64_t scratch; ///< bytes
  };
  std::vector<Entry> entries;

private:
  std::map<GemmShape, int64_t> ids;
};

/// The manifest (docs/manifest.md) of a module in phase `plan` that carries
/// its specification.
std::string getManifest(mlir::ModuleOp module);

} // namespace tessera

#endif // TESSERA_CODEGEN_MANIFEST_H
