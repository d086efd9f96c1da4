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

SAME(nccl::Success, ncclSuccess);
SAME(nccl::SystemError, ncclSystemError);
SAME(nccl::InvalidArgument, ncclInvalidArgument);
SAME(nccl::InvalidUsage, ncclInvalidUsage);
SAME(nccl::RemoteError, ncclRemoteError);
SAME(nccl::Int8, ncclInt8);
SAME(nccl::Float16, ncclFloat16);
SAME(nccl::Float32, ncclFloat32);
SAME(nccl::Float64, ncclFloat64);
SAME(nccl::Bfloat16, ncclBfloat16);
SAME(nccl::Sum, ncclSum);
