//===- Recomputation.h - How much is recomputed -----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Decides by whole plans, not by formulas: what is asked here is how many bytes
// a rank takes in training if a number of segments is recomputed.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_RECOMPUTATION_H
#define TESSERA_DRIVER_RECOMPUTATION_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/LogicalResult.h"

namespace tessera {

/// How many segments, from the first, are recomputed, see nn-recompute.
struct Recomputation {
  int64_t whole = 0; ///< entirely
  int64_t cheap = 0; ///< at least as far as it is cheap; not below `whole`
};

/// What a plan says.
struct RecomputationPlan {
  int64_t segments = 0; ///< that could be recomputed
  int64_t bytes = 0;    ///< of the arena of training
};

using MakePlan =
    llvm::function_ref<mlir::FailureOr<RecomputationPlan>(Recomputation)>;

/// The fewest whole segments with which training takes no more memory than
/// with all of them: the last ones, whose backward pass comes soon, often make
/// no difference. Takes the more plans the more segments can be left out; 3 as
/// a rule. Fails where \p plan does.
mlir::FailureOr<Recomputation> chooseLayers(MakePlan plan);

/// The least recomputation with which training takes at most \p limit bytes:
/// first what is cheap, in the fewest segments; where that does not do, whole
/// segments, the fewest, and what is cheap in the fewest of the others. Where
/// nothing does, what takes least. Takes some 10 plans where a plan's bytes are
/// about linear in the segments.
mlir::FailureOr<Recomputation> chooseWithin(int64_t limit, MakePlan plan);

} // namespace tessera

#endif // TESSERA_DRIVER_RECOMPUTATION_H
