//===- OffloadTest.cpp - Tests of states in a file ------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/program/Offload.h"
#include <cstring>
#include <filesystem>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <vector>

using namespace tessera::runtime;

namespace {

constexpr int64_t page = 4096, part = 256 * page;

/// Pages of the file that memory holds.
int64_t countCached(char *address, int64_t bytes) {
  std::vector<unsigned char> present(bytes / page);
  EXPECT_EQ(mincore(address, bytes, present.data()), 0);
  int64_t count = 0;
  for (unsigned char one : present)
    count += one & 1;
  return count;
}

TEST(OffloadFile, StreamsThroughMemory) {
  OffloadFile file(".", 4 * part);
  auto *memory = static_cast<char *>(
      mmap(nullptr, 4 * part, PROT_NONE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  ASSERT_NE(memory, MAP_FAILED);
  file.map(memory);
  EXPECT_EQ(file.size(), 4 * part);
  struct statfs status;
  ASSERT_EQ(statfs(".", &status), 0);
  bool onDisk = status.f_type != 0x01021994; // of a file system in memory
  for (int round = 0; round < 3; ++round) {
    file.fetch(memory, part);
    for (int i = 0; i < 4; ++i) {
      char *now = memory + i * part;
      if (i < 3)
        file.fetch(now + part, part);
      for (int64_t at = 0; at < part; at += page) {
        ASSERT_EQ(now[at], round ? round + i : 0);
        now[at] = static_cast<char>(round + 1 + i);
      }
      file.evict(now, part);
    }
    // All but the last part have been written and dropped for good.
    if (onDisk)
      EXPECT_EQ(countCached(memory, 3 * part), 0);
  }
}

TEST(OffloadFile, LeavesNothingBehind) {
  std::filesystem::path folder = "offload-test";
  std::filesystem::create_directory(folder);
  {
    OffloadFile file(folder, part);
    EXPECT_TRUE(std::filesystem::is_empty(folder));
  }
  EXPECT_TRUE(std::filesystem::remove(folder));
}

TEST(OffloadFileDeathTest, SaysWhatIsWrong) {
  EXPECT_EXIT(OffloadFile("/nowhere", part), testing::ExitedWithCode(1),
              "cannot make a file for the optimizer's states in '/nowhere' "
              ".*--offload-dir DIR names another directory");
  EXPECT_EXIT(OffloadFile(".", int64_t(1) << 55), testing::ExitedWithCode(1),
              "cannot keep .* GB for the optimizer's states in '.' .*"
              "--offload-dir DIR names another directory");
}

} // namespace
