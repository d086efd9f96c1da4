//===- Cuda.h - Collectives of CUDA executables -----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMM_CUDA_H
#define TESSERA_RUNTIME_COMM_CUDA_H

#include "runtime/comm/Rendezvous.h"
#include "runtime/program/Manifest.h"
#include <memory>

namespace tessera::runtime {

/// What collectives work on.
struct RankArena {
  int rank, ranks;
  Rendezvous &rendezvous;
  char *address; ///< on the device
  int64_t bytes;
  std::vector<Collective> collectives; ///< with this rank's own offsets
};

/// The ways to carry out the collectives of several GPUs, by the device's
/// streams: the host goes on at once, unless it says otherwise.
class CudaCollectives {
public:
  virtual ~CudaCollectives() = default;

  /// The semantics of runtime/abi.h, counted as issued to the compute stream.
  /// There is no fence: behind the wait no peer reads this rank's source.
  virtual void start(const Collective &collective) = 0;
  virtual void wait(const Collective &collective) = 0;

  /// Called now and then while the host waits for the device: exits the process
  /// where waiting is in vain. \p waited: seconds up to now.
  virtual void look(double waited) = 0;

  virtual const char *form() const = 0;
};

/// A GPU for each rank: NCCL. All ranks call it alike.
std::unique_ptr<CudaCollectives> createNcclCollectives(RankArena arena);

/// Ranks of one node that share GPUs: through the host's memory, which waits.
/// All ranks call it alike.
std::unique_ptr<CudaCollectives> createStagedCollectives(RankArena arena);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMM_CUDA_H
