//===- Nccl.cpp - A GPU for each rank -------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Cuda.h"
#include "runtime/comm/Guard.h"
#include "runtime/comm/Members.h"
#include "runtime/comm/NcclLibrary.h"
#include "runtime/comm/Peers.h"
#include "runtime/core/Error.h"
#include "runtime/cuda/Device.h"
#include <atomic>
#include <map>
#include <thread>

namespace tessera::runtime {
namespace {

nccl::DataType toDataType(ElementType type) {
  switch (type) {
  case ElementType::F32:
    return nccl::Float32;
  case ElementType::F64:
    return nccl::Float64;
  case ElementType::Bf16:
    return nccl::Bfloat16;
  case ElementType::F16:
    return nccl::Float16;
  case ElementType::I8:
    break;
  }
  return nccl::Int8;
}

/// A collective runs on the communication stream: its start makes that stream
/// wait for what the compute stream has been given, its wait makes the compute
/// stream wait for it. Events and calls alike may be captured into a graph.
class NcclCollectives final : public CudaCollectives {
public:
  explicit NcclCollectives(RankArena all)
      : all(std::move(all)), guard([this] { this->all.rendezvous.look(); }) {
    int version = 0;
    nccl.getVersion(&version);
    name = "NCCL " + std::to_string(version / 10000) + "." +
           std::to_string(version / 100 % 100) + "." +
           std::to_string(version % 100);
    connect();
  }

  ~NcclCollectives() override {
    Guard::Section section(guard, "the end of NCCL");
    for (const auto &[key, group] : groups) {
      nccl.commDeregister(group.communicator, group.registration);
      if (key != world())
        nccl.commDestroy(group.communicator);
    }
    nccl.commDestroy(groups.at(world()).communicator);
  }

  void start(const Collective &collective) override {
    const Use &use = uses[collective.id];
    cuda::GpuDevice &device = cuda::device();
    device.order(device.compute(), device.communication(), use.ready);
    enqueue(collective, use);
    driver.eventRecord(use.done, device.communication());
  }

  void wait(const Collective &collective) override {
    driver.streamWaitEvent(cuda::device().compute(), uses[collective.id].done,
                           0);
  }

  void look(double waited) override;

  const char *form() const override { return name.c_str(); }

private:
  /// Number of ranks and their distance.
  using Key = std::pair<int, int>;

  /// The ranks of a grid's row or column.
  struct Group {
    nccl::Comm communicator = nullptr;
    void *registration = nullptr; ///< of the arena
  };

  /// What a collective needs each time.
  struct Use {
    nccl::Comm communicator;
    Members members;
    cuda::Event ready, done;
    std::string name; ///< for messages
  };

  Key world() const { return {all.ranks, 1}; }
  void connect();
  void enqueue(const Collective &collective, const Use &use);
  void abort();

  RankArena all;
  const cuda::Driver &driver = cuda::driver();
  const nccl::Api &nccl = nccl::api();
  std::string name;
  std::map<Key, Group> groups;
  std::vector<Use> uses; // by collective
  Guard guard;
};

/// NCCL sums into a destination of the sources' type and keeps nothing of what
/// it holds: the plan has kernels for the rest.
void requirePlainSum(const Collective &collective) {
  if (collective.accumulate || collective.destinationType != collective.type)
    fatal("the embedded manifest has %s with a sum that NCCL cannot make: "
          "compile the specification again with this version of tessera",
          describe(collective).c_str());
}

void NcclCollectives::connect() {
  Guard::Section section(guard, "the start of NCCL");
  nccl::UniqueId id = {};
  if (all.rank == 0)
    nccl.getUniqueId(&id);
  all.rendezvous.broadcast(&id, sizeof id);
  nccl::Comm whole = nullptr;
  nccl.commInitRank(&whole, all.ranks, id, all.rank);
  groups[world()].communicator = whole;
  for (const Collective &collective : all.collectives) {
    requirePlainSum(collective);
    Members members(collective, all.rank, all.ranks);
    Group &group = groups[{members.count, collective.step}];
    if (!group.communicator)
      nccl.commSplit(whole, members[0], all.rank, &group.communicator, nullptr);
    uses.push_back({group.communicator, members, cuda::device().makeEvent(),
                    cuda::device().makeEvent(), describe(collective)});
  }
  for (auto &[key, group] : groups)
    nccl.commRegister(group.communicator, all.address, all.bytes,
                      &group.registration);
}

void NcclCollectives::enqueue(const Collective &collective, const Use &use) {
  nccl::DataType type = toDataType(collective.type);
  cuda::Stream stream = cuda::device().communication();
  char *source = all.address + collective.source;
  char *destination = all.address + collective.destination;
  size_t part = collective.elements / use.members.count;
  size_t ownBytes = use.members.own * part * collective.elementSize();
  Guard::Section section(guard, use.name.c_str());
  switch (collective.kind) {
  case CollectiveKind::AllGather:
    if (collective.inPlace)
      source = destination + ownBytes;
    return nccl.allGather(source, destination, part, type, use.communicator,
                          stream);
  case CollectiveKind::ReduceScatter:
    if (collective.inPlace)
      destination = source + ownBytes;
    return nccl.reduceScatter(source, destination, part, type, nccl::Sum,
                              use.communicator, stream);
  case CollectiveKind::AllReduce:
    return nccl.allReduce(source, destination, collective.elements, type,
                          nccl::Sum, use.communicator, stream);
  }
}

void NcclCollectives::look(double waited) {
  all.rendezvous.look();
  for (const auto &[key, group] : groups) {
    nccl::Result error = nccl::Success;
    nccl.commGetAsyncError(group.communicator, &error);
    if (error == nccl::Success)
      continue;
    abort();
    // That a peer has died is a better reason than what NCCL sees of it, and
    // rank 0 reports it in a moment.
    for (int i = 0; i < 20; ++i) {
      all.rendezvous.look();
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    nccl.library.fail("a collective", error);
  }
  if (waited > timeoutSeconds()) {
    abort();
    giveUpWaiting(waited, {}, "the collectives");
  }
}

/// Ends what still runs on the GPU, if that can be done in a moment.
void NcclCollectives::abort() {
  auto ended = std::make_shared<std::atomic<bool>>(false);
  std::thread([this, ended] {
    for (const auto &[key, group] : groups)
      nccl.commAbort.attempt(group.communicator);
    *ended = true;
  }).detach();
  for (int i = 0; i < 200 && !*ended; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

} // namespace

std::unique_ptr<CudaCollectives> createNcclCollectives(RankArena arena) {
  return std::make_unique<NcclCollectives>(std::move(arena));
}

} // namespace tessera::runtime
