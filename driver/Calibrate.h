//===- Calibrate.h - The figures of this machine ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_CALIBRATE_H
#define TESSERA_DRIVER_CALIBRATE_H

#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

namespace tessera {

/// Measures this machine for some seconds, all cores at work at the same time,
/// and writes what a specification's `machine` says of it. Rates count
/// CPU time, so that other processes disturb little.
llvm::Error calibrate(llvm::raw_ostream &out);

} // namespace tessera

#endif // TESSERA_DRIVER_CALIBRATE_H
