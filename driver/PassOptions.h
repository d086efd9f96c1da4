//===- PassOptions.h - MLIR's options for passes ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_PASSOPTIONS_H
#define TESSERA_DRIVER_PASSOPTIONS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/CommandLine.h"

namespace tessera {

/// Gives \p commands MLIR's options of how IR is printed, of what is seen of
/// passes (IR, times, statistics) and of reproducers, under their names in
/// mlir-opt, in \p category.
void registerPassOptions(llvm::ArrayRef<llvm::cl::SubCommand *> commands,
                         llvm::cl::OptionCategory &category);

/// The name of one of them that was given; empty where none was.
llvm::StringRef findGivenPassOption();

/// Whether one of them was given that takes passes to run one after another.
bool needOnePassAtATime();

} // namespace tessera

#endif // TESSERA_DRIVER_PASSOPTIONS_H
