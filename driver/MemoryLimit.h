//===- MemoryLimit.h - Plans that are too large -----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_MEMORYLIMIT_H
#define TESSERA_DRIVER_MEMORYLIMIT_H

#include "driver/Planner.h"
#include "mlir/IR/BuiltinOps.h"

namespace tessera {

/// Fails where training, in \p module as the phase `plan` leaves it, takes more
/// than the specification's `training.memory_limit`, which was given at \p
/// place. Then \p errors gets by how much, and which settings would take less:
/// those that \p planner, unless it is null, made a plan with.
mlir::LogicalResult checkMemoryLimit(mlir::ModuleOp module,
                                     llvm::StringRef place,
                                     const Planner *planner,
                                     llvm::raw_ostream &errors);

/// What makes training, in \p module as the phase `plan` leaves it, take less:
/// of each field that helps the smallest change after which it takes \p limit
/// bytes at most, or else its best one, and all of these together where none is
/// enough. \p planner has made a plan with each.
std::vector<PlanReport::Remedy>
findRemedies(mlir::ModuleOp module, const Planner &planner, int64_t limit);

} // namespace tessera

#endif // TESSERA_DRIVER_MEMORYLIMIT_H
