//===- Mpi.cpp - Several ranks --------------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Mpi.h"
#include "runtime/comm/Guard.h"
#include "runtime/comm/Launcher.h"
#include "runtime/core/Environment.h"
#include "runtime/core/Error.h"
#include <cstdlib>
#include <cstring>

namespace tessera::runtime {

/// Exits the process where MPI would start as a world of one, which takes a
/// while, or as another world than the executable's.
static void requireMpiLauncher(int world) {
  bool byMpi = environmentText("OMPI_COMM_WORLD_SIZE") ||
               environmentText("PMI_SIZE") || environmentText("PMIX_RANK");
  Started started = readLauncher();
  if (!byMpi && started.size > 1) {
    leaveErrorToRoot();
    bool slurm = started.launcher == Launcher::Slurm;
    fatal("%s has started %d processes that MPI knows nothing of: start it as "
          "'%s %d %s ...'",
          started.name, started.size,
          slurm ? "srun --mpi=pmix -n" : "mpirun -np", world, executableName());
  }
  if (!byMpi)
    requireWorld(world, 1);
  if (started.launcher == Launcher::OpenMpi)
    requireWorld(world, started.size);
}

void finalizeMpi() {
  Guard guard([] {});
  Guard::Section section(guard, "the end of MPI");
  MPI_Finalize();
}

} // namespace tessera::runtime

tessera::runtime::Communicator *tessera_create_communicator(int world) {
  using namespace tessera::runtime;
  requireMpiLauncher(world);
  // A process that never calls MPI, or stops here, would keep all others in
  // calls that know of no time limit.
  Guard guard([] {});
  Guard::Section section(guard, "the start of MPI");
  int provided = 0;
  if (MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided) !=
      MPI_SUCCESS)
    fatal("MPI cannot start");
  int rank = 0, size = 1, localSize = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  requireWorld(world, size);
  MPI_Comm node;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL,
                      &node);
  MPI_Comm_size(node, &localSize);
  MPI_Comm_free(&node);
  int allLocal = localSize == size;
  MPI_Allreduce(MPI_IN_PLACE, &allLocal, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
  const char *form = environmentText("TESSERA_COMM");
  if (form && strcmp(form, "messages") && strcmp(form, "shared"))
    fatal("TESSERA_COMM is '%s': it may be 'shared' or 'messages'", form);
  if (form && !strcmp(form, "shared") && !allLocal)
    fatal("TESSERA_COMM=shared needs all ranks on one node: leave it unset");
  bool messages = form ? !strcmp(form, "messages") : !allLocal;
  return (messages ? createMessageCommunicator(localSize)
                   : createSharedCommunicator())
      .release();
}
