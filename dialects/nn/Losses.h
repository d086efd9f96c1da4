//===- Losses.h - The cross-entropy of rows of logits -----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_NN_LOSSES_H
#define TESSERA_DIALECTS_NN_LOSSES_H

#include "dialects/nn/Formula.h"

namespace tessera::nn {

/// The loss of each row of a block of logits and, if wanted, the gradient with
/// respect to the logits.
struct RowLoss {
  mlir::Value loss;     ///< [rows], 0 where the target does not count
  mlir::Value gradient; ///< [rows, classes], of the logits' element type
};

/// The cross-entropy of \p logits, [rows, classes], against the class indices
/// \p targets, [rows] (negative ones do not count), times the scalar \p scale.
RowLoss buildRowLoss(Formula &f, mlir::Value logits, mlir::Value targets,
                     mlir::Value scale, bool wantGradient);

} // namespace tessera::nn

#endif // TESSERA_DIALECTS_NN_LOSSES_H
