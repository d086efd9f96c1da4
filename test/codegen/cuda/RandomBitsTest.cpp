//===- RandomBitsTest.cpp - nn.random_bits against the runtime -*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/codegen/cpu/RandomBitsCheck.h"
#include "test/codegen/cuda/EmulatedKernel.h"

using namespace tessera::test;

namespace {

class DeviceRandomBits : public testing::TestWithParam<RandomBitsCase> {};

TEST_P(DeviceRandomBits, AreTheRuntimes) {
  DeviceKernel rows(GetParam().source(false)), columns(GetParam().source(true));
  auto runWith = [&](DeviceKernel &kernel) {
    return [&](const std::vector<void *> &buffers) { kernel.run(buffers); };
  };
  checkRandomBits(GetParam(), runWith(rows), runWith(columns));
}

INSTANTIATE_TEST_SUITE_P(Shapes, DeviceRandomBits,
                         testing::ValuesIn(getRandomBitsCases()));

} // namespace
