//===- RandomBitsTest.cpp - nn.random_bits against the runtime -*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/codegen/cpu/CompiledKernel.h"
#include "test/codegen/cpu/RandomBitsCheck.h"

using namespace tessera::test;

namespace {

class RandomBits : public testing::TestWithParam<RandomBitsCase> {};

TEST_P(RandomBits, AreTheRuntimes) {
  CompiledKernel rows(GetParam().source(false)),
      columns(GetParam().source(true));
  for (int64_t pieces : {1, 3}) {
    auto runWith = [&](CompiledKernel &kernel) {
      return [&](const std::vector<void *> &buffers) {
        kernel.run(buffers, pieces);
      };
    };
    checkRandomBits(GetParam(), runWith(rows), runWith(columns));
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, RandomBits,
                         testing::ValuesIn(getRandomBitsCases()));

} // namespace
