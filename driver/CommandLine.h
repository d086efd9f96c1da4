//===- CommandLine.h - Errors of the command line ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_COMMANDLINE_H
#define TESSERA_DRIVER_COMMANDLINE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/LogicalResult.h"

namespace tessera {

/// Refuses commands and options that LLVM's parser would not know, before it
/// names whatever it finds nearest: those that are nearly right are told so,
/// and fields of the specification how to set them. \p arguments begin behind
/// the program's name.
llvm::LogicalResult checkCommandLine(llvm::ArrayRef<const char *> arguments);

} // namespace tessera

#endif // TESSERA_DRIVER_COMMANDLINE_H
