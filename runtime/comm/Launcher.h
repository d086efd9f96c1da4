//===- Launcher.h - Who has started this process -------------- -*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMM_LAUNCHER_H
#define TESSERA_RUNTIME_COMM_LAUNCHER_H

#include <optional>

namespace tessera::runtime {

enum class Launcher { None, Torchrun, OpenMpi, Slurm, Pmi, Pmix };

/// This process among those that one launcher has started, by its environment.
struct Started {
  Launcher launcher = Launcher::None;
  const char *name = "nothing"; ///< such as "mpirun"
  /// Of PMIx alone only the rank is known: a rank above 0 then has a size that
  /// is just above it, and rank 0 a size of 1.
  int rank = 0, size = 1;
  /// Among the ranks of this node, where the launcher says so.
  std::optional<int> localRank, localSize;
};

/// Knows torchrun, Open MPI's mpirun, Slurm's srun, and PMI and PMIx; of
/// several the first in this order that has started more than one process,
/// else the first. A variable that comes without its companions, such as RANK
/// without WORLD_SIZE, says nothing. Exits the process with the remedy where a
/// variable is no number.
Started readLauncher();

/// The number that \p launcher has set \p variable to; exits the process where
/// it is none.
std::optional<int> launcherNumber(const char *launcher, const char *variable);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMM_LAUNCHER_H
