//===- FakeBlasLt.cpp - A double of cuBLASLt ------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The functions of libcublasLt.so.13 that the runtime uses. It has three
// algorithms; the second one takes 4 KiB of workspace and fills them. What it
// computes, it computes in single precision by oneDNN.
//
//===----------------------------------------------------------------------===//

#include "runtime/core/ElementType.h"
#include "runtime/cuda/Api.h"
#include "test/runtime/cuda/FakeCuda.h"
#include "test/runtime/cuda/FakeObjects.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <dnnl.h>
#include <vector>

using namespace tessera::runtime;
using namespace tessera::runtime::cublaslt;

/// cublasLtMatmulDesc_t: \p T operations, the epilogue and its bias.
struct tessera::runtime::cublaslt::OpaqueMatmulDesc {
  int32_t transA = None, transB = None, epilogue = Plain;
  int32_t biasType = -1; ///< the result's
  const char *bias = nullptr;
  char *aux = nullptr;
  int64_t auxLeading = 0;
};

struct tessera::runtime::cublaslt::OpaqueLayout {
  DataType type;
  int64_t rows, columns, leading;
};

struct tessera::runtime::cublaslt::OpaquePreference {
  uint64_t workspaceBytes = 0;
  uint32_t alignments[4] = {256, 256, 256, 256};
};

namespace {

tessera::fake::Objects<OpaqueMatmulDesc> &descriptions =
    *new tessera::fake::Objects<OpaqueMatmulDesc>;
tessera::fake::Objects<OpaqueLayout> &layouts =
    *new tessera::fake::Objects<OpaqueLayout>;

constexpr int invalidValue = 7;
constexpr uint64_t algorithmMark = 0x616c676f;
constexpr size_t workspaceWanted = 4096;

struct Matmul {
  OpaqueMatmulDesc description;
  OpaqueLayout a, b, c;
  const void *factorA, *factorB;
  void *result;
  float alpha, beta;
  void *workspace;
  size_t workspaceBytes;
};

ElementType elementType(int type) {
  return type == R16bf  ? ElementType::Bf16
         : type == R16f ? ElementType::F16
                        : ElementType::F32;
}

/// A column-major matrix as floats.
struct Floats {
  std::vector<float> values;
  Floats(const void *address, const OpaqueLayout &layout)
      : values((layout.columns - 1) * layout.leading + layout.rows) {
    toFloats(elementType(layout.type), fake_cuda_host(address), values.size(),
             values.data());
  }
};

float gelu(float x) {
  return 0.5f * x *
         (1 + std::tanh(0.7978845608f * (x + 0.044715f * x * x * x)));
}

float geluDerivative(float x) {
  float t = std::tanh(0.7978845608f * (x + 0.044715f * x * x * x));
  return 0.5f * (1 + t) +
         0.5f * x * (1 - t * t) * 0.7978845608f * (1 + 3 * 0.044715f * x * x);
}

int runMatmul(void *arguments) {
  const Matmul &matmul = *static_cast<Matmul *>(arguments);
  const OpaqueMatmulDesc &description = matmul.description;
  if (matmul.workspaceBytes)
    memset(fake_cuda_host(matmul.workspace), 0xff, matmul.workspaceBytes);
  Floats a(matmul.factorA, matmul.a), b(matmul.factorB, matmul.b);
  Floats c(matmul.result, matmul.c);
  int64_t inner = description.transA == None ? matmul.a.columns : matmul.a.rows;
  // Column-major c = a . b is row-major c' = b' . a'.
  auto letter = [](int32_t operation) { return operation == None ? 'N' : 'T'; };
  dnnl_sgemm(letter(description.transB), letter(description.transA),
             matmul.c.columns, matmul.c.rows, inner, matmul.alpha,
             b.values.data(), matmul.b.leading, a.values.data(),
             matmul.a.leading, matmul.beta, c.values.data(), matmul.c.leading);
  std::vector<float> bias(matmul.c.rows);
  if (description.epilogue & cublaslt::Bias) {
    int32_t type = description.biasType < 0 ? int32_t(matmul.c.type)
                                            : description.biasType;
    toFloats(elementType(type), fake_cuda_host(description.bias), bias.size(),
             bias.data());
  }
  ElementType type = elementType(matmul.c.type);
  auto *result = static_cast<char *>(fake_cuda_host(matmul.result));
  for (int64_t column = 0; column < matmul.c.columns; ++column) {
    float *values = c.values.data() + column * matmul.c.leading;
    char *aux = description.aux
                    ? static_cast<char *>(fake_cuda_host(description.aux)) +
                          column * description.auxLeading * sizeOf(type)
                    : nullptr;
    for (int64_t row = 0; row < matmul.c.rows; ++row)
      values[row] += bias[row];
    if ((description.epilogue & GeluAux) == GeluAux)
      fromFloats(type, values, matmul.c.rows, aux);
    std::vector<float> operand(matmul.c.rows);
    if (description.epilogue == GeluGrad)
      toFloats(type, aux, matmul.c.rows, operand.data());
    for (int64_t row = 0; row < matmul.c.rows; ++row)
      if (description.epilogue & cublaslt::Gelu)
        values[row] = gelu(values[row]);
      else if (description.epilogue == GeluGrad)
        values[row] *= geluDerivative(operand[row]);
    fromFloats(type, values, matmul.c.rows,
               result + column * matmul.c.leading * sizeOf(type));
  }
  return 1;
}

bool fits(const OpaqueMatmulDesc &description, const OpaqueLayout &a,
          const OpaqueLayout &b, const OpaqueLayout &c) {
  bool isA = description.transA == None, isB = description.transB == None;
  return (isA ? a.rows : a.columns) == c.rows &&
         (isB ? b.columns : b.rows) == c.columns &&
         (isA ? a.columns : a.rows) == (isB ? b.rows : b.columns) &&
         a.type == b.type && a.leading >= a.rows && b.leading >= b.rows &&
         c.leading >= c.rows;
}

} // namespace

extern "C" {

const char *cublasLtGetStatusString(int status) {
  return status == NotSupported ? "not supported" : "an error of the fake";
}

int cublasLtCreate(Handle *handle) {
  static int something;
  *handle = reinterpret_cast<Handle>(&something);
  return cublaslt::Success;
}

int cublasLtMatmulDescCreate(MatmulDesc *description, ComputeType compute,
                             DataType scale) {
  if (compute != Compute32f || scale != R32f)
    return invalidValue;
  *description = descriptions.make();
  return cublaslt::Success;
}

int cublasLtMatmulDescSetAttribute(MatmulDesc description,
                                   MatmulAttribute attribute, const void *value,
                                   size_t bytes) {
  auto set = [&](auto &member) {
    if (bytes != sizeof member)
      return invalidValue;
    memcpy(&member, value, bytes);
    return int(cublaslt::Success);
  };
  switch (attribute) {
  case TransA:
    return set(description->transA);
  case TransB:
    return set(description->transB);
  case EpilogueAttribute:
    return set(description->epilogue);
  case BiasPointer:
    return set(description->bias);
  case BiasDataType:
    return set(description->biasType);
  case AuxPointer:
    return set(description->aux);
  case AuxLeading:
    return set(description->auxLeading);
  }
  return invalidValue;
}

int cublasLtMatrixLayoutCreate(Layout *layout, DataType type, uint64_t rows,
                               uint64_t columns, int64_t leading) {
  *layout = layouts.make(type, int64_t(rows), int64_t(columns), leading);
  return cublaslt::Success;
}

int cublasLtMatmulPreferenceCreate(Preference *preference) {
  *preference = new OpaquePreference;
  return cublaslt::Success;
}

int cublasLtMatmulPreferenceSetAttribute(Preference preference,
                                         PreferenceAttribute attribute,
                                         const void *value, size_t bytes) {
  if (attribute == MaxWorkspaceBytes && bytes == sizeof(uint64_t))
    memcpy(&preference->workspaceBytes, value, bytes);
  else if (attribute >= MinAlignmentA && attribute <= MinAlignmentD &&
           bytes == sizeof(uint32_t))
    memcpy(&preference->alignments[attribute - MinAlignmentA], value, bytes);
  else
    return invalidValue;
  return cublaslt::Success;
}

int cublasLtMatmulPreferenceDestroy(Preference preference) {
  delete preference;
  return cublaslt::Success;
}

int cublasLtMatmulAlgoGetHeuristic(Handle, MatmulDesc description, Layout a,
                                   Layout b, Layout c, Layout d,
                                   Preference preference, int wanted,
                                   Heuristic *results, int *count) {
  *count = 0;
  bool hasAux = description->epilogue & 128;
  if (hasAux && (!description->aux || description->auxLeading < d->rows ||
                 description->auxLeading % 8))
    return invalidValue;
  if (!fits(*description, *a, *b, *c) || c != d)
    return invalidValue;
  for (uint64_t i = 0; i < 3 && *count < wanted; ++i) {
    size_t bytes = i == 1 ? workspaceWanted : 0;
    if (bytes > preference->workspaceBytes)
      continue;
    Heuristic &result = results[(*count)++];
    result = {};
    result.algorithm.data[0] = algorithmMark + i;
    result.workspaceBytes = bytes;
  }
  return cublaslt::Success;
}

int cublasLtMatmul(Handle, MatmulDesc description, const void *alpha,
                   const void *factorA, Layout a, const void *factorB, Layout b,
                   const void *beta, const void *c, Layout layoutC, void *d,
                   Layout layoutD, const Algorithm *algorithm, void *workspace,
                   size_t workspaceBytes, CUstream_st *stream) {
  uint64_t number = algorithm->data[0] - algorithmMark;
  if (number > 2 || c != d || layoutC != layoutD ||
      !fits(*description, *a, *b, *layoutC) ||
      (number == 1 && workspaceBytes < workspaceWanted) ||
      reinterpret_cast<uintptr_t>(workspace) % 256)
    return invalidValue;
  Matmul matmul = {*description,
                   *a,
                   *b,
                   *layoutC,
                   factorA,
                   factorB,
                   d,
                   *static_cast<const float *>(alpha),
                   *static_cast<const float *>(beta),
                   workspace,
                   number == 1 ? workspaceWanted : 0};
  return fake_cuda_enqueue(stream, "cublasLtMatmul", runMatmul, &matmul,
                           sizeof matmul)
             ? invalidValue
             : int(cublaslt::Success);
}
}
