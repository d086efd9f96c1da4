//===- Cuda.cpp - Communicators of CUDA executables -----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Cuda.h"
#include "runtime/comm/Launcher.h"
#include "runtime/comm/Members.h"
#include "runtime/core/Environment.h"
#include "runtime/core/Error.h"
#include "runtime/cuda/Device.h"
#include "runtime/program/Communicator.h"
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace tessera::runtime {
namespace {

class CudaCommunicator final : public Communicator {
public:
  explicit CudaCommunicator(const Launch &launch) : launch(launch) {
    ownRank = launch.rank;
    ranks = launch.size;
    rankOnNode = launch.localRank;
    ranksOnNode = launch.localSize;
    if (ranks > 1)
      rendezvous = std::make_unique<Rendezvous>(launch);
  }

  char *allocateArena(const Program &program, OffloadFile *) override {
    cuda::GpuDevice &device = cuda::device();
    collectives = resolve(program);
    arena = device.allocateArena(program);
    if (ranks == 1)
      return arena;
    RankArena all = {ownRank,    ranks, *rendezvous, arena, program.arenaBytes,
                     collectives};
    means = isStaged() ? createStagedCollectives(std::move(all))
                       : createNcclCollectives(std::move(all));
    device.setWatch(
        [](void *means, double waited) {
          static_cast<CudaCollectives *>(means)->look(waited);
        },
        means.get());
    return arena;
  }

  void start(int id) override {
    if (means)
      means->start(collectives[id]);
  }

  void wait(int id) override {
    const Collective &collective = collectives[id];
    if (means)
      return means->wait(collective);
    // What one rank gathers or sums is what it has.
    if (!collective.inPlace)
      cuda::driver().memcpyDtoDAsync(
          cuda::toDevice(arena + collective.destination),
          cuda::toDevice(arena + collective.source),
          collective.elements * collective.elementSize(),
          cuda::device().compute());
  }

  void fence(int) override {}

  void copyToRoot(int source, int64_t offset, int64_t bytes,
                  char *destination) override {
    if (source == 0 && isRoot())
      return cuda::device().read(destination, arena + offset, bytes);
    // In pieces, so that a rank needs little memory for it.
    for (int64_t at = 0; at < bytes; at += largestPiece) {
      int64_t count = std::min(largestPiece, bytes - at);
      if (isRoot()) {
        rendezvous->receive(source, destination + at, count);
      } else if (ownRank == source) {
        piece.resize(count);
        cuda::device().read(piece.data(), arena + offset + at, count);
        rendezvous->sendToRoot(piece.data(), count);
      }
    }
  }

  bool markFailed() override { return !rendezvous || rendezvous->markFailed(); }

  void finish() override {
    barrier();
    cuda::device().setWatch(nullptr, nullptr);
    means.reset();
    // Who is still busy with that would take a peer that has exited for dead.
    barrier();
  }

  const char *form() const override { return means ? means->form() : "none"; }

private:
  void exchangeBytes(const void *mine, void *all, size_t bytes) override {
    if (rendezvous)
      rendezvous->exchange(mine, all, bytes);
    else
      memcpy(all, mine, bytes);
  }

  static constexpr int64_t largestPiece = 16 << 20;

  bool isStaged();

  Launch launch;
  std::unique_ptr<Rendezvous> rendezvous; // null for one rank, as is `means`
  std::unique_ptr<CudaCollectives> means;
  std::vector<Collective> collectives;
  char *arena = nullptr;
  std::vector<char> piece;
};

/// Which GPU of which machine a rank has.
struct Place {
  char machine[40], gpu[24];
  bool operator==(const Place &) const = default;
};
static_assert(sizeof(Place) <= Communicator::exchangeLimit);

/// Whether the ranks do without NCCL: two of them have the same GPU, or the
/// user wants it so.
bool CudaCommunicator::isStaged() {
  Place mine = {};
  std::ifstream("/proc/sys/kernel/random/boot_id")
      .read(mine.machine, sizeof mine.machine - 1);
  // A rank may see its GPU under a number of its own.
  const cuda::Driver &driver = cuda::driver();
  cuda::Function<char *, int, int> getBusId(driver.library,
                                            "cuDeviceGetPCIBusId");
  int gpu = 0;
  driver.deviceGet(&gpu, cuda::device().ordinal());
  getBusId(mine.gpu, sizeof mine.gpu, gpu);
  std::vector<Place> all(ranks);
  rendezvous->exchange(&mine, all.data(), sizeof mine);
  bool shared = std::any_of(all.begin(), all.end(), [&](const Place &place) {
    return std::count(all.begin(), all.end(), place) > 1;
  });
  const char *form = environmentText("TESSERA_COMM");
  if (form && strcmp(form, "nccl") && strcmp(form, "staged"))
    fatal("TESSERA_COMM is '%s': it may be 'nccl' or 'staged'", form);
  bool staged = form ? !strcmp(form, "staged") : shared;
  if (staged && !launch.isOneNode())
    fatal("%s: start one rank per GPU on each node",
          shared ? "ranks of several nodes share GPUs"
                 : "TESSERA_COMM=staged needs all ranks on one node");
  return staged;
}

} // namespace
} // namespace tessera::runtime

tessera::runtime::Communicator *tessera_create_communicator(int world) {
  using namespace tessera::runtime;
  Launch launch;
  if (world > 1) {
    launch = readLaunch();
    requireWorld(world, launch.size);
  } else if (int place = readLauncher().localRank.value_or(0)) {
    // Runs that a launcher has started beside each other, one per GPU.
    launch.localRank = place;
    launch.localSize = place + 1;
  }
  return new CudaCommunicator(launch);
}
