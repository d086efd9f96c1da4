//===- KernelInterface.h - Operations that are kernels ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TARGET_KERNELINTERFACE_H
#define TESSERA_TARGET_KERNELINTERFACE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OpDefinition.h"

namespace tessera {

/// Bytes of all tensors that \p op takes and gives.
int64_t getTensorBytes(mlir::Operation *op);

} // namespace tessera

#include "target/KernelInterface.h.inc"

namespace tessera {

/// The operation of \p kernel that is a kernel by itself, as the interface of
/// all targets or of one; null where it has none: then its body is elementwise
/// operations, broadcasts and reductions.
template <typename Interface = KernelOpInterface>
Interface getKernelOp(mlir::func::FuncOp kernel) {
  for (mlir::Operation &op : kernel.getBody().front())
    if (auto single = mlir::dyn_cast<Interface>(op))
      return single;
  return {};
}

} // namespace tessera

#endif // TESSERA_TARGET_KERNELINTERFACE_H
