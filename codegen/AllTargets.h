//===- AllTargets.h - The targets of this project ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_ALLTARGETS_H
#define TESSERA_CODEGEN_ALLTARGETS_H

namespace tessera {

/// Registers CPUs and NVIDIA GPUs.
void registerAllTargets();

} // namespace tessera

#endif // TESSERA_CODEGEN_ALLTARGETS_H
