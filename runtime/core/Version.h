//===- Version.h - Of what this was built -----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The compiler and the runtime that it links with come of one build, so each
// says the same. The values are written while building (cmake/WriteVersion.
// cmake): a commit compiles one small file.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CORE_VERSION_H
#define TESSERA_RUNTIME_CORE_VERSION_H

#include <string>

namespace tessera::runtime {

struct Version {
  const char *tessera; ///< "0.1.0", of the project in CMakeLists.txt
  const char *llvm;    ///< "22.1.8", of LLVM and MLIR
  const char *commit;  ///< its first 12 digits, or "unknown"
  const char *date;    ///< of the commit, "2026-11-30"; empty where unknown
};

extern const Version version;

/// What --version prints behind the program's name, with newlines:
/// "0.1.0 (commit 40e436b3a1c2)", "LLVM 22.1.8".
inline std::string versionText() {
  return std::string(version.tessera) + " (commit " + version.commit +
         ")\nLLVM " + version.llvm + "\n";
}

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CORE_VERSION_H
