//===- Members.cpp - Who takes part in a collective -----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Members.h"
#include "runtime/core/Error.h"

namespace tessera::runtime {

std::string describe(const Collective &collective) {
  std::string text = "the ";
  text += collective.kind == CollectiveKind::AllGather       ? "all_gather"
          : collective.kind == CollectiveKind::ReduceScatter ? "reduce_scatter"
                                                             : "all_reduce";
  if (collective.group >= 0)
    text += " of group '" + collective.groupName + "'";
  return text;
}

void requireWorld(int world, int size) {
  if (world == size)
    return;
  leaveErrorToRoot();
  if (size == 1)
    fatal("compiled for %d ranks, started with 1: start it as 'mpirun -np %d "
          "%s ...'",
          world, world, executableName());
  fatal("compiled for %d ranks, started with %d: start it as 'mpirun -np %d "
        "%s ...', or compile with --set parallel.world=%d",
        world, size, world, executableName(), size);
}

} // namespace tessera::runtime
