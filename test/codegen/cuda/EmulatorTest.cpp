//===- EmulatorTest.cpp - Warp-level instructions as documented -*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/codegen/cuda/Emulator.h"
#include "runtime/core/Float16.h"
#include "gtest/gtest.h"

using namespace tessera::runtime;
using namespace tessera::test;

namespace {

/// A 16 x 16, B 16 x 8 and C 16 x 8, of whole numbers that 16 bits hold.
struct Matrices {
  alignas(16) uint16_t a[16][16], b[16][8];
  float c[16][8];
};

template <bool isBFloat> uint16_t toBits(float number) {
  return isBFloat ? toBFloat16(number).bits : toFloat16(number).bits;
}

template <bool isBFloat> Matrices makeMatrices() {
  Matrices m;
  for (int i = 0; i < 16; ++i)
    for (int k = 0; k < 16; ++k)
      m.a[i][k] = toBits<isBFloat>((3 * i + 5 * k) % 11 - 5);
  for (int k = 0; k < 16; ++k)
    for (int j = 0; j < 8; ++j)
      m.b[k][j] = toBits<isBFloat>((7 * k + 2 * j) % 13 - 6);
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < 8; ++j)
      m.c[i][j] = i - 2 * j;
  return m;
}

void expectMatmul(const Matrices &m) {
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < 8; ++j) {
      float sum = i - 2 * j;
      for (int k = 0; k < 16; ++k)
        sum += ((3 * i + 5 * k) % 11 - 5) * ((7 * k + 2 * j) % 13 - 6);
      EXPECT_EQ(m.c[i][j], sum) << i << ", " << j;
    }
}

/// The PTX ISA's formulas for the fragments of mma.m16n8k16, number i of each.
template <bool isBFloat>
void multiply(char *const *args, tessera_emulated_thread *thread) {
  auto &m = *reinterpret_cast<Matrices *>(args[0]);
  int group = thread->thread >> 2, inGroup = thread->thread % 4;
  uint16_t a[8], b[4];
  float c[4];
  for (int i = 0; i < 8; ++i) {
    int row = i < 2 || (i >= 4 && i < 6) ? group : group + 8;
    int column = inGroup * 2 + (i & 1) + (i >= 4 ? 8 : 0);
    a[i] = m.a[row][column];
  }
  for (int i = 0; i < 4; ++i)
    b[i] = m.b[inGroup * 2 + (i & 1) + (i >= 2 ? 8 : 0)][group];
  auto result = [&](int i) -> float & {
    return m.c[i < 2 ? group : group + 8][inGroup * 2 + (i & 1)];
  };
  for (int i = 0; i < 4; ++i)
    c[i] = result(i);
  tessera_emulated_mma(thread, a, b, c, isBFloat);
  for (int i = 0; i < 4; ++i)
    result(i) = c[i];
}

TEST(Emulator, MultipliesByTensorCores) {
  auto brain = makeMatrices<true>();
  char *args[] = {reinterpret_cast<char *>(&brain)};
  emulate(multiply<true>, args, 1, 32);
  expectMatmul(brain);
  auto half = makeMatrices<false>();
  args[0] = reinterpret_cast<char *>(&half);
  emulate(multiply<false>, args, 1, 32, ThreadOrder::Descending);
  expectMatmul(half);
}

/// Operands come by ldmatrix: A's four matrices of 8 x 8 as they are, B's two,
/// whose columns a lane wants, transposed.
void loadAndMultiply(char *const *args, tessera_emulated_thread *thread) {
  auto &m = *reinterpret_cast<Matrices *>(args[0]);
  int lane = thread->thread;
  uint16_t a[8], b[8];
  tessera_emulated_ldmatrix(thread, &m.a[lane % 16][lane / 16 * 8], 0, a);
  tessera_emulated_ldmatrix(thread, m.b[lane % 16], 1, b);
  float c[4];
  auto result = [&](int i) -> float & {
    return m.c[lane / 4 + i / 2 * 8][lane % 4 * 2 + i % 2];
  };
  for (int i = 0; i < 4; ++i)
    c[i] = result(i);
  tessera_emulated_mma(thread, a, b, c, 1);
  for (int i = 0; i < 4; ++i)
    result(i) = c[i];
}

TEST(Emulator, LoadsMatrices) {
  auto matrices = makeMatrices<true>();
  char *args[] = {reinterpret_cast<char *>(&matrices)};
  emulate(loadAndMultiply, args, 1, 32);
  expectMatmul(matrices);
}

} // namespace
