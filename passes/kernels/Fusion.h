//===- Fusion.h - Which operations make one kernel --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_PASSES_KERNELS_FUSION_H
#define TESSERA_PASSES_KERNELS_FUSION_H

#include "dialects/nn/IterationSpace.h"

namespace tessera::kernels {

/// The operations of one kernel to be.
struct Cluster {
  nn::IterationSpace space;
  /// What it computes, in program order.
  llvm::SmallVector<mlir::Operation *> body;
  /// Values from outside, in order of first use.
  llvm::SmallVector<mlir::Value> inputs;
  /// Values that something outside needs, in program order.
  llvm::SmallVector<mlir::Value> outputs;
  /// The operation that the launch must follow; null: the block's start.
  mlir::Operation *after = nullptr;
};

/// Fuses the fusible operations of a straight-line block. The clusters come in
/// an order in which they can be launched, and none has more than
/// \p mostColumnSums sums along the columns. Fails, with a diagnostic, where an
/// operation has no place in any iteration space.
llvm::FailureOr<std::vector<Cluster>> fuse(mlir::Block &block,
                                           int64_t mostColumnSums);

} // namespace tessera::kernels

#endif // TESSERA_PASSES_KERNELS_FUSION_H
