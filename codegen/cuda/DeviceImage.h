//===- DeviceImage.h - Machine code of a device -----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CUDA_DEVICEIMAGE_H
#define TESSERA_CODEGEN_CUDA_DEVICEIMAGE_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace tessera::cuda {

/// What ptxas says of one function on one architecture.
struct FunctionReport {
  std::string name, architecture;
  int64_t registers = 0;  ///< a thread
  int64_t spillBytes = 0; ///< stored and loaded, a thread
  int64_t sharedBytes = 0, stackBytes = 0;
};

/// Device code as the driver loads it.
struct DeviceImage {
  /// A fatbin: a cubin for each architecture and PTX for later ones. Where
  /// the machine has no CUDA toolkit, PTX for the first architecture alone.
  std::string bytes;
  /// Empty where there is no toolkit.
  std::vector<FunctionReport> functions;
};

/// Functions of a device as LLVM IR on which LLVM's passes have run, which is
/// the same for all architectures. It belongs to no context, so that threads
/// can share it.
struct DeviceCode {
  llvm::SmallString<0> bitcode;
};

/// Translates \p module, in the LLVM and NVVM dialects; LLVM's passes are told
/// that it is for \p architecture.
mlir::FailureOr<DeviceCode> optimizeDeviceCode(mlir::gpu::GPUModuleOp module,
                                               llvm::StringRef architecture);

/// PTX of \p code, which is that of \p module, for \p architecture, such as
/// "sm_80" or "sm_90a".
mlir::FailureOr<std::string> emitPtx(mlir::gpu::GPUModuleOp module,
                                     const DeviceCode &code,
                                     llvm::StringRef architecture);

/// Compiles \p module for all of \p architectures, side by side.
mlir::FailureOr<DeviceImage>
emitImage(mlir::gpu::GPUModuleOp module,
          llvm::ArrayRef<std::string> architectures);

/// The architecture without the letter that ties code to it: PTX for it also
/// runs on later ones.
llvm::StringRef getBaseArchitecture(llvm::StringRef architecture);

/// Splits "sm_80,sm_90a".
std::vector<std::string> splitArchitectures(llvm::StringRef text);

} // namespace tessera::cuda

#endif // TESSERA_CODEGEN_CUDA_DEVICEIMAGE_H
