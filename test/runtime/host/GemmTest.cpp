//===- GemmTest.cpp - Tests of GEMMs --------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Threads.h"
#include "runtime/host/BlockedGemm.h"
#include "runtime/host/GemmPrimitive.h"
#include "runtime/host/LongGemm.h"
#include "runtime/host/NarrowGemm.h"
#include "runtime/program/Context.h"
#include "test/runtime/host/GemmForms.h"
#include <cstring>
#include <gtest/gtest.h>
#include <vector>

using namespace tessera::runtime;

const char tessera_manifest[] = "{}";
const tessera_entry tessera_entries[] = {{nullptr, nullptr}};

namespace {

/// Scratch memory, which begins at a multiple of 64 bytes.
class Scratch {
public:
  explicit Scratch(int64_t bytes) : memory(bytes + 64) {}
  char *data() {
    return memory.data() + 64 - reinterpret_cast<uintptr_t>(memory.data()) % 64;
  }

private:
  std::vector<char> memory;
};

/// Expects that \p gemm agrees with double precision, and has the same bits on
/// one, two and three threads.
void checkOnThreads(Gemm gemm) {
  GemmOperands operands(gemm);
  std::vector<std::vector<char>> results;
  for (int threads : {1, 2, 3}) {
    setThreads(threads);
    gemm.scratch = gemmScratchBytes(gemm, threads);
    Manifest manifest;
    manifest.gemms = {gemm};
    tessera_prepare_gemms(&manifest, threads);
    Scratch scratch(gemm.scratch);
    std::vector<char> &c = results.emplace_back(operands.storedC);
    tessera_gemm(nullptr, 0, operands.storedA.data(), operands.storedB.data(),
                 gemm.bias ? operands.storedBias.data() : nullptr, nullptr,
                 c.data(), scratch.data());
    EXPECT_EQ(c, results[0]) << threads << " threads";
  }
  operands.check(results[0]);
}

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
    Scratch scratch(gemm.scratch);
    std::vector<char> c = operands.storedC;
    tessera_gemm(nullptr, gemm.id, operands.storedA.data(),
                 operands.storedB.data(),
                 gemm.bias ? operands.storedBias.data() : nullptr, nullptr,
                 c.data(), scratch.data());
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
  for (const Gemm &gemm :
       {longGemm(40, 70, 8192, 0, false), longGemm(9, 32, 8200, 3, true),
        longGemm(16, 64, 9001, 0, true), longGemm(1, 1, 10000, 1, false)}) {
    if (!isLong(gemm))
      GTEST_SKIP() << "this CPU has no AVX-512";
    checkOnThreads(gemm);
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
  EXPECT_FALSE(isLongWith([](Gemm &g) { g.type = ElementType::Bf16; }));
  EXPECT_FALSE(isLongWith([](Gemm &g) { g.resultType = ElementType::Bf16; }));
}

/// In wider matrices, by the bits of \p form transposed, with a bias or
/// accumulating.
Gemm blockedGemm(int64_t m, int64_t n, int64_t k, int form) {
  Gemm gemm;
  gemm.m = m;
  gemm.n = n;
  gemm.k = k;
  gemm.transposeA = form & 1;
  gemm.transposeB = form & 2;
  gemm.bias = form % 3 == 1;
  gemm.accumulate = form % 3 == 2;
  gemm.lda = (gemm.transposeA ? m : k) + 3;
  gemm.ldb = (gemm.transposeB ? k : n) + 5;
  gemm.ldc = n + 1;
  return gemm;
}

// Of one piece and of several, the last blocks of each smaller than others.
TEST(BlockedGemm, HasTheSameBitsOnAnyNumberOfThreads) {
  std::vector<Gemm> gemms;
  for (int form = 0; form < 6; ++form)
    gemms.push_back(blockedGemm(517, 523, 541, form));
  gemms.push_back(blockedGemm(259, 2100, 1030, 0));
  gemms.push_back(blockedGemm(512, 2100, 512, 2));
  for (const Gemm &gemm : gemms) {
    if (!__builtin_cpu_supports("avx512f"))
      GTEST_SKIP() << "this CPU has no AVX-512";
    ASSERT_TRUE(isBlocked(gemm));
    checkOnThreads(gemm);
  }
}

TEST(BlockedGemm, IsLargeAndPlain) {
  Gemm gemm = blockedGemm(512, 512, 512, 0);
  if (!isBlocked(gemm))
    GTEST_SKIP() << "this CPU has no AVX-512";
  auto isBlockedWith = [&](auto change) {
    Gemm other = gemm;
    change(other);
    return isBlocked(other);
  };
  EXPECT_TRUE(isBlockedWith([](Gemm &g) { g.m = 256; }));
  EXPECT_FALSE(isBlockedWith([](Gemm &g) { g.m = 255; }));
  EXPECT_FALSE(isBlockedWith([](Gemm &g) { g.m = 256, g.transposeB = true; }));
  EXPECT_FALSE(isBlockedWith([](Gemm &g) { g.n = 511; }));
  EXPECT_FALSE(isBlockedWith([](Gemm &g) { g.k = 511; }));
  EXPECT_FALSE(isBlockedWith([](Gemm &g) { g.bias = g.accumulate = true; }));
  EXPECT_FALSE(isBlockedWith([](Gemm &g) { g.epilogue = "gelu"; }));
  EXPECT_FALSE(isBlockedWith([](Gemm &g) { g.local = true; }));
  EXPECT_FALSE(isBlockedWith([](Gemm &g) { g.type = ElementType::Bf16; }));
  EXPECT_FALSE(
      isBlockedWith([](Gemm &g) { g.resultType = ElementType::Bf16; }));
}

// Each thread runs one of its own at the same time.
TEST(LocalGemm, AgreesWithDoublePrecisionOnEachThread) {
  setThreads(3);
  Manifest manifest;
  for (Gemm gemm : allGemmForms({ElementType::F32, ElementType::F32}))
    if (gemm.epilogue == "none") {
      gemm.local = true;
      gemm.id = static_cast<int>(manifest.gemms.size());
      gemm.scratch = gemmScratchBytes(gemm, 1);
      ASSERT_GE(gemm.scratch, 0);
      manifest.gemms.push_back(gemm);
    }
  tessera_prepare_gemms(&manifest, 3);
  for (const Gemm &gemm : manifest.gemms) {
    GemmOperands operands(gemm);
    std::vector<std::vector<char>> results(12, operands.storedC);
    parallelFor(12, 1, [&](int64_t begin, int64_t end) {
      Scratch scratch(gemm.scratch);
      for (int64_t i = begin; i < end; ++i)
        tessera_local_gemm(gemm.id, operands.storedA.data(),
                           operands.storedB.data(),
                           gemm.bias ? operands.storedBias.data() : nullptr,
                           results[i].data(), scratch.data());
    });
    for (const std::vector<char> &result : results) {
      operands.check(result);
      EXPECT_EQ(result, results[0]);
    }
  }
}

// Blocks of rows are the same on any number of threads.
TEST(NarrowGemm, HasTheSameBitsOnAnyNumberOfThreads) {
  for (bool ofWeight : {false, true}) {
    Gemm gemm;
    gemm.m = ofWeight ? 336 : 333;
    gemm.n = 40;
    gemm.k = 700;
    gemm.transposeA = gemm.accumulate = ofWeight;
    gemm.transposeB = !ofWeight;
    gemm.lda = ofWeight ? gemm.m : gemm.k;
    gemm.ldb = ofWeight ? gemm.n : gemm.k;
    gemm.ldc = gemm.n;
    if (!isNarrow(gemm))
      GTEST_SKIP() << "this CPU has no AVX-512";
    checkOnThreads(gemm);
  }
}

TEST(NarrowGemm, IsOfFullVectorsAndManyRows) {
  Gemm gemm;
  gemm.m = gemm.k = gemm.lda = 64;
  gemm.n = gemm.ldb = gemm.ldc = 40;
  if (!isNarrow(gemm))
    GTEST_SKIP() << "this CPU has no AVX-512";
  auto isNarrowWith = [&](auto change) {
    Gemm other = gemm;
    change(other);
    return isNarrow(other);
  };
  EXPECT_TRUE(isNarrowWith([](Gemm &g) { g.n = 16; }));
  EXPECT_FALSE(isNarrowWith([](Gemm &g) { g.n = 39; }));
  EXPECT_FALSE(isNarrowWith([](Gemm &g) { g.n = 56; }));
  EXPECT_FALSE(isNarrowWith([](Gemm &g) { g.m = 15; }));
  EXPECT_FALSE(isNarrowWith([](Gemm &g) { g.epilogue = "gelu"; }));
  EXPECT_FALSE(isNarrowWith([](Gemm &g) { g.type = ElementType::Bf16; }));
  EXPECT_FALSE(isNarrowWith([](Gemm &g) { g.resultType = ElementType::Bf16; }));
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

/// Whether \p counted, counted as \p kind by its parts, gives with \p count the
/// bits of the GEMM whose operands are 0 beyond it; those of the rows that are
/// wanted. What is beyond is NaN.
void checkCounted(Gemm gemm, Gemm::Counted kind, int threads) {
  setThreads(threads);
  Manifest manifest;
  Gemm plain = gemm;
  gemm.counted = kind;
  gemm.id = 1;
  manifest.gemms = {plain, gemm};
  for (Gemm &each : manifest.gemms) {
    each.scratch = gemmScratchBytes(each, threads);
    ASSERT_GE(each.scratch, 0);
  }
  tessera_prepare_gemms(&manifest, threads);
  bool inner = kind == Gemm::Counted::Inner;
  int64_t size = inner ? gemm.k : gemm.m;
  GemmOperands operands(gemm);
  Scratch scratch(manifest.gemms[0].scratch + manifest.gemms[1].scratch);
  for (int64_t wanted :
       {int64_t(0), int64_t(1), size / 3, int64_t(64), int64_t(300),
        int64_t(65), int64_t(512), size - 1, size}) {
    int64_t parts = std::min(wanted * gemm.room / size, gemm.room);
    int64_t there = parts * (size / gemm.room);
    auto cut = [&](std::vector<char> matrix, int64_t rowBytes, int fill) {
      std::fill(matrix.begin() + there * rowBytes, matrix.end(),
                static_cast<char>(fill));
      return matrix;
    };
    int64_t bytes = sizeOf(gemm.type), rowA = gemm.lda * bytes,
            rowB = gemm.ldb * bytes;
    auto a = cut(operands.storedA, rowA, 0), b = operands.storedB;
    if (inner)
      b = cut(b, rowB, 0);
    std::vector<char> expected = operands.storedC, c = operands.storedC;
    const char *bias = gemm.bias ? operands.storedBias.data() : nullptr;
    tessera_gemm(nullptr, 0, a.data(), b.data(), bias, nullptr, expected.data(),
                 scratch.data());
    // All bits set are NaN in each type.
    a = cut(operands.storedA, rowA, 0xff);
    if (inner)
      b = cut(b, rowB, 0xff);
    auto count = static_cast<int32_t>(parts);
    tessera_gemm_counted(nullptr, 1, &count, a.data(), b.data(), bias, nullptr,
                         c.data(), scratch.data());
    int64_t rowC = gemm.ldc * sizeOf(gemm.resultType);
    for (int64_t row = 0; row < (inner ? gemm.m : there); ++row)
      ASSERT_EQ(memcmp(c.data() + row * rowC, expected.data() + row * rowC,
                       gemm.n * sizeOf(gemm.resultType)),
                0)
          << "row " << row << " of " << size << ", " << there << " there, on "
          << threads << " threads";
  }
}

TEST(Gemm, RowsBeyondACountAreSkipped) {
  struct Size {
    int64_t m, n, k, room;
  };
  for (auto [m, n, k, room] : {Size{1, 3, 5, 1},
                               {64, 7, 16, 64},
                               {130, 20, 33, 130},
                               {600, 33, 70, 300},
                               {520, 514, 600, 260},
                               {2708, 16, 143, 2708}})
    for (int form = 0; form < 8; ++form) {
      Gemm gemm;
      gemm.m = m;
      gemm.n = n;
      gemm.k = k;
      gemm.room = room;
      gemm.transposeB = form & 1;
      gemm.bias = form & 2;
      gemm.accumulate = form & 4;
      gemm.lda = k;
      gemm.ldb = gemm.transposeB ? k : n;
      gemm.ldc = n;
      checkCounted(gemm, Gemm::Counted::Rows, 1 + form % 2);
    }
}

// On one thread, where the library does not divide a sum; the counted sum has
// the same bits on any number.
TEST(Gemm, InnerSizesBeyondACountAreSkipped) {
  struct Size {
    int64_t m, n, k, room;
  };
  for (auto [m, n, k, room] : {Size{7, 16, 64, 64},
                               {16, 33, 500, 500},
                               {20, 40, 512, 512},
                               {32, 40, 700, 700},
                               {7, 16, 2708, 2708},
                               {33, 143, 1664, 832},
                               {257, 514, 1300, 650},
                               {13, 40, 9001, 9001}})
    for (bool accumulate : {false, true}) {
      Gemm gemm;
      gemm.m = m;
      gemm.n = n;
      gemm.k = k;
      gemm.room = room;
      gemm.transposeA = true;
      gemm.accumulate = accumulate;
      gemm.lda = m;
      gemm.ldb = gemm.ldc = n;
      checkCounted(gemm, Gemm::Counted::Inner, 1);
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
