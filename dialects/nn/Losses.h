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

/// What a block of logits, [rows, classes], says of its rows' targets, [rows],
/// which are class indices; a row with a negative one does not count, and gives
/// 0 whatever its logits are.
class RowLogits {
public:
  RowLogits(Formula &f, mlir::Value logits, mlir::Value targets);

  /// The cross-entropy times the scalar \p scale: [rows].
  mlir::Value loss(mlir::Value scale);
  /// Its gradient: [rows, classes], of the logits' element type.
  mlir::Value gradient(mlir::Value scale);
  /// The logarithm of the target's probability: [rows].
  mlir::Value logProbability();
  /// 1 where the target is the first of the row's largest logits: [rows].
  mlir::Value correct();

private:
  mlir::Value isCounted(mlir::Value targets);
  /// \p value where the row counts.
  mlir::Value ofCounted(mlir::Value value);

  Formula &f;
  mlir::Value narrow, logits, targets;
  mlir::RankedTensorType type, integers, perRow;
  mlir::Value max, exponentials, sum;
  mlir::Value column, hit, picked; ///< of them the target's logit
};

} // namespace tessera::nn

#endif // TESSERA_DIALECTS_NN_LOSSES_H
