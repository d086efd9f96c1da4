//===- Scratch.h - Files of fuzz targets ------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_FUZZ_SCRATCH_H
#define TESSERA_TEST_FUZZ_SCRATCH_H

#include <string>
#include <string_view>

namespace tessera::fuzz {

/// The path of \p name in a folder of this process below TMPDIR (or /tmp),
/// which is removed when the process exits in good order. Targets write nowhere
/// else.
std::string scratchPath(const std::string &name);

/// Replaces the file \p path by one with \p content.
void writeFile(const std::string &path, std::string_view content);

} // namespace tessera::fuzz

#endif // TESSERA_TEST_FUZZ_SCRATCH_H
