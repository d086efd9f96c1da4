//===- Within.h - Programs in another's arena -------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A program may run between the steps of another, its host, in the host's
// arena: on its states, and else on what lies there only while a step runs.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_PLAN_WITHIN_H
#define TESSERA_DIALECTS_PLAN_WITHIN_H

#include "dialects/plan/Plan.h"

namespace tessera::plan {

/// Of a function and the program that it becomes, a symbol: its host.
inline constexpr llvm::StringLiteral withinAttrName = "plan.within";

/// The host that \p op names; null for a program with an arena of its own.
inline mlir::FlatSymbolRefAttr getWithin(mlir::Operation *op) {
  return op->getAttrOfType<mlir::FlatSymbolRefAttr>(withinAttrName);
}

/// The host of \p program, which names one; null, with an error, where that is
/// no program with an arena of its own.
inline ProgramOp getHost(ProgramOp program) {
  mlir::FlatSymbolRefAttr name = getWithin(program);
  auto host = llvm::dyn_cast_if_present<ProgramOp>(
      mlir::SymbolTable::lookupNearestSymbolFrom(program->getParentOp(), name));
  if (host && !getWithin(host))
    return host;
  program.emitOpError("runs within ")
      << name << ", which is no program with an arena of its own";
  return nullptr;
}

} // namespace tessera::plan

#endif // TESSERA_DIALECTS_PLAN_WITHIN_H
