//===- PlanReport.h - The plan for a reader ---------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What `tessera plan` prints of a module in phase `plan`: memory, messages and
// arithmetic of one rank and one step of the program `train`.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_PLANREPORT_H
#define TESSERA_CODEGEN_PLANREPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/raw_ostream.h"

namespace tessera {

/// A table. Fails with a diagnostic where the module has no program `train`.
mlir::LogicalResult printPlanText(mlir::ModuleOp module,
                                  llvm::raw_ostream &out);

/// JSON: name, world, stage, shard_ranks, peak_bytes, parameters,
/// memory{category: bytes}, groups[{name, parameters, elements, padded,
/// bucket_bytes (of its whole gradients), parameter_bytes (as a rank keeps
/// them), sharded (whether that is a part), exceeds_limit (one parameter has
/// more than the specification's bucket_bytes)}], collectives[{kind, group,
/// elements, ranks, bytes, times}] in their order (the `ranks` that each is
/// among; bytes that a rank receives each of the `times` a step), flops.
mlir::LogicalResult printPlanJson(mlir::ModuleOp module,
                                  llvm::raw_ostream &out);

} // namespace tessera

#endif // TESSERA_CODEGEN_PLANREPORT_H
