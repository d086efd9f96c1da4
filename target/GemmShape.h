//===- GemmShape.h - What distinguishes one GEMM from another ---*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TARGET_GEMMSHAPE_H
#define TESSERA_TARGET_GEMMSHAPE_H

#include "dialects/plan/Plan.h"

namespace tessera {

/// All that distinguishes one GEMM from another; matrices are row-major and
/// contiguous.
struct GemmShape {
  int64_t m, n, k;
  bool transposeA, transposeB, bias, accumulate;
  plan::Epilogue epilogue;
  /// Of the factors and the bias, and of the result: "f32", "bf16" or "f16".
  std::string type, resultType;
  /// What a count bounds, and of how many parts; nothing and 0 where it has
  /// none.
  std::optional<plan::Counted> counted = std::nullopt;
  int64_t room = 0;
  /// Runs on the calling thread alone.
  bool local = false;

  /// \p gemm on tensors or on buffers.
  static GemmShape get(plan::GemmOp gemm);
  auto key() const {
    return std::tuple(m, n, k, transposeA, transposeB, bias, accumulate,
                      static_cast<int>(epilogue), type, resultType,
                      counted ? static_cast<int>(*counted) : -1, room, local);
  }
  bool operator<(const GemmShape &other) const { return key() < other.key(); }
};

} // namespace tessera

#endif // TESSERA_TARGET_GEMMSHAPE_H
