//===- VectorBuilderTest.cpp - Vectors, powers and matmuls ------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/SmallGemm.h"
#include "test/codegen/cpu/CompiledKernel.h"
#include "test/codegen/cpu/Numbers.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::test;

namespace {

/// A function of three flat buffers, written by \p body.
class Function {
public:
  Function(
      int64_t a, int64_t b, int64_t c,
      llvm::function_ref<void(codegen::VectorBuilder &, ValueRange)> body) {
    OpBuilder builder = OpBuilder::atBlockEnd(module.parse().getBody());
    auto flat = [&](int64_t count) -> Type {
      return MemRefType::get({count}, builder.getF32Type());
    };
    Location loc = builder.getUnknownLoc();
    auto function = func::FuncOp::create(
        builder, loc, "function",
        builder.getFunctionType({flat(a), flat(b), flat(c)}, {}));
    Block *block = function.addEntryBlock();
    builder.setInsertionPointToStart(block);
    codegen::VectorBuilder vb(builder, loc);
    body(vb, block->getArguments());
    func::ReturnOp::create(builder, loc);
    module.compile();
  }

  void operator()(float *a, float *b, float *c) {
    reinterpret_cast<void (*)(float *, float *, float *)>(
        module.lookup("function"))(a, b, c);
  }

private:
  CompiledModule module;
};

TEST(Exp2, IsExactToOneAndAHalfUnits) {
  constexpr int64_t count = 1 << 16;
  std::vector<float> x(count), y(count), none(16);
  for (int64_t i = 0; i < count; ++i)
    x[i] = -80 + 207.9 * i / count;
  Function exp2(count, count, 16,
                [&](codegen::VectorBuilder &vb, ValueRange args) {
                  vb.loop(0, count, codegen::vectorLanes, [&](Value i) {
                    vb.store(vb.exp2(vb.load(args[0], i)), args[1], i);
                  });
                });
  exp2(x.data(), y.data(), none.data());
  for (int64_t i = 0; i < count; ++i) {
    double expected = std::exp2(static_cast<double>(x[i]));
    double unit = std::exp2(std::floor(x[i]) - 23);
    ASSERT_LE(std::abs(y[i] - expected), 1.5 * unit) << x[i];
  }
}

TEST(Exp2, KeepsItsPromisesAtTheEnds) {
  std::vector<float> x(16), y(16), none(16);
  x = {0, -0.0f, -80.001f, -1e30f, -INFINITY, NAN, 1, -1};
  x.resize(16);
  Function exp2(16, 16, 16, [&](codegen::VectorBuilder &vb, ValueRange args) {
    vb.store(vb.exp2(vb.load(args[0], vb.index(0))), args[1], vb.index(0));
  });
  exp2(x.data(), y.data(), none.data());
  EXPECT_EQ(y[0], 1);
  EXPECT_EQ(y[1], 1);
  EXPECT_EQ(y[2], 0);
  EXPECT_EQ(y[3], 0);
  EXPECT_EQ(y[4], 0);
  EXPECT_TRUE(std::isnan(y[5]));
  EXPECT_EQ(y[6], 2);
  EXPECT_EQ(y[7], 0.5);
}

struct Sizes {
  int64_t rows, vectors, inner, unroll;
};

class TileMatmul : public testing::TestWithParam<Sizes> {};

TEST_P(TileMatmul, AddsToItsResult) {
  auto [rows, vectors, inner, unroll] = GetParam();
  int64_t columns = vectors * codegen::vectorLanes;
  Function matmul(rows * inner, inner * columns, rows * columns,
                  [&](codegen::VectorBuilder &vb, ValueRange args) {
                    Value zero = vb.index(0);
                    // The first factor lies transposed.
                    cpu::emitTileMatmul(
                        vb, rows, vectors, zero, vb.index(inner), unroll,
                        {args[0], zero, 1, rows}, {args[1], zero, columns},
                        {args[2], zero, columns});
                  });
  std::vector<float> a = randomNumbers(rows * inner, 1, 1),
                     b = randomNumbers(inner * columns, 1, 2),
                     c = randomNumbers(rows * columns, 1, 3);
  std::vector<double> expected = widen(c);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t k = 0; k < inner; ++k)
      for (int64_t j = 0; j < columns; ++j)
        expected[i * columns + j] +=
            static_cast<double>(a[k * rows + i]) * b[k * columns + j];
  matmul(a.data(), b.data(), c.data());
  EXPECT_LT(relativeError(c, expected), 5e-7);
}

INSTANTIATE_TEST_SUITE_P(Shapes, TileMatmul,
                         testing::Values(Sizes{8, 2, 16, 4}, Sizes{16, 1, 9, 1},
                                         Sizes{3, 3, 32, 4},
                                         Sizes{24, 4, 20, 2},
                                         Sizes{13, 5, 7, 1}));

} // namespace
