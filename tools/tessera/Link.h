//===- Link.h - Linking of executables --------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TOOLS_TESSERA_LINK_H
#define TESSERA_TOOLS_TESSERA_LINK_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace tessera {

/// What an executable runs on: one rank on the processor, several of them, or
/// any number of ranks on GPUs.
enum class ExecutableKind { OneRank, SeveralRanks, GPU };

/// Links \p object with the runtime that stands beside this compiler into
/// \p executable, by the system's C++ compiler.
llvm::Error linkExecutable(llvm::StringRef object, llvm::StringRef executable,
                           ExecutableKind kind);

} // namespace tessera

#endif // TESSERA_TOOLS_TESSERA_LINK_H
