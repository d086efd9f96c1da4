//===- Zero.h - The zero dialect --------------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_ZERO_ZERO_H
#define TESSERA_DIALECTS_ZERO_ZERO_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/optimizer/Optimizer.h"
#include "dialects/optimizer/StateName.h"

#include "dialects/zero/ZeroDialect.h.inc"
#include "dialects/zero/ZeroEnums.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/zero/ZeroTypes.h.inc"

#include "dialects/zero/ZeroInterfaces.h.inc"

#define GET_OP_CLASSES
#include "dialects/zero/ZeroOps.h.inc"

namespace tessera::zero {

/// The ranks that the program around \p op runs on, or nothing where its
/// function does not say.
std::optional<int64_t> getWorld(mlir::Operation *op);

/// The ranks over which the program around \p op partitions its states: its
/// world where it does not say.
std::optional<int64_t> getShardRanks(mlir::Operation *op);

/// The ranks along \p axis.
std::optional<int64_t> getRanks(mlir::Operation *op, Axis axis);

/// The stage (0 to 3) of the program around \p op, or nothing where its
/// function does not say.
std::optional<int64_t> getStage(mlir::Operation *op);

/// Bytes of the message that zero.quantize makes of \p elements parameters: one
/// each, and four per block.
int64_t getQuantizedBytes(int64_t elements);

} // namespace tessera::zero

#endif // TESSERA_DIALECTS_ZERO_ZERO_H
