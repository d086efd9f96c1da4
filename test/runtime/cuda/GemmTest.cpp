//===- GemmTest.cpp - Tests of GEMMs by cuBLASLt --------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/runtime/GemmForms.h"
#include "test/runtime/cuda/Fixture.h"
#include <cstdlib>
#include <cstring>

using namespace tessera;

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
    tsr_gemm(nullptr, gemm.id, a, b, bias, c, context.arena + next + 64);
    std::vector<char> result(operands.storedC.size());
    context.device->read(result.data(), c, result.size());
    operands.check(result);
  }
}

class GpuGemmChoice : public GpuTest {
protected:
  /// The row that tells how GEMMs were chosen.
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
  EXPECT_EXIT(tsr_gemm(nullptr, 0, context.arena + 4, context.arena, nullptr,
                       context.arena, nullptr),
              testing::ExitedWithCode(1),
              "GEMM 0 has a matrix that is not "
              "aligned");
}

} // namespace
