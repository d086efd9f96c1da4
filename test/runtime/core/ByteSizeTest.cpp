//===- ByteSizeTest.cpp - Sizes as people write them ----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Text.h"

#include <gtest/gtest.h>

using namespace tessera::runtime;

TEST(ByteSize, ReadsNumbersWithUnits) {
  EXPECT_EQ(parseByteSize("24GB"), 24000000000);
  EXPECT_EQ(parseByteSize("512MiB"), 512 * 1024 * 1024);
  EXPECT_EQ(parseByteSize("1.5 gib"), 1610612736);
  EXPECT_EQ(parseByteSize("64 B"), 64);
  EXPECT_EQ(parseByteSize("2kB"), 2000);
  EXPECT_EQ(parseByteSize("2KiB"), 2048);
  EXPECT_EQ(parseByteSize("3MB"), 3000000);
  EXPECT_EQ(parseByteSize("1TB"), 1000000000000);
  EXPECT_EQ(parseByteSize("1TiB"), int64_t(1) << 40);
}

TEST(ByteSize, RefusesAllElse) {
  for (const char *text :
       {"", "24", "GB", "-1GB", "1e9B", "24 gigabytes", "1.2.3GB", ".GB", "0GB",
        "0.5B", "24GB more", "9300000TB"})
    EXPECT_EQ(parseByteSize(text), std::nullopt) << text;
}

TEST(ByteSize, IsWrittenInThreeDigits) {
  EXPECT_EQ(byteText(0), "0 B");
  EXPECT_EQ(byteText(999), "999 B");
  EXPECT_EQ(byteText(1000), "1.00 kB");
  EXPECT_EQ(byteText(1652736), "1.65 MB");
  EXPECT_EQ(byteText(36839424), "36.8 MB");
  EXPECT_EQ(byteText(792e6), "792 MB");
  EXPECT_EQ(decimalText(5608662528, "flop"), "5.61 Gflop");
  EXPECT_EQ(decimalText(7, "flop"), "7.00 flop");
}
