//===- GemmScratch.h - Memory that products need ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CPU_GEMMSCRATCH_H
#define TESSERA_CODEGEN_CPU_GEMMSCRATCH_H

#include "dialects/plan/Plan.h"

namespace tessera::cpu {

/// All that distinguishes one product from another; matrices are row-major
/// and contiguous.
struct GemmShape {
  int64_t m, n, k;
  bool transposeA, transposeB, bias, accumulate;
  plan::Epilogue epilogue;
  /// Of the factors and the bias, and of the result: "f32", "bf16" or "f16".
  std::string type, resultType;

  /// \p gemm on tensors or on buffers.
  static GemmShape get(plan::GemmOp gemm);
  auto key() const {
    return std::tuple(m, n, k, transposeA, transposeB, bias, accumulate,
                      static_cast<int>(epilogue), type, resultType);
  }
  bool operator<(const GemmShape &other) const { return key() < other.key(); }
};

/// Bytes of scratch memory that the target's library takes for \p gemm with
/// any number of threads up to \p threads, asked of the library of this
/// machine; negative where the library cannot do it.
int64_t getScratchBytes(const GemmShape &gemm, int64_t threads);

} // namespace tessera::cpu

#endif // TESSERA_CODEGEN_CPU_GEMMSCRATCH_H
