//===- Mapping.h - Mapped files that may fail -------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A mapped file that is cut short, or whose disk fails, shows it by SIGBUS at
// the next access. Here it is known which file lies at an address, so that the
// process ends with an error that names it, as fatal() would.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_FILES_MAPPING_H
#define TESSERA_RUNTIME_FILES_MAPPING_H

#include <cstdint>

namespace tessera::runtime {

/// Has SIGBUS in the \p bytes at \p address end the process with an error that
/// names \p name (cut after 255 bytes). A mapping beyond the 64th is not known.
void registerMapping(const void *address, int64_t bytes, const char *name);

/// Forgets it, before it is unmapped.
void unregisterMapping(const void *address);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_FILES_MAPPING_H
