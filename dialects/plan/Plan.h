//===- Plan.h - The plan dialect --------------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_PLAN_PLAN_H
#define TESSERA_DIALECTS_PLAN_PLAN_H

#include "dialects/optimizer/StateName.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/plan/PlanDialect.h.inc"
#include "dialects/plan/PlanEnums.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/plan/PlanTypes.h.inc"

#define GET_OP_CLASSES
#include "dialects/plan/PlanOps.h.inc"

namespace tessera::plan {

/// Each buffer begins at a multiple of this many bytes and is as long as one.
constexpr int64_t bufferAlignment = 64;
constexpr int64_t categoryCount = 7;
/// The first of them are those of a training step, which has no cache.
constexpr int64_t stepCategoryCount = 6;
/// Buffers in the file begin at multiples of a page, which is read and dropped
/// as a whole.
constexpr int64_t pageBytes = 4096;
/// No program runs on more ranks, and no size, offset or stride in bytes is
/// larger, so that the sum of a few of them does not overflow.
constexpr int64_t maxRanks = 65536, maxBytes = int64_t(1) << 60;

/// True if \p op is something that runs: launch, gemm, start, wait, fence,
/// clear, copy, fetch or evict.
bool isStep(mlir::Operation *op);

/// The collectives of \p program, in order, and how often a step of training
/// runs each.
llvm::SmallVector<std::pair<StartOp, int64_t>>
getCollectives(ProgramOp program);

/// Bytes of an element of \p type in memory (i1: one).
int64_t getElementBytes(mlir::Type type);

/// Bytes of a tensor or buffer of static shape.
int64_t getBytes(mlir::ShapedType type);

} // namespace tessera::plan

#endif // TESSERA_DIALECTS_PLAN_PLAN_H
