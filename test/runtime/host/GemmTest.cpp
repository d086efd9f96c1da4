//===- GemmTest.cpp - Tests of GEMMs --------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Threads.h"
#include "runtime/host/GemmPrimitive.h"
#include "runtime/host/LongGemm.h"
#include "runtime/program/Context.h"
#include "test/runtime/host/GemmForms.h"
#include <gtest/gtest.h>
#include <vector>

using namespace tessera::runtime;

const char tessera_manifest[] = "{}";
const tessera_entry tessera_entries[] = {{nullptr, nullptr}};

namespace {

class GemmForms : public testing::TestWithParam<GemmTypes> {};
INSTANTIATE_TEST_SUITE_P(Types, GemmForms, testing::ValuesIn(allGemmTypes));

TEST_P(GemmForms, AgreeWithDoublePrecision) {
  setThreads(2);
  Manifest manifest;
  manifest.gemms = allGemmForms(GetParam());
  for (Gemm &gemm : manifest.gemms) {
    gemm.scratch = gemmScratchBytes(gemm, 2);
    ASSERT_GE(gemm.scratch, 0);
  }
  tessera_prepare_gemms(&manifest, 2);
  for (const Gemm &gemm : manifest.gemms) {
    GemmOperands operands(gemm);
    std::vector<char> scratch(gemm.scratch + 64), c = operands.storedC;
    char *aligned =
        scratch.data() + 64 - reinterpret_cast<uintptr_t>(scratch.data()) % 64;
    tessera_gemm(nullptr, gemm.id, operands.storedA.data(),
                 operands.storedB.data(),
                 gemm.bias ? operands.storedBias.data() : nullptr, nullptr,
                 c.data(), aligned);
    operands.check(c);
  }
}

/// Sums over so many rows that they are cut into parts.
Gemm longGemm(int64_t m, int64_t n, int64_t k, int64_t wider, bool accumulate) {
  Gemm gemm;
  gemm.m = m;
  gemm.n = n;
  gemm.k = k;
  gemm.lda = m + wider;
  gemm.ldb = gemm.ldc = n + wider;
  gemm.transposeA = true;
  gemm.accumulate = accumulate;
  return gemm;
}

TEST(LongGemm, AgreesWithDoublePrecisionOnAnyNumberOfThreads) {
  for (Gemm gemm :
       {longGemm(40, 70, 8192, 0, false), longGemm(9, 32, 8200, 3, true),
        longGemm(16, 64, 9001, 0, true), longGemm(1, 1, 10000, 1, false)}) {
    if (!isLong(gemm))
      GTEST_SKIP() << "this CPU has no AVX-512";
    GemmOperands operands(gemm);
    std::vector<char> results[2] = {operands.storedC, operands.storedC};
    for (int threads : {1, 3}) {
      setThreads(threads);
      gemm.scratch = gemmScratchBytes(gemm, threads);
      Manifest manifest;
      manifest.gemms = {gemm};
      tessera_prepare_gemms(&manifest, threads);
      std::vector<char> scratch(gemm.scratch + 64);
      char *aligned = scratch.data() + 64 -
                      reinterpret_cast<uintptr_t>(scratch.data()) % 64;
      std::vector<char> &c = results[threads > 1];
      tessera_gemm(nullptr, 0, operands.storedA.data(), operands.storedB.data(),
                   nullptr, nullptr, c.data(), aligned);
      operands.check(c);
    }
    EXPECT_EQ(results[0], results[1]);
  }
}

TEST(LongGemm, IsOfManyRowsAndAPlainResult) {
  Gemm gemm = longGemm(64, 64, 8192, 0, false);
  if (!isLong(gemm))
    GTEST_SKIP() << "this CPU has no AVX-512";
  auto isLongWith = [&](auto change) {
    Gemm other = gemm;
    change(other);
    return isLong(other);
  };
  EXPECT_FALSE(isLongWith([](Gemm &g) { g.k = 4096; }));
  EXPECT_FALSE(isLongWith([](Gemm &g) { g.n = 1024; }));
  EXPECT_FALSE(isLongWith([](Gemm &g) { g.transposeA = false; }));
  EXPECT_FALSE(isLongWith([](Gemm &g) { g.transposeB = true; }));
  EXPECT_FALSE(isLongWith([](Gemm &g) { g.bias = true; }));
  EXPECT_FALSE(isLongWith([](Gemm &g) { g.epilogue = "gelu"; }));
  EXPECT_FALSE(isLongWith([](Gemm &g) { g.type = ElementType::bf16; }));
  EXPECT_FALSE(isLongWith([](Gemm &g) { g.resultType = ElementType::bf16; }));
}

// oneDNN would take a part of the number for the whole.
TEST(Gemm, RefusesSizesOfMoreThan32Bits) {
  Gemm gemm;
  gemm.m = gemm.n = gemm.k = gemm.lda = gemm.ldb = gemm.ldc = 16;
  ASSERT_GE(gemmScratchBytes(gemm, 1), 0);
  for (int64_t Gemm::*size :
       {&Gemm::m, &Gemm::n, &Gemm::k, &Gemm::lda, &Gemm::ldb, &Gemm::ldc}) {
    Gemm large = gemm;
    large.*size = int64_t(1) << 31;
    EXPECT_LT(gemmScratchBytes(large, 1), 0);
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
