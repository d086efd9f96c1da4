//===- KernelInterface.cpp - Operations that are kernels --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/KernelInterface.h"

using namespace mlir;

#include "codegen/cuda/KernelInterface.cpp.inc"
