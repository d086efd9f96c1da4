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
  Success = 0,
  InvalidValue = 1,
  OutOfMemory = 2,
  NoDevice = 100,
  InvalidImage = 200,
  NoBinaryForGpu = 209,
  InvalidPtx = 218,
  UnsupportedPtxVersion = 222,
  InvalidHandle = 400,
  NotFound = 500,
  NotReady = 600,
  CaptureUnsupported = 900,
  CaptureInvalidated = 901,
  CaptureUnjoined = 904,
  CaptureIsolation = 905,
  CapturedEvent = 907,
};

/// CUdevice_attribute.
enum Attribute : int {
  ClockRate = 13, ///< kHz
  Multiprocessors = 16,
  CapabilityMajor = 75,
  CapabilityMinor = 76,
};

enum : unsigned {
  StreamNonBlocking = 1,
  EventDefault = 0,
  EventDisableTiming = 2,
};

/// CUstreamCaptureMode.
enum CaptureMode : int { CaptureThreadLocal = 1 };

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
enum Status : int { Success = 0, NotSupported = 15 };

/// cudaDataType.
enum DataType : int { R32f = 0, R16f = 2, R16bf = 14 };
/// cublasComputeType_t.
enum ComputeType : int { Compute32f = 68 };
/// cublasOperation_t.
enum Operation : int32_t { None = 0, Transpose = 1 };

/// cublasLtMatmulDescAttributes_t.
enum MatmulAttribute : int {
  TransA = 3,
  TransB = 4,
  EpilogueAttribute = 7,
  BiasPointer = 8,
  AuxPointer = 11,
  AuxLeading = 12,
  BiasDataType = 26,
};

/// cublasLtEpilogue_t.
enum Epilogue : int32_t {
  Plain = 1,
  Bias = 4,
  Gelu = 32,
  GeluBias = 36,
  GeluAux = 160,
  GeluAuxBias = 164,
  GeluGrad = 192,
};

/// cublasLtMatmulPreferenceAttributes_t.
enum PreferenceAttribute : int {
  MaxWorkspaceBytes = 1,
  MinAlignmentA = 5,
  MinAlignmentB = 6,
  MinAlignmentC = 7,
  MinAlignmentD = 8,
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
