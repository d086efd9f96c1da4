//===- NcclApiTest.cpp - Our declarations against nccl.h ------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Built where there is a toolkit; there is nothing to run.
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/NcclLibrary.h"
#include <nccl.h>
#include <type_traits>

using namespace tessera::runtime;

static_assert(std::is_same_v<nccl::Comm, ncclComm_t>);
static_assert(std::is_same_v<cuda::Stream, cudaStream_t>);
static_assert(sizeof(nccl::UniqueId) == sizeof(ncclUniqueId));
static_assert(alignof(nccl::UniqueId) == alignof(ncclUniqueId));
static_assert(sizeof(nccl::Result) == sizeof(ncclResult_t));
static_assert(sizeof(nccl::DataType) == sizeof(ncclDataType_t));
static_assert(sizeof(nccl::ReductionOp) == sizeof(ncclRedOp_t));

#define SAME(ours, theirs)                                                     \
  static_assert(static_cast<int>(ours) == static_cast<int>(theirs))

SAME(nccl::success, ncclSuccess);
SAME(nccl::systemError, ncclSystemError);
SAME(nccl::invalidArgument, ncclInvalidArgument);
SAME(nccl::invalidUsage, ncclInvalidUsage);
SAME(nccl::remoteError, ncclRemoteError);
SAME(nccl::int8, ncclInt8);
SAME(nccl::float16, ncclFloat16);
SAME(nccl::float32, ncclFloat32);
SAME(nccl::float64, ncclFloat64);
SAME(nccl::bfloat16, ncclBfloat16);
SAME(nccl::sum, ncclSum);
