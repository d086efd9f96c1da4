//===- MemoryLimit.h - Plans that are too large -----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TOOLS_TESSERA_MEMORYLIMIT_H
#define TESSERA_TOOLS_TESSERA_MEMORYLIMIT_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/raw_ostream.h"

#include <string>

namespace tessera {

/// What a module was compiled from.
struct Origin {
  std::string path;                      ///< of the specification or module
  llvm::ArrayRef<std::string> overrides; ///< each `path=value`
  std::string limitPlace;                ///< where the limit was given
  /// False where \p path is a module: nothing else can be planned then.
  bool isSpecification = true;
};

/// Fails where training, in \p module as the phase `plan` leaves it, takes more
/// than the specification's `training.memory_limit`. Then \p errors gets by how
/// much, and which settings would take less: those that a plan was made with.
mlir::LogicalResult checkMemoryLimit(mlir::ModuleOp module,
                                     const Origin &origin,
                                     llvm::raw_ostream &errors);

} // namespace tessera

#endif // TESSERA_TOOLS_TESSERA_MEMORYLIMIT_H
