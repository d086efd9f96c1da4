//===- Target.h - CPUs as a target -------------------------------*- C++
//-*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CPU_TARGET_H
#define TESSERA_CODEGEN_CPU_TARGET_H

#include "target/Target.h"

namespace tessera::cpu {

std::unique_ptr<Target> createTarget();

} // namespace tessera::cpu

#endif // TESSERA_CODEGEN_CPU_TARGET_H
