//===- ApiTest.cpp - Our declarations against CUDA's headers --------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Built where there is a toolkit; there is nothing to run.
//
//===----------------------------------------------------------------------===//

#include "runtime/cuda/Api.h"
#include <cublasLt.h>
#include <cuda.h>
#include <type_traits>

using namespace tessera::runtime;

static_assert(std::is_same_v<cuda::DevicePointer, CUdeviceptr>);
static_assert(std::is_same_v<cuda::Context, CUcontext>);
static_assert(std::is_same_v<cuda::Module, CUmodule>);
static_assert(std::is_same_v<cuda::KernelFunction, CUfunction>);
static_assert(std::is_same_v<cuda::Stream, CUstream>);
static_assert(std::is_same_v<cuda::Event, CUevent>);
static_assert(std::is_same_v<cuda::Graph, CUgraph>);
static_assert(std::is_same_v<cuda::GraphExec, CUgraphExec>);
static_assert(std::is_same_v<cublaslt::Handle, cublasLtHandle_t>);

#define SAME(ours, theirs)                                                     \
  static_assert(static_cast<long long>(ours) == static_cast<long long>(theirs))

SAME(cuda::Success, CUDA_SUCCESS);
SAME(cuda::InvalidValue, CUDA_ERROR_INVALID_VALUE);
SAME(cuda::OutOfMemory, CUDA_ERROR_OUT_OF_MEMORY);
SAME(cuda::NoDevice, CUDA_ERROR_NO_DEVICE);
SAME(cuda::InvalidImage, CUDA_ERROR_INVALID_IMAGE);
SAME(cuda::NoBinaryForGpu, CUDA_ERROR_NO_BINARY_FOR_GPU);
SAME(cuda::InvalidPtx, CUDA_ERROR_INVALID_PTX);
SAME(cuda::UnsupportedPtxVersion, CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
SAME(cuda::InvalidHandle, CUDA_ERROR_INVALID_HANDLE);
SAME(cuda::NotFound, CUDA_ERROR_NOT_FOUND);
SAME(cuda::NotReady, CUDA_ERROR_NOT_READY);
SAME(cuda::CaptureUnsupported, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
SAME(cuda::CaptureInvalidated, CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
SAME(cuda::CaptureUnjoined, CUDA_ERROR_STREAM_CAPTURE_UNJOINED);
SAME(cuda::CaptureIsolation, CUDA_ERROR_STREAM_CAPTURE_ISOLATION);
SAME(cuda::CapturedEvent, CUDA_ERROR_CAPTURED_EVENT);
SAME(cuda::ClockRate, CU_DEVICE_ATTRIBUTE_CLOCK_RATE);
SAME(cuda::Multiprocessors, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
SAME(cuda::CapabilityMajor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
SAME(cuda::CapabilityMinor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
SAME(cuda::StreamNonBlocking, CU_STREAM_NON_BLOCKING);
SAME(cuda::EventDefault, CU_EVENT_DEFAULT);
SAME(cuda::EventDisableTiming, CU_EVENT_DISABLE_TIMING);
SAME(cuda::CaptureThreadLocal, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
SAME(CU_LAUNCH_PARAM_END_AS_INT, 0);
SAME(CU_LAUNCH_PARAM_BUFFER_POINTER_AS_INT, 1);
SAME(CU_LAUNCH_PARAM_BUFFER_SIZE_AS_INT, 2);

SAME(cublaslt::Success, CUBLAS_STATUS_SUCCESS);
SAME(cublaslt::NotSupported, CUBLAS_STATUS_NOT_SUPPORTED);
SAME(cublaslt::R32f, CUDA_R_32F);
SAME(cublaslt::R16f, CUDA_R_16F);
SAME(cublaslt::R16bf, CUDA_R_16BF);
SAME(cublaslt::Compute32f, CUBLAS_COMPUTE_32F);
SAME(cublaslt::None, CUBLAS_OP_N);
SAME(cublaslt::Transpose, CUBLAS_OP_T);
SAME(cublaslt::TransA, CUBLASLT_MATMUL_DESC_TRANSA);
SAME(cublaslt::TransB, CUBLASLT_MATMUL_DESC_TRANSB);
SAME(cublaslt::EpilogueAttribute, CUBLASLT_MATMUL_DESC_EPILOGUE);
SAME(cublaslt::BiasPointer, CUBLASLT_MATMUL_DESC_BIAS_POINTER);
SAME(cublaslt::BiasDataType, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE);
SAME(cublaslt::Plain, CUBLASLT_EPILOGUE_DEFAULT);
SAME(cublaslt::Bias, CUBLASLT_EPILOGUE_BIAS);
SAME(cublaslt::Gelu, CUBLASLT_EPILOGUE_GELU);
SAME(cublaslt::GeluBias, CUBLASLT_EPILOGUE_GELU_BIAS);
SAME(cublaslt::MaxWorkspaceBytes, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES);
SAME(cublaslt::MinAlignmentA, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES);
SAME(cublaslt::MinAlignmentB, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES);
SAME(cublaslt::MinAlignmentC, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES);
SAME(cublaslt::MinAlignmentD, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES);

SAME(sizeof(cublaslt::Algorithm), sizeof(cublasLtMatmulAlgo_t));
SAME(sizeof(cublaslt::Heuristic), sizeof(cublasLtMatmulHeuristicResult_t));
SAME(offsetof(cublaslt::Heuristic, workspaceBytes),
     offsetof(cublasLtMatmulHeuristicResult_t, workspaceSize));
SAME(offsetof(cublaslt::Heuristic, state),
     offsetof(cublasLtMatmulHeuristicResult_t, state));
