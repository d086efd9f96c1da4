//===- StateName.h - Names of a group's states ------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_OPTIMIZER_STATENAME_H
#define TESSERA_DIALECTS_OPTIMIZER_STATENAME_H

#include "mlir/IR/OpImplementation.h"

namespace tessera {

/// Whether \p name may be a state's: a letter, then letters, digits and
/// underscores.
bool isStateName(llvm::StringRef name);

/// The assembly directive `StateName`: a name without quotes.
mlir::ParseResult parseStateName(mlir::OpAsmParser &parser,
                                 mlir::StringAttr &name);
void printStateName(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                    mlir::StringAttr name);

} // namespace tessera

#endif // TESSERA_DIALECTS_OPTIMIZER_STATENAME_H
