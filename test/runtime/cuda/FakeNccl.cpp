//===- FakeNccl.cpp - A double of libnccl.so.2 ----------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Processes really exchange data, through a file that all map, whose name is
// the communicator's unique id. Collectives are operations on the streams of
// the fake driver, sum in the order of ranks, and are refused wherever NCCL's
// rules are broken. A rank that finds a peer dead reports an asynchronous error
// and its collective never ends, as with NCCL.
//
//   FAKE_NCCL_HANG=RANK   that rank's collectives never begin
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/NcclLibrary.h"
#include "runtime/comm/Reduce.h"
#include "test/runtime/cuda/FakeCuda.h"
#include <algorithm>
#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

using namespace tessera::runtime;
using nccl::Comm;
using nccl::DataType;
using nccl::ReductionOp;
using nccl::Result;
using nccl::UniqueId;

extern "C" int cuCtxGetDevice(int *device);

namespace {

constexpr int mostRanks = 16;
constexpr int64_t slotBytes = 1 << 20;

/// What the ranks of a communicator share.
struct Board {
  std::atomic<int> processes[mostRanks];
  int devices[mostRanks], colors[mostRanks], keys[mostRanks];
  std::atomic<uint64_t> rounds[mostRanks];
  /// A rank may be one round ahead of the slowest.
  char slots[mostRanks][2][slotBytes];
};

std::string lastError;

Result refuse(Result code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
Result refuse(Result code, const char *format, ...) {
  char text[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  lastError = text;
  return code;
}

std::optional<ElementType> elementType(DataType type) {
  switch (type) {
  case nccl::Int8:
    return ElementType::I8;
  case nccl::Float16:
    return ElementType::F16;
  case nccl::Float32:
    return ElementType::F32;
  case nccl::Float64:
    return ElementType::F64;
  case nccl::Bfloat16:
    return ElementType::Bf16;
  }
  return std::nullopt;
}

} // namespace

struct ncclComm {
  int rank, ranks;
  Board *board;
  std::string id;
  int parts = 0; ///< split off up to now
  std::atomic<Result> asyncError = nccl::Success;

  /// Begins this rank's next round: its slot is filled.
  void post() { ++board->rounds[rank]; }
  /// All ranks have filled their slots of this rank's round.
  bool isComplete() const {
    for (int peer = 0; peer < ranks; ++peer)
      if (board->rounds[peer] < board->rounds[rank])
        return false;
    return true;
  }
  /// One will never do so.
  bool isInVain() const;
  /// Waits for all ranks; false where it is in vain.
  bool meet() {
    post();
    while (!isComplete()) {
      if (isInVain())
        return false;
      usleep(100);
    }
    return true;
  }
  /// What \p peer gives in this rank's round, or \p further rounds later.
  char *slot(int peer, int further = 0) const {
    return board->slots[peer][(board->rounds[rank] + further) & 1];
  }
};

bool ncclComm::isInVain() const {
  for (int peer = 0; peer < ranks; ++peer) {
    int process = board->processes[peer];
    if (!process || board->rounds[peer] >= board->rounds[rank])
      continue;
    // Also knows of a process that has exited and that nobody has waited for.
    pollfd handle = {static_cast<int>(syscall(SYS_pidfd_open, process, 0)),
                     POLLIN, 0};
    bool ended = handle.fd < 0 || poll(&handle, 1, 0) > 0;
    close(handle.fd);
    if (ended)
      return true;
  }
  return false;
}

namespace {

enum class Kind { AllGather, ReduceScatter, AllReduce };

/// A collective in a stream, and how far it is.
struct Operation {
  Kind kind;
  Comm communicator;
  const void *source;
  void *destination;
  size_t count; ///< as NCCL counts: of a part, but for all_reduce of all
  ElementType type = ElementType::F32;
  size_t done = 0;
  bool posted = false;

  /// False where it is to be called again.
  bool advance();

private:
  size_t parts() const {
    return kind == Kind::ReduceScatter ? communicator->ranks : 1;
  }
  void fill(size_t elements) const;
  void take(size_t elements) const;
};

bool Operation::advance() {
  static const char *hangs = getenv("FAKE_NCCL_HANG");
  if (hangs && atoi(hangs) == communicator->rank)
    return false;
  size_t piece = slotBytes / sizeOf(type) / parts();
  while (done < count) {
    size_t elements = std::min(piece, count - done);
    if (!posted) {
      fill(elements);
      communicator->post();
      posted = true;
    }
    if (!communicator->isComplete()) {
      if (communicator->isInVain())
        communicator->asyncError = nccl::RemoteError;
      return false;
    }
    take(elements);
    posted = false;
    done += elements;
  }
  return true;
}

/// Elements [done, done + elements) of what each rank is to get.
void Operation::fill(size_t elements) const {
  auto *from = static_cast<const char *>(fake_cuda_host(source));
  size_t size = sizeOf(type), bytes = elements * size;
  char *slot = communicator->slot(communicator->rank, 1);
  for (size_t part = 0; part < parts(); ++part)
    memcpy(slot + part * bytes, from + (part * count + done) * size, bytes);
}

void Operation::take(size_t elements) const {
  auto *to = static_cast<char *>(fake_cuda_host(destination));
  size_t size = sizeOf(type), bytes = elements * size;
  int ranks = communicator->ranks;
  if (kind == Kind::AllGather) {
    for (int peer = 0; peer < ranks; ++peer)
      memcpy(to + (peer * count + done) * size, communicator->slot(peer),
             bytes);
    return;
  }
  size_t own = kind == Kind::ReduceScatter ? communicator->rank * bytes : 0;
  std::vector<const char *> sources;
  sources.reserve(ranks);
  for (int peer = 0; peer < ranks; ++peer)
    sources.push_back(communicator->slot(peer) + own);
  sumRanks({type, type, sources.data(), ranks, to + done * size, false, false},
           0, static_cast<int64_t>(elements));
}

Result enqueue(const char *name, Operation operation, DataType type,
               ReductionOp reduction, cuda::Stream stream) {
  Comm communicator = operation.communicator;
  std::optional<ElementType> element = elementType(type);
  if (!element)
    return refuse(nccl::InvalidArgument, "%s: data type %d", name, type);
  bool gather = operation.kind == Kind::AllGather;
  bool scatter = operation.kind == Kind::ReduceScatter;
  if (!gather && (reduction != nccl::Sum || *element == ElementType::I8))
    return refuse(nccl::InvalidArgument, "%s: operation %d on type %d", name,
                  reduction, type);
  operation.type = *element;
  auto *source = static_cast<const char *>(operation.source);
  auto *destination = static_cast<const char *>(operation.destination);
  size_t part = operation.count * sizeOf(*element);
  size_t all = part * communicator->ranks, own = part * communicator->rank;
  bool inPlace = gather    ? source == destination + own
                 : scatter ? destination == source + own
                           : source == destination;
  if (!inPlace && source < destination + (gather ? all : part) &&
      destination < source + (scatter ? all : part))
    return refuse(nccl::InvalidArgument,
                  "%s: source and destination overlap in another way than in "
                  "place",
                  name);
  char text[128];
  snprintf(text, sizeof text, "%s %zu of type %d among %d%s", name,
           operation.count, type, communicator->ranks,
           inPlace ? " in place" : "");
  return Result(fake_cuda_enqueue(
      stream, text,
      [](void *argument) -> int {
        return static_cast<Operation *>(argument)->advance();
      },
      &operation, sizeof operation));
}

/// Maps the board of \p id and waits for all ranks.
Result open(Comm *communicator, int ranks, const std::string &id, int rank) {
  if (ranks > mostRanks || rank < 0 || rank >= ranks)
    return refuse(nccl::InvalidArgument, "rank %d of %d", rank, ranks);
  std::string path = "/tmp/" + id;
  int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || ftruncate(file, sizeof(Board)) != 0)
    return refuse(nccl::SystemError, "cannot open %s", path.c_str());
  void *memory =
      mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  auto made = std::unique_ptr<ncclComm>(
      new ncclComm{rank, ranks, static_cast<Board *>(memory), id});
  Board &board = *made->board;
  cuCtxGetDevice(&board.devices[rank]);
  board.processes[rank] = getpid();
  if (!made->meet())
    return refuse(nccl::RemoteError, "a rank has died");
  unlink(path.c_str());
  for (int peer = 0; peer < ranks; ++peer)
    if (peer != rank && board.devices[peer] == board.devices[rank])
      return refuse(nccl::InvalidUsage,
                    "Duplicate GPU detected : rank %d and rank %d both on CUDA "
                    "device %d",
                    rank, peer, board.devices[rank]);
  *communicator = made.release();
  return nccl::Success;
}

} // namespace

extern "C" {

Result ncclGetVersion(int *version) {
  *version = 22809;
  return nccl::Success;
}

Result ncclGetUniqueId(UniqueId *id) {
  static int count = 0;
  *id = {};
  snprintf(id->internal, sizeof id->internal, "fake-nccl-%d-%d", getpid(),
           ++count);
  return nccl::Success;
}

Result ncclCommInitRank(Comm *communicator, int ranks, UniqueId id, int rank) {
  return open(communicator, ranks, id.internal, rank);
}

Result ncclCommSplit(Comm communicator, int color, int key, Comm *part,
                     void *config) {
  if (config)
    return refuse(nccl::InvalidArgument, "the double knows no configuration");
  Board &board = *communicator->board;
  board.colors[communicator->rank] = color;
  board.keys[communicator->rank] = key;
  if (!communicator->meet())
    return refuse(nccl::RemoteError, "a rank has died");
  int ranks = 0, rank = 0;
  for (int peer = 0; peer < communicator->ranks; ++peer) {
    if (board.colors[peer] != color)
      continue;
    ++ranks;
    rank += board.keys[peer] < key;
  }
  if (!communicator->meet())
    return refuse(nccl::RemoteError, "a rank has died");
  return open(part, ranks,
              communicator->id + "-" + std::to_string(++communicator->parts) +
                  "-" + std::to_string(color),
              rank);
}

Result ncclCommRegister(Comm, void *memory, size_t bytes, void **handle) {
  if (!memory || !bytes)
    return refuse(nccl::InvalidArgument, "no memory to register");
  *handle = memory;
  return nccl::Success;
}

Result ncclCommDeregister(Comm, void *handle) {
  return handle ? nccl::Success : refuse(nccl::InvalidArgument, "no handle");
}

Result ncclCommGetAsyncError(Comm communicator, Result *error) {
  *error = communicator->asyncError;
  return nccl::Success;
}

Result ncclCommAbort(Comm) { return nccl::Success; }

Result ncclCommDestroy(Comm communicator) {
  munmap(communicator->board, sizeof(Board));
  delete communicator;
  return nccl::Success;
}

const char *ncclGetErrorString(Result result) {
  switch (result) {
  case nccl::Success:
    return "no error";
  case nccl::InvalidArgument:
    return "invalid argument (run with NCCL_DEBUG=WARN for details)";
  case nccl::InvalidUsage:
    return "invalid usage (run with NCCL_DEBUG=WARN for details)";
  case nccl::RemoteError:
    return "remote process exited or there was a network error";
  case nccl::SystemError:
    break;
  }
  return "unhandled system error (run with NCCL_DEBUG=INFO for details)";
}

const char *ncclGetLastError(Comm) { return lastError.c_str(); }

Result ncclAllGather(const void *source, void *destination, size_t countOfPart,
                     DataType type, Comm communicator, cuda::Stream stream) {
  return enqueue(
      "ncclAllGather",
      {Kind::AllGather, communicator, source, destination, countOfPart}, type,
      nccl::Sum, stream);
}

Result ncclReduceScatter(const void *source, void *destination,
                         size_t countOfPart, DataType type,
                         ReductionOp reduction, Comm communicator,
                         cuda::Stream stream) {
  return enqueue(
      "ncclReduceScatter",
      {Kind::ReduceScatter, communicator, source, destination, countOfPart},
      type, reduction, stream);
}

Result ncclAllReduce(const void *source, void *destination, size_t count,
                     DataType type, ReductionOp reduction, Comm communicator,
                     cuda::Stream stream) {
  return enqueue("ncclAllReduce",
                 {Kind::AllReduce, communicator, source, destination, count},
                 type, reduction, stream);
}

} // extern "C"
