//===- NcclLibrary.h - The functions of NCCL --------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What is used of nccl.h, so that the runtime builds without it.
// test/runtime/cuda/NcclApiTest.cpp compares it with the header where there is
// one.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMM_NCCLLIBRARY_H
#define TESSERA_RUNTIME_COMM_NCCLLIBRARY_H

#include "runtime/cuda/Api.h"
#include "runtime/cuda/Library.h"

struct ncclComm;

namespace tessera::runtime::nccl {

using Comm = ncclComm *;

/// ncclResult_t.
enum Result : int {
  Success = 0,
  SystemError = 2,
  InvalidArgument = 4,
  InvalidUsage = 5,
  RemoteError = 6,
};

/// ncclDataType_t.
enum DataType : int {
  Int8 = 0,
  Float16 = 6,
  Float32 = 7,
  Float64 = 8,
  Bfloat16 = 9,
};

/// ncclRedOp_t.
enum ReductionOp : int { Sum = 0 };

/// ncclUniqueId.
struct UniqueId {
  char internal[128];
};

/// libnccl.so.2. A call exits the process on an error, with the library's
/// words. Counts are elements: of a rank's part for all_gather and
/// reduce_scatter.
struct Api {
  Api();

  cuda::Library library;
  template <typename... Arguments>
  using Function = cuda::Function<Arguments...>;

  const Function<int *> getVersion{library, "ncclGetVersion"};
  const Function<UniqueId *> getUniqueId{library, "ncclGetUniqueId"};
  const Function<Comm *, int, UniqueId, int> commInitRank{library,
                                                          "ncclCommInitRank"};
  const Function<Comm, int, int, Comm *, void *> commSplit{library,
                                                           "ncclCommSplit"};
  const Function<Comm, void *, size_t, void **> commRegister{
      library, "ncclCommRegister"};
  const Function<Comm, void *> commDeregister{library, "ncclCommDeregister"};
  const Function<Comm, Result *> commGetAsyncError{library,
                                                   "ncclCommGetAsyncError"};
  const Function<Comm> commAbort{library, "ncclCommAbort"};
  const Function<Comm> commDestroy{library, "ncclCommDestroy"};

  const Function<const void *, void *, size_t, DataType, Comm, cuda::Stream>
      allGather{library, "ncclAllGather"};
  const Function<const void *, void *, size_t, DataType, ReductionOp, Comm,
                 cuda::Stream>
      reduceScatter{library, "ncclReduceScatter"};
  const Function<const void *, void *, size_t, DataType, ReductionOp, Comm,
                 cuda::Stream>
      allReduce{library, "ncclAllReduce"};
};

/// Opens the library at the first call.
const Api &api();

} // namespace tessera::runtime::nccl

#endif // TESSERA_RUNTIME_COMM_NCCLLIBRARY_H
