//===- GemmTest.cpp - Tests of GEMMs --------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/Context.h"
#include "runtime/host/GemmPrimitive.h"
#include "runtime/Random.h"
#include "runtime/Threads.h"
#include <cmath>
#include <gtest/gtest.h>
#include <vector>

using namespace tessera;

const char tessera_manifest[] = "{}";
const tsr_entry tessera_entries[] = {{nullptr, nullptr}};

namespace {

std::vector<float> random(int64_t count, uint32_t stream) {
  std::vector<float> values(count);
  fillRandom(values.data(), 0, count, 11, stream, true, 1);
  return values;
}

double gelu(double x) {
  return 0.5 * x *
         (1 + std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
}

/// Rows of the matrix as it is stored.
int64_t storedRows(int64_t rows, int64_t columns, bool transposed) {
  return transposed ? columns : rows;
}

struct Types {
  ElementType factors, result;
};

/// \p values in memory as \p type, and \p values as they are after that.
std::vector<char> store(ElementType type, std::vector<float> &values) {
  std::vector<char> bytes(values.size() * sizeOf(type));
  fromFloats(type, values.data(), values.size(), bytes.data());
  toFloats(type, bytes.data(), values.size(), values.data());
  return bytes;
}

/// The largest relative error of one rounding.
double roundingError(ElementType type) {
  return type == ElementType::bf16  ? 0x1p-8
         : type == ElementType::f16 ? 0x1p-11
                                    : 0;
}

std::vector<Gemm> allForms(Types types) {
  std::vector<Gemm> gemms;
  int64_t sizes[][3] = {{1, 1, 1},    {33, 20, 7},   {64, 48, 96},
                        {5, 130, 64}, {300, 70, 50}, {1030, 33, 40}};
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
      // Every other one lies in wider matrices.
      int64_t wider = gemm.id % 2 * 3;
      gemm.lda = (gemm.transposeA ? m : k) + wider;
      gemm.ldb = (gemm.transposeB ? k : n) + wider;
      gemm.ldc = n + wider;
      gemm.scratch = gemmScratchBytes(gemm, 2);
      EXPECT_GE(gemm.scratch, 0);
      gemms.push_back(gemm);
    }
  return gemms;
}

class GemmTypes : public testing::TestWithParam<Types> {};
INSTANTIATE_TEST_SUITE_P(
    Types, GemmTypes,
    testing::Values(Types{ElementType::f32, ElementType::f32},
                    Types{ElementType::bf16, ElementType::bf16},
                    Types{ElementType::bf16, ElementType::f32},
                    Types{ElementType::f16, ElementType::f16},
                    Types{ElementType::f16, ElementType::f32}));

TEST_P(GemmTypes, AgreeWithDoublePrecisionInEveryForm) {
  Types types = GetParam();
  double rounding = roundingError(types.result);
  setThreads(2);
  Manifest manifest;
  manifest.gemms = allForms(types);
  tessera_prepare_gemms(&manifest, 2);
  for (const Gemm &gemm : manifest.gemms) {
    auto a = random(storedRows(gemm.m, gemm.k, gemm.transposeA) * gemm.lda, 0);
    auto b = random(storedRows(gemm.k, gemm.n, gemm.transposeB) * gemm.ldb, 1);
    auto bias = random(gemm.n, 2), before = random(gemm.m * gemm.ldc, 3);
    std::vector<char> scratch(gemm.scratch + 64);
    char *aligned =
        scratch.data() + 64 - reinterpret_cast<uintptr_t>(scratch.data()) % 64;
    auto storedA = store(types.factors, a), storedB = store(types.factors, b),
         storedBias = store(types.factors, bias),
         storedC = store(types.result, before);
    tsr_gemm(nullptr, gemm.id, storedA.data(), storedB.data(),
             gemm.bias ? storedBias.data() : nullptr, storedC.data(), aligned);
    std::vector<float> c(before.size());
    toFloats(types.result, storedC.data(), c.size(), c.data());
    for (int64_t i = 0; i < gemm.m; ++i) {
      for (int64_t j = 0; j < gemm.n; ++j) {
        double sum = gemm.bias ? bias[j] : 0;
        for (int64_t l = 0; l < gemm.k; ++l)
          sum += double(gemm.transposeA ? a[l * gemm.lda + i]
                                        : a[i * gemm.lda + l]) *
                 (gemm.transposeB ? b[j * gemm.ldb + l] : b[l * gemm.ldb + j]);
        if (gemm.accumulate)
          sum += before[i * gemm.ldc + j];
        if (gemm.epilogue == "gelu")
          sum = gelu(sum);
        ASSERT_NEAR(c[i * gemm.ldc + j], sum,
                    1e-5 * std::sqrt(gemm.k) + 2e-6 +
                        1.01 * rounding * std::abs(sum))
            << "GEMM " << gemm.id << " at " << i << ", " << j;
      }
      for (int64_t j = gemm.n; j < gemm.ldc; ++j)
        ASSERT_EQ(c[i * gemm.ldc + j], before[i * gemm.ldc + j]);
    }
  }
}

TEST(GemmDeathTest, RefusesAPlanWithTooLittleScratch) {
  Manifest manifest;
  Gemm gemm;
  gemm.m = gemm.n = gemm.k = gemm.lda = gemm.ldb = gemm.ldc = 256;
  gemm.transposeA = true;
  gemm.scratch = gemmScratchBytes(gemm, 0) - 1;
  if (gemm.scratch < 0)
    GTEST_SKIP() << "oneDNN takes no scratch memory here";
  manifest.gemms = {gemm};
  EXPECT_EXIT(tessera_prepare_gemms(&manifest, 1), testing::ExitedWithCode(1),
              "oneDNN wants [0-9]+ bytes of scratch memory for GEMM 0, the "
              "plan has [0-9]+");
}

} // namespace
