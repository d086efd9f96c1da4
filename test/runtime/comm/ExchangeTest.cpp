//===- ExchangeTest.cpp - Tests of what an exchange takes -----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Single.h"
#include <algorithm>
#include <array>
#include <gtest/gtest.h>

using namespace tessera::runtime;

namespace {

using Bytes = std::array<char, Communicator::exchangeLimit + 1>;

TEST(Exchange, TakesItsLimit) {
  SingleCommunicator communicator;
  Bytes mine, all;
  mine.fill('a');
  all.fill('b');
  communicator.exchange(mine.data(), all.data(), Communicator::exchangeLimit);
  EXPECT_EQ(std::count(all.begin(), all.end(), 'a'), std::ssize(all) - 1);
  EXPECT_EQ(all.back(), 'b');
}

TEST(Exchange, RefusesMore) {
  SingleCommunicator communicator;
  Bytes mine = {}, all = {};
  EXPECT_EXIT(communicator.exchange(mine.data(), all.data(), mine.size()),
              testing::ExitedWithCode(1),
              "internal error: an exchange of 65 bytes; a rank may give 64, "
              "and Communicator::collect\\(\\) takes any size");
}

} // namespace
