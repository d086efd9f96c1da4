//===- Link.h - Linking of executables --------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_LINK_H
#define TESSERA_DRIVER_LINK_H

#include "target/Target.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace tessera {

/// Links \p objects with the runtime that stands beside this compiler and
/// \p parts into \p executable, by the system's C++ compiler.
llvm::Error linkExecutable(llvm::ArrayRef<std::string> objects,
                           llvm::StringRef executable, const LinkParts &parts);

} // namespace tessera

#endif // TESSERA_DRIVER_LINK_H
