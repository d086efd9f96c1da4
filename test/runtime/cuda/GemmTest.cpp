//===- GemmTest.cpp - Tests of GEMMs by cuBLASLt --------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/runtime/cuda/Fixture.h"
#include "test/runtime/host/GemmForms.h"
#include <cstdlib>
#include <cstring>

using namespace tessera::runtime;

namespace {

class GpuGemm : public GpuTest,
                public testing::WithParamInterface<GemmTypes> {};
INSTANTIATE_TEST_SUITE_P(Types, GpuGemm, testing::ValuesIn(allGemmTypes));

TEST_P(GpuGemm, AgreesWithDoublePrecision) {
  manifest.gemms = allGemmForms(GetParam());
  for (Gemm &gemm : manifest.gemms)
    gemm.scratch = 8192;
  program().arenaBytes = 16 << 20;
  open();
  tessera_prepare_gemms(&manifest, 1);
  // Nothing is left of what was timed.
  int64_t count = program().arenaBytes / 4;
  EXPECT_EQ(integers(0, count), std::vector<int32_t>(count, 0));
  for (const Gemm &gemm : manifest.gemms) {
    GemmOperands operands(gemm);
    int64_t next = 0;
    auto place = [&](const std::vector<char> &bytes) {
      char *address = context.arena + next;
      auto count = static_cast<int64_t>(bytes.size());
      context.device->write(address, count,
                            [&](char *host, int64_t begin, int64_t end) {
                              memcpy(host, &bytes[begin], end - begin);
                            });
      next = (next + count + 255) / 256 * 256;
      return address;
    };
    char *a = place(operands.storedA), *b = place(operands.storedB);
    char *bias = gemm.bias ? place(operands.storedBias) : nullptr;
    char *c = place(operands.storedC);
    tessera_gemm(nullptr, gemm.id, a, b, bias, nullptr, c,
                 context.arena + next + 64);
    std::vector<char> result(operands.storedC.size());
    context.device->read(result.data(), c, result.size());
    operands.check(result);
  }
}

/// A counted GEMM is done in the smallest of some sizes that holds the count.
/// Rows beyond that size are 0, or keep what they are added to.
class CountedGpuGemm : public GpuTest {
protected:
  static constexpr int64_t rows = 40, columns = 3, inner = 4, step = 5;
  static constexpr int64_t aAt = 256, bAt = 2048, cAt = 4096;

  void prepare(Gemm::Counted counted, bool accumulate) {
    Gemm gemm;
    bool isRows = counted == Gemm::Counted::Rows;
    gemm.m = isRows ? rows : inner;
    gemm.k = isRows ? inner : rows;
    gemm.n = gemm.ldb = gemm.ldc = columns;
    gemm.lda = inner;
    gemm.transposeA = !isRows;
    gemm.counted = counted;
    gemm.room = rows;
    gemm.accumulate = accumulate;
    manifest.gemms = {gemm};
    Slot count;
    count.name = "count";
    count.type = "i32";
    count.when = "step";
    count.shape = {1};
    program().inputs = {count};
    program().arenaBytes = 1 << 14;
    open();
    tessera_prepare_gemms(&manifest, 1);
    fill(aAt, rows * inner, 1);
    fill(bAt, rows * columns, 2);
  }

  void fill(int64_t at, int64_t count, float value) {
    std::vector<float> values(count, value);
    context.device->write(
        context.arena + at, 4 * count,
        [&](char *host, int64_t begin, int64_t end) {
          memcpy(host, reinterpret_cast<char *>(values.data()) + begin,
                 end - begin);
        });
  }

  /// The result, which held 7 before, where \p number is counted.
  std::vector<float> run(int32_t number) {
    int64_t elements = rows * columns;
    fill(cAt, elements, 7);
    fillInput(0, number);
    runEntry([&](char *arena) {
      ++issued;
      tessera_gemm_counted(&context, 0, reinterpret_cast<int32_t *>(arena),
                           arena + aAt, arena + bAt, nullptr, nullptr,
                           arena + cAt, arena + 8192);
    });
    std::vector<float> result(elements);
    context.device->read(result.data(), context.arena + cAt, 4 * elements);
    return result;
  }

  int issued = 0;
};

TEST_F(CountedGpuGemm, Rows) {
  for (bool accumulate : {false, true}) {
    prepare(Gemm::Counted::Rows, accumulate);
    for (int32_t number : {0, 1, 5, 6, 39, 40, 41}) {
      std::vector<float> result = run(number);
      int64_t done =
          std::clamp<int64_t>((number + step - 1) / step * step, step, rows);
      for (int64_t row = 0; row < rows; ++row)
        EXPECT_EQ(result[row * columns],
                  (row < done ? 2 * inner : 0) + (accumulate ? 7 : 0))
            << number << " of " << rows << ", row " << row;
    }
  }
}

TEST_F(CountedGpuGemm, InnerSize) {
  prepare(Gemm::Counted::Inner, false);
  EXPECT_EQ(run(11).front(), 2 * 15);
  EXPECT_EQ(run(40).front(), 2 * 40);
}

TEST_F(CountedGpuGemm, EachSizeHasAGraph) {
  prepare(Gemm::Counted::Rows, false);
  for (int32_t number : {40, 40, 40, 39, 3, 4, 5, 6, 7})
    EXPECT_EQ(run(number)[columns * (number - 1)], 2 * inner) << number;
  // Each size runs once as it is and is captured when it comes again.
  EXPECT_EQ(issued, 6);
}

TEST_F(CountedGpuGemm, WhatTheHostHasNotCountedIsWhole) {
  prepare(Gemm::Counted::Rows, false);
  runEntry([&](char *arena) {
    tessera_gemm_counted(&context, 0, reinterpret_cast<int32_t *>(arena + 64),
                         arena + aAt, arena + bAt, nullptr, nullptr,
                         arena + cAt, arena + 8192);
  });
  std::vector<float> result(rows * columns);
  context.device->read(result.data(), context.arena + cAt, 4 * rows * columns);
  EXPECT_EQ(result, std::vector<float>(rows * columns, 2 * inner));
}

/// What a GELU saves is what its backward pass reads: the derivative times a
/// sum.
TEST_F(GpuTest, GelusSaveTheirOperands) {
  constexpr int64_t size = 8;
  Gemm forward;
  forward.m = forward.n = forward.k = size;
  forward.lda = forward.ldb = forward.ldc = size;
  forward.epilogue = "gelu_saved";
  Gemm back = forward;
  back.id = 1;
  back.epilogue = "gelu_grad";
  manifest.gemms = {forward, back};
  program().arenaBytes = 1 << 16;
  open();
  tessera_prepare_gemms(&manifest, 1);
  std::vector<float> a(size * size), identity(size * size);
  fillRandom(a.data(), 0, size * size, 11, 0, true, 1);
  for (int64_t i = 0; i < size; ++i)
    identity[i * size + i] = 1;
  char *places[5];
  for (int64_t i = 0; i < 5; ++i)
    places[i] = context.arena + i * 1024;
  auto bytes = static_cast<int64_t>(a.size() * sizeof(float));
  for (auto [place, values] :
       {std::pair(places[0], a.data()), {places[1], identity.data()}})
    context.device->write(
        place, bytes,
        [&, values = values](char *host, int64_t begin, int64_t end) {
          memcpy(host, reinterpret_cast<char *>(values) + begin, end - begin);
        });
  tessera_gemm(nullptr, 0, places[0], places[1], nullptr, places[2], places[3],
               nullptr);
  tessera_gemm(nullptr, 1, places[1], places[1], nullptr, places[2], places[4],
               nullptr);
  std::vector<float> saved(a.size()), result(a.size()), slope(a.size());
  context.device->read(saved.data(), places[2], bytes);
  context.device->read(result.data(), places[3], bytes);
  context.device->read(slope.data(), places[4], bytes);
  auto gelu = [](double x) {
    return 0.5 * x *
           (1 + std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
  };
  EXPECT_EQ(saved, a);
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_NEAR(result[i], gelu(a[i]), 1e-6);
    double wanted = (gelu(a[i] + 1e-4) - gelu(a[i] - 1e-4)) / 2e-4;
    EXPECT_NEAR(slope[i], identity[i] * wanted, 1e-5);
  }
}

class GpuGemmChoice : public GpuTest {
protected:
  /// The row that says how GEMMs were chosen.
  std::string choose(const char *trials, int64_t arenaBytes) {
    Gemm gemm;
    gemm.m = gemm.n = gemm.k = gemm.lda = gemm.ldb = gemm.ldc = 8;
    gemm.scratch = 8192;
    manifest.gemms = {gemm};
    program().arenaBytes = arenaBytes;
    open();
    if (trials)
      setenv("TESSERA_GEMM_TRIALS", trials, 1);
    tessera_prepare_gemms(&manifest, 1);
    unsetenv("TESSERA_GEMM_TRIALS");
    std::string text = context.device->settings().back().second;
    return text.substr(0, text.find(" candidates"));
  }
};

TEST_F(GpuGemmChoice, TimesTheCandidates) {
  EXPECT_EQ(choose(nullptr, 1 << 16), "1 by cuBLASLt, chosen by timing 3");
}

TEST_F(GpuGemmChoice, TimesAsManyAsAreWanted) {
  EXPECT_EQ(choose("2", 1 << 16), "1 by cuBLASLt, chosen by timing 2");
}

TEST_F(GpuGemmChoice, TakesTheFirstWhereNoneIsWanted) {
  EXPECT_EQ(choose("0", 1 << 16), "1 by cuBLASLt, chosen by timing 0");
}

TEST_F(GpuGemmChoice, TimesNoneThatDoesNotFitTheArena) {
  EXPECT_EQ(choose(nullptr, 512), "1 by cuBLASLt, chosen by timing 0");
}

using GpuGemmDeathTest = GpuGemmChoice;

TEST_F(GpuGemmDeathTest, SaysWhatIsWrong) {
  EXPECT_EXIT(choose("9", 1 << 16), testing::ExitedWithCode(1),
              "TESSERA_GEMM_TRIALS is '9': it may be 0");
  choose("0", 1 << 16);
  EXPECT_EXIT(tessera_gemm(nullptr, 0, context.arena + 4, context.arena,
                           nullptr, nullptr, context.arena, nullptr),
              testing::ExitedWithCode(1),
              "GEMM 0 has a matrix that is not "
              "aligned");
}

} // namespace
