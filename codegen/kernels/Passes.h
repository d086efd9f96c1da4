//===- Passes.h - Passes on kernels of all targets --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_KERNELS_PASSES_H
#define TESSERA_CODEGEN_KERNELS_PASSES_H

#include "mlir/Pass/PassManager.h"

namespace tessera::codegen {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "codegen/kernels/Passes.h.inc"

} // namespace tessera::codegen

#endif // TESSERA_CODEGEN_KERNELS_PASSES_H
