//===- Environment.h - What the environment asks for ---------- -*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CORE_ENVIRONMENT_H
#define TESSERA_RUNTIME_CORE_ENVIRONMENT_H

#include <cstdint>
#include <span>

namespace tessera::runtime {

// Each exits the process with the remedy where the variable's value means
// nothing. A variable that is set to nothing counts as one that is not set.

/// The most candidates of a GEMM that TESSERA_GEMM_TRIALS may ask for.
inline constexpr int mostGemmCandidates = 8;

/// A variable of the environment that the runtime reads.
struct EnvironmentVariable {
  const char *name;
  const char *value; ///< as help calls it
  const char *help;  ///< with the value of one that is not set, if it has one
  void (*check)();   ///< refuses a value that means nothing
};

/// Those of this runtime's name (TESSERA_), in the order of the help.
std::span<const EnvironmentVariable> environmentVariables();

/// Null where \p name is not set.
const char *environmentText(const char *name);

/// A whole number from \p least to \p most; \p fallback where it is not set.
int64_t environmentInteger(const char *name, int64_t fallback, int64_t least,
                           int64_t most);

/// '0' or '1'.
bool environmentFlag(const char *name, bool fallback);

/// Seconds that a rank waits for its peers before it gives up, from
/// TESSERA_TIMEOUT (default 600).
double timeoutSeconds();

/// The threads that OMP_NUM_THREADS asks for, of a list its first; 0 where it
/// is not set.
int wantedThreads();

/// What the ranks of a run on GPUs know each other by, from TESSERA_SECRET;
/// null where it is not set.
const char *secretText();

/// Refuses values of this runtime's variables that mean nothing, whether this
/// run reads them or not, and warns of variables of its name (TESSERA_) that
/// nothing reads.
void checkEnvironment();

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CORE_ENVIRONMENT_H
