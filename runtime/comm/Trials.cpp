//===- Trials.cpp - Ranks that share trials of an audit -------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each rank runs programs of one rank, and shares with the others what comes of
// them over TCP alone. So an executable takes part under any launcher, in any
// number, and needs neither MPI nor NCCL.
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Rendezvous.h"
#include "runtime/comm/Single.h"

namespace tessera::runtime {
namespace {

class TrialCommunicator final : public SingleCommunicator {
public:
  explicit TrialCommunicator(const Launch &launch) : rendezvous(launch) {
    ownRank = launch.rank;
    ranks = launch.size;
    rankOnNode = launch.localRank;
    ranksOnNode = launch.localSize;
  }

  std::vector<std::string> collect(const std::string &mine) override {
    return rendezvous.collect(mine);
  }
  void look() override { rendezvous.look(); }
  bool markFailed() override { return rendezvous.markFailed(); }
  void finish() override { barrier(); }
  const char *form() const override { return "TCP"; }

private:
  void exchangeBytes(const void *mine, void *all, size_t bytes) override {
    rendezvous.exchange(mine, all, bytes);
  }

  Rendezvous rendezvous;
};

} // namespace
} // namespace tessera::runtime

tessera::runtime::Communicator *tessera_create_communicator(int world) {
  using namespace tessera::runtime;
  if (world == 1)
    return new SingleCommunicator;
  return new TrialCommunicator(readLaunch());
}
