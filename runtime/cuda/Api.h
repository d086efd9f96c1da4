//===- Api.h - The types of CUDA's driver and cuBLASLt ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the runtime uses of cuda.h and cublasLt.h (CUDA 13), so that it builds
// without a toolkit. test/runtime/cuda/ApiTest.cpp compares it with the headers
// where there are any.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CUDA_API_H
#define TESSERA_RUNTIME_CUDA_API_H

#include <cstddef>
#include <cstdint>

struct CUctx_st;
struct CUmod_st;
struct CUfunc_st;
struct CUstream_st;
struct CUevent_st;
struct CUgraph_st;
struct CUgraphExec_st;

namespace tessera::runtime::cuda {

using DevicePointer = unsigned long long;
using Context = CUctx_st *;
using Module = CUmod_st *;
using KernelFunction = CUfunc_st *;
using Stream = CUstream_st *;
using Event = CUevent_st *;
using Graph = CUgraph_st *;
using GraphExec = CUgraphExec_st *;

/// CUresult.
enum Result : int {
  success = 0,
  invalidValue = 1,
  outOfMemory = 2,
  noDevice = 100,
  invalidImage = 200,
  noBinaryForGpu = 209,
  invalidPtx = 218,
  unsupportedPtxVersion = 222,
  invalidHandle = 400,
  notFound = 500,
  notReady = 600,
  captureUnsupported = 900,
  captureInvalidated = 901,
  captureUnjoined = 904,
  captureIsolation = 905,
  capturedEvent = 907,
};

/// CUdevice_attribute.
enum Attribute : int {
  clockRate = 13, ///< kHz
  multiprocessors = 16,
  capabilityMajor = 75,
  capabilityMinor = 76,
};

enum : unsigned {
  streamNonBlocking = 1,
  eventDefault = 0,
  eventDisableTiming = 2,
};

/// CUstreamCaptureMode.
enum CaptureMode : int { captureThreadLocal = 1 };

/// What the last argument of cuLaunchKernel lists.
inline void *const launchParameterEnd = nullptr;
inline void *const launchParameterBuffer = reinterpret_cast<void *>(1);
inline void *const launchParameterBytes = reinterpret_cast<void *>(2);

} // namespace tessera::runtime::cuda

struct cublasLtContext;

namespace tessera::runtime::cublaslt {

using Handle = cublasLtContext *;
/// Descriptions are pointers to what only the library knows.
using MatmulDesc = struct OpaqueMatmulDesc *;
using Layout = struct OpaqueLayout *;
using Preference = struct OpaquePreference *;

/// cublasStatus_t.
enum Status : int { success = 0, notSupported = 15 };

/// cudaDataType.
enum DataType : int { r32f = 0, r16f = 2, r16bf = 14 };
/// cublasComputeType_t.
enum ComputeType : int { compute32f = 68 };
/// cublasOperation_t.
enum Operation : int32_t { none = 0, transpose = 1 };

/// cublasLtMatmulDescAttributes_t.
enum MatmulAttribute : int {
  transA = 3,
  transB = 4,
  epilogue = 7,
  biasPointer = 8,
  auxPointer = 11,
  auxLeading = 12,
  biasDataType = 26,
};

/// cublasLtEpilogue_t.
enum Epilogue : int32_t {
  plain = 1,
  bias = 4,
  gelu = 32,
  geluBias = 36,
  geluAux = 160,
  geluAuxBias = 164,
  geluGrad = 192,
};

/// cublasLtMatmulPreferenceAttributes_t.
enum PreferenceAttribute : int {
  maxWorkspaceBytes = 1,
  minAlignmentA = 5,
  minAlignmentB = 6,
  minAlignmentC = 7,
  minAlignmentD = 8,
};

/// cublasLtMatmulAlgo_t.
struct Algorithm {
  uint64_t data[8];
};

/// cublasLtMatmulHeuristicResult_t.
struct Heuristic {
  Algorithm algorithm;
  size_t workspaceBytes;
  Status state;
  float waves;
  int reserved[4];
};

} // namespace tessera::runtime::cublaslt

#endif // TESSERA_RUNTIME_CUDA_API_H
