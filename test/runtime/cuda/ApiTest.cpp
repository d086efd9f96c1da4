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

SAME(cuda::success, CUDA_SUCCESS);
SAME(cuda::invalidValue, CUDA_ERROR_INVALID_VALUE);
SAME(cuda::outOfMemory, CUDA_ERROR_OUT_OF_MEMORY);
SAME(cuda::noDevice, CUDA_ERROR_NO_DEVICE);
SAME(cuda::invalidImage, CUDA_ERROR_INVALID_IMAGE);
SAME(cuda::noBinaryForGpu, CUDA_ERROR_NO_BINARY_FOR_GPU);
SAME(cuda::invalidPtx, CUDA_ERROR_INVALID_PTX);
SAME(cuda::unsupportedPtxVersion, CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
SAME(cuda::invalidHandle, CUDA_ERROR_INVALID_HANDLE);
SAME(cuda::notFound, CUDA_ERROR_NOT_FOUND);
SAME(cuda::notReady, CUDA_ERROR_NOT_READY);
SAME(cuda::captureUnsupported, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
SAME(cuda::captureInvalidated, CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
SAME(cuda::captureUnjoined, CUDA_ERROR_STREAM_CAPTURE_UNJOINED);
SAME(cuda::captureIsolation, CUDA_ERROR_STREAM_CAPTURE_ISOLATION);
SAME(cuda::capturedEvent, CUDA_ERROR_CAPTURED_EVENT);
SAME(cuda::clockRate, CU_DEVICE_ATTRIBUTE_CLOCK_RATE);
SAME(cuda::multiprocessors, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
SAME(cuda::capabilityMajor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
SAME(cuda::capabilityMinor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
SAME(cuda::streamNonBlocking, CU_STREAM_NON_BLOCKING);
SAME(cuda::eventDefault, CU_EVENT_DEFAULT);
SAME(cuda::eventDisableTiming, CU_EVENT_DISABLE_TIMING);
SAME(cuda::captureThreadLocal, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
SAME(CU_LAUNCH_PARAM_END_AS_INT, 0);
SAME(CU_LAUNCH_PARAM_BUFFER_POINTER_AS_INT, 1);
SAME(CU_LAUNCH_PARAM_BUFFER_SIZE_AS_INT, 2);

SAME(cublaslt::success, CUBLAS_STATUS_SUCCESS);
SAME(cublaslt::notSupported, CUBLAS_STATUS_NOT_SUPPORTED);
SAME(cublaslt::r32f, CUDA_R_32F);
SAME(cublaslt::r16f, CUDA_R_16F);
SAME(cublaslt::r16bf, CUDA_R_16BF);
SAME(cublaslt::compute32f, CUBLAS_COMPUTE_32F);
SAME(cublaslt::none, CUBLAS_OP_N);
SAME(cublaslt::transpose, CUBLAS_OP_T);
SAME(cublaslt::transA, CUBLASLT_MATMUL_DESC_TRANSA);
SAME(cublaslt::transB, CUBLASLT_MATMUL_DESC_TRANSB);
SAME(cublaslt::epilogue, CUBLASLT_MATMUL_DESC_EPILOGUE);
SAME(cublaslt::biasPointer, CUBLASLT_MATMUL_DESC_BIAS_POINTER);
SAME(cublaslt::biasDataType, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE);
SAME(cublaslt::plain, CUBLASLT_EPILOGUE_DEFAULT);
SAME(cublaslt::bias, CUBLASLT_EPILOGUE_BIAS);
SAME(cublaslt::gelu, CUBLASLT_EPILOGUE_GELU);
SAME(cublaslt::geluBias, CUBLASLT_EPILOGUE_GELU_BIAS);
SAME(cublaslt::maxWorkspaceBytes, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES);
SAME(cublaslt::minAlignmentA, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES);
SAME(cublaslt::minAlignmentB, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES);
SAME(cublaslt::minAlignmentC, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES);
SAME(cublaslt::minAlignmentD, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES);

SAME(sizeof(cublaslt::Algorithm), sizeof(cublasLtMatmulAlgo_t));
SAME(sizeof(cublaslt::Heuristic), sizeof(cublasLtMatmulHeuristicResult_t));
SAME(offsetof(cublaslt::Heuristic, workspaceBytes),
     offsetof(cublasLtMatmulHeuristicResult_t, workspaceSize));
SAME(offsetof(cublaslt::Heuristic, state),
     offsetof(cublasLtMatmulHeuristicResult_t, state));
