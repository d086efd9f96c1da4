//===- GemmForms.h - GEMMs in every form, and their results -----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_RUNTIME_HOST_GEMMFORMS_H
#define TESSERA_TEST_RUNTIME_HOST_GEMMFORMS_H

#include "runtime/core/Random.h"
#include "runtime/program/Manifest.h"
#include <cmath>
#include <gtest/gtest.h>
#include <vector>

namespace tessera::runtime {

struct GemmTypes {
  ElementType factors, result;
};

inline constexpr GemmTypes allGemmTypes[] = {
    {ElementType::F32, ElementType::F32},
    {ElementType::Bf16, ElementType::Bf16},
    {ElementType::Bf16, ElementType::F32},
    {ElementType::F16, ElementType::F16},
    {ElementType::F16, ElementType::F32}};

/// Several sizes in all layouts, with and without bias, sum and GELU; every
/// other one lies in wider matrices.
inline std::vector<Gemm> allGemmForms(GemmTypes types) {
  std::vector<Gemm> gemms;
  int64_t sizes[][3] = {{1, 1, 1},     {33, 20, 7},   {64, 48, 96},
                        {5, 130, 64},  {300, 70, 50}, {1030, 33, 40},
                        {71, 40, 300}, {50, 9, 33},   {100, 31, 20},
                        {80, 24, 600}};
  for (auto [m, n, k] : sizes)
    for (int form = 0; form < 32; ++form) {
      Gemm gemm;
      gemm.id = static_cast<int>(gemms.size());
      gemm.type = types.factors;
      gemm.resultType = types.result;
      gemm.m = m;
      gemm.n = n;
      gemm.k = k;
      gemm.transposeA = form & 1;
      gemm.transposeB = form & 2;
      gemm.bias = form & 4;
      gemm.accumulate = form & 8;
      gemm.epilogue = form & 16 ? "gelu" : "none";
      int64_t wider = gemm.id % 2 * 3;
      gemm.lda = (gemm.transposeA ? m : k) + wider;
      gemm.ldb = (gemm.transposeB ? k : n) + wider;
      gemm.ldc = n + wider;
      gemms.push_back(gemm);
    }
  return gemms;
}

/// The operands of one GEMM, as stored and as numbers.
class GemmOperands {
public:
  explicit GemmOperands(const Gemm &gemm)
      : gemm(gemm), a((gemm.transposeA ? gemm.k : gemm.m) * gemm.lda),
        b((gemm.transposeB ? gemm.n : gemm.k) * gemm.ldb), bias(gemm.n),
        before(gemm.m * gemm.ldc) {
    storedA = fill(a, gemm.type, 0);
    storedB = fill(b, gemm.type, 1);
    storedBias = fill(bias, gemm.type, 2);
    storedC = fill(before, gemm.resultType, 3);
  }

  std::vector<char> storedA, storedB, storedBias, storedC;

  /// Compares \p result, what has become of storedC, with sums in double
  /// precision, and that nothing else was written.
  void check(const std::vector<char> &result) const {
    std::vector<float> c(before.size());
    toFloats(gemm.resultType, result.data(), c.size(), c.data());
    double rounding = roundingError(gemm.resultType);
    for (int64_t i = 0; i < gemm.m; ++i) {
      for (int64_t j = 0; j < gemm.n; ++j) {
        double sum = expected(i, j);
        ASSERT_NEAR(c[i * gemm.ldc + j], sum,
                    1e-5 * std::sqrt(gemm.k) + 2e-6 +
                        1.01 * rounding * std::abs(sum))
            << "GEMM " << gemm.id << " at " << i << ", " << j;
      }
      for (int64_t j = gemm.n; j < gemm.ldc; ++j)
        ASSERT_EQ(c[i * gemm.ldc + j], before[i * gemm.ldc + j]);
    }
  }

private:
  /// Random numbers as \p type can hold them; returns them as they are stored.
  static std::vector<char> fill(std::vector<float> &values, ElementType type,
                                uint32_t stream) {
    auto count = static_cast<int64_t>(values.size());
    fillRandom(values.data(), 0, count, 11, stream, true, 1);
    std::vector<char> bytes(count * sizeOf(type));
    fromFloats(type, values.data(), count, bytes.data());
    toFloats(type, bytes.data(), count, values.data());
    return bytes;
  }

  /// The largest relative error of one rounding.
  static double roundingError(ElementType type) {
    return type == ElementType::Bf16  ? 0x1p-8
           : type == ElementType::F16 ? 0x1p-11
                                      : 0;
  }

  double expected(int64_t i, int64_t j) const {
    double sum = gemm.bias ? bias[j] : 0;
    for (int64_t l = 0; l < gemm.k; ++l)
      sum +=
          double(gemm.transposeA ? a[l * gemm.lda + i] : a[i * gemm.lda + l]) *
          (gemm.transposeB ? b[j * gemm.ldb + l] : b[l * gemm.ldb + j]);
    if (gemm.accumulate)
      sum += before[i * gemm.ldc + j];
    if (gemm.epilogue == "gelu")
      sum *= 0.5 * (1 + std::tanh(0.7978845608028654 *
                                  (sum + 0.044715 * sum * sum * sum)));
    return sum;
  }

  Gemm gemm;
  std::vector<float> a, b, bias, before;
};

} // namespace tessera::runtime

#endif // TESSERA_TEST_RUNTIME_HOST_GEMMFORMS_H
