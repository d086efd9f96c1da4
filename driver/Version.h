//===- Version.h - What --version prints ------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_VERSION_H
#define TESSERA_DRIVER_VERSION_H

#include "llvm/ADT/StringRef.h"

namespace tessera {

/// Tessera's version, "0.1.0".
llvm::StringRef getVersion();

/// Makes LLVM's parser answer --version with \p tool and the versions of
/// Tessera and LLVM. \p tool lives until the process ends.
void setVersionPrinter(llvm::StringLiteral tool);

} // namespace tessera

#endif // TESSERA_DRIVER_VERSION_H
