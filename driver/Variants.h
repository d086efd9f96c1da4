//===- Variants.h - The commands that plan variants -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_VARIANTS_H
#define TESSERA_DRIVER_VARIANTS_H

#include "driver/Commands.h"

namespace tessera {

/// `plan --sweep`: fails also where no combination could be planned.
llvm::LogicalResult runSweep(const CommandOptions &options);

/// `plan --fit`.
llvm::LogicalResult runFit(const CommandOptions &options);

} // namespace tessera

#endif // TESSERA_DRIVER_VARIANTS_H
