//===- Describe.h - The command describe ------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//     tessera describe [--as man|bash|zsh] [-o FILE]
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_DESCRIBE_H
#define TESSERA_DRIVER_DESCRIBE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/LogicalResult.h"

namespace tessera {

/// Writes the commands and options that are registered with LLVM's parser, and
/// the fields of specifications, in the form \p form to the file \p output, or
/// to the standard output. Writes its errors to the standard error.
llvm::LogicalResult runDescribe(llvm::StringRef form, llvm::StringRef output);

} // namespace tessera

#endif // TESSERA_DRIVER_DESCRIBE_H
