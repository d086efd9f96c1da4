//===- KernelEmission.cpp - Kernels that write their code --------*- C++
//-*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/KernelEmission.h"

using namespace mlir;

#include "codegen/cuda/KernelEmission.cpp.inc"
