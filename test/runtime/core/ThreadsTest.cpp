//===- ThreadsTest.cpp - Tests of the threads -----------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Threads.h"
#include "runtime/core/Error.h"
#include "runtime/core/Team.h"
#include "runtime/program/Context.h"
#include <atomic>
#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace tessera::runtime;

namespace {

class Pool : public testing::TestWithParam<int> {
protected:
  void SetUp() override { setThreads(GetParam()); }
};

TEST_P(Pool, RunsEachIterationOnce) {
  for (int64_t count : {0, 1, 2, 3, 7, 100, 12345}) {
    for (int64_t grain : {1, 3, 64}) {
      std::vector<std::atomic<int>> runs(count);
      parallelFor(count, grain, [&](int64_t begin, int64_t end) {
        EXPECT_TRUE(begin % grain == 0);
        EXPECT_TRUE(end % grain == 0 || end == count);
        for (int64_t i = begin; i < end; ++i)
          ++runs[i];
      });
      for (int64_t i = 0; i < count; ++i)
        ASSERT_EQ(runs[i], 1) << count << " " << grain << " " << i;
    }
  }
}

/// Loops that follow at once, that others have to be woken for, and teams one
/// after the other.
TEST_P(Pool, TeamRunsEachIterationOnce) {
  for (int teams = 0; teams < 20; ++teams) {
    std::vector<std::atomic<int>> runs(97);
    withTeam([&] {
      for (int loops = 0; loops < 50; ++loops) {
        parallelFor(97, 1, [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i)
            ++runs[i];
        });
        if (loops % 25 == 0)
          std::this_thread::sleep_for(std::chrono::milliseconds(2));
      }
    });
    for (auto &count : runs)
      ASSERT_EQ(count, 50);
  }
}

/// Iteration 0 never ends, and iteration 1 fails.
void failBeside(void *, int64_t begin, int64_t, int) {
  if (begin == 1)
    fatal("a thread beside fails");
  while (true)
    pause();
}

/// Whichever thread fails, the process ends, whether others work or wait.
TEST(TeamDeathTest, EndsWithTheErrorOfAThread) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto inTeam = [](auto body) {
    setThreads(2);
    withTeam(body);
  };
  EXPECT_EXIT(inTeam([] { parallelFor(2, 1, failBeside, nullptr); }),
              testing::ExitedWithCode(1), "a thread beside fails");
  EXPECT_EXIT(inTeam([] {
                std::this_thread::sleep_for(std::chrono::milliseconds(2));
                fatal("the first thread fails");
              }),
              testing::ExitedWithCode(1), "the first thread fails");
}

/// Element i of args[1] from row i of args[0], by way of the thread's scratch.
void rowSums(char *const *args, int64_t begin, int64_t end, char *scratch) {
  auto *row = reinterpret_cast<float *>(scratch);
  for (int64_t i = begin; i < end; ++i) {
    float sum = 0;
    for (int64_t j = 0; j < 64; ++j)
      row[j] = reinterpret_cast<const float *>(args[0])[i * 64 + j];
    for (int64_t j = 0; j < 64; ++j)
      sum += row[j];
    reinterpret_cast<float *>(args[1])[i] = sum;
  }
}

TEST_P(Pool, LaunchGivesTheBitsOfOneThread) {
  constexpr int64_t count = 1003;
  std::vector<float> input(count * 64), expected(count), result(count);
  for (size_t i = 0; i < input.size(); ++i)
    input[i] = std::sin(float(i));
  std::vector<char> scratch(512 * 256);
  char *args[] = {reinterpret_cast<char *>(input.data()),
                  reinterpret_cast<char *>(expected.data())};
  rowSums(args, 0, count, scratch.data());
  args[1] = reinterpret_cast<char *>(result.data());
  tessera_context context;
  for (int repeat = 0; repeat < 50; ++repeat) {
    std::fill(result.begin(), result.end(), -1.0f);
    tessera_launch(&context, rowSums, args, count, scratch.data(), 256);
    ASSERT_EQ(result, expected);
  }
}

TEST_P(Pool, ZeroFillsExactly) {
  std::vector<char> bytes(200003, 'x');
  tessera_context context;
  tessera_zero(&context, bytes.data() + 1, bytes.size() - 2);
  EXPECT_EQ(bytes.front(), 'x');
  EXPECT_EQ(bytes.back(), 'x');
  EXPECT_EQ(std::count(bytes.begin(), bytes.end(), 0),
            int64_t(bytes.size()) - 2);
}

/// The bits of half the smallest normal number, and of twice a subnormal one.
std::pair<uint32_t, uint32_t> subnormalResults() {
  volatile float smallest = std::numeric_limits<float>::min();
  volatile float subnormal = std::bit_cast<float>(uint32_t(1) << 22);
  return {std::bit_cast<uint32_t>(smallest * 0.5f),
          std::bit_cast<uint32_t>(subnormal * 2.0f)};
}

TEST_P(Pool, SubnormalNumbersCountAsZero) {
  std::pair<uint32_t, uint32_t> zeros{0, 0};
  EXPECT_EQ(subnormalResults(), zeros);
  std::vector<std::pair<uint32_t, uint32_t>> results(100, {1, 1});
  parallelFor(results.size(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      results[i] = subnormalResults();
  });
  for (const auto &result : results)
    EXPECT_EQ(result, zeros);
  std::thread([&] { EXPECT_EQ(subnormalResults(), zeros); }).join();
}

INSTANTIATE_TEST_SUITE_P(Threads, Pool, testing::Values(1, 2, 3, 5));

TEST(ThreadCount, SharesTheNodeAndIsAtLeastOne) {
  EXPECT_EQ(threadCount(3, 1), 3);
  EXPECT_EQ(threadCount(0, 1000000), 1);
  EXPECT_GE(threadCount(0, 1), 1);
}

TEST(ArenaDeathTest, SaysThatMemoryIsTooLittle) {
  requireMemory(4096, 2);
  EXPECT_EXIT(requireMemory(int64_t(1) << 50, 2), testing::ExitedWithCode(1),
              "the plan needs 1125899.907 GB for each of 2 ranks on this node, "
              "which has [0-9.]+ GB of memory left: use more nodes");
}

} // namespace

// What an emitted object would define.
const char tessera_manifest[] = "{}";
static void nothing(tessera_context *, char *) {}
const tessera_entry tessera_entries[] = {{"train.begin", nothing},
                                         {"train.micro", nothing},
                                         {"train.reduce", nothing},
                                         {"train.update", nothing},
                                         {nullptr, nullptr}};
