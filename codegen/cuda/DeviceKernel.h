//===- DeviceKernel.h - Kernels as functions of a device --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CUDA_DEVICEKERNEL_H
#define TESSERA_CODEGEN_CUDA_DEVICEKERNEL_H

#include "codegen/cuda/KernelEmission.h"
#include "dialects/plan/Plan.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tessera::cuda {

/// The grids of \p kernel, a function from tensors to tensors, and the scratch
/// memory of one launch.
llvm::SmallVector<Grid> getGrids(mlir::func::FuncOp kernel);
int64_t getScratchBytes(mlir::func::FuncOp kernel);

/// The name of the device function of grid number \p grid of kernel \p name:
/// "k", "k_grid1", "k_grid2".
std::string getDeviceName(llvm::StringRef name, unsigned grid);

/// Writes \p kernel, a function @k from tensors to tensors, into \p device as
/// one function a grid,
///
///   gpu.func @k(arguments' buffers..., results' buffers..., scratch) kernel
///       attributes {known_grid_size, known_block_size, plan.kernel = "k"}
///
/// and erases it. Buffers that `plan.inplace` does not name do not alias what
/// the kernel writes.
mlir::LogicalResult buildDeviceKernel(mlir::func::FuncOp kernel,
                                      mlir::gpu::GPUModuleOp device);

} // namespace tessera::cuda

#endif // TESSERA_CODEGEN_CUDA_DEVICEKERNEL_H
