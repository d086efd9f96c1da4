//===- AllDialects.h - Registration of all dialects -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_ALLDIALECTS_H
#define TESSERA_DIALECTS_ALLDIALECTS_H

#include "mlir/IR/DialectRegistry.h"

namespace tessera {

/// Registers this project's dialects, the upstream ones that they build on,
/// and the interfaces attached to these.
void registerAllDialects(mlir::DialectRegistry &registry);

} // namespace tessera

#endif // TESSERA_DIALECTS_ALLDIALECTS_H
