//===- AllTargets.cpp - The targets of this project -----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/AllTargets.h"
#include "codegen/cpu/Target.h"
#include "codegen/cuda/Target.h"

void tessera::registerAllTargets() {
  registerTarget(cpu::createTarget());
  registerTarget(cuda::createTarget());
}
