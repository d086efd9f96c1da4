//===- ModuleText.h - Modules among texts -----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_MODULETEXT_H
#define TESSERA_FRONTENDS_MODULETEXT_H

#include "llvm/ADT/StringRef.h"

namespace tessera {

/// Whether \p text is a module in MLIR's syntax, and no specification, to go by
/// how its lines begin. readSource() takes such a one of up to maxModuleBytes.
bool isModuleText(llvm::StringRef text);

} // namespace tessera

#endif // TESSERA_FRONTENDS_MODULETEXT_H
