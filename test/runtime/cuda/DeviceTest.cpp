//===- DeviceTest.cpp - Tests of a rank's GPU -----------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/runtime/cuda/Fixture.h"
#include <algorithm>
#include <cstdlib>
#include <cstring>

using namespace tessera::runtime;
using tessera::runtime::cuda::device;
using tessera::runtime::cuda::driver;

namespace {

Slot input(const char *when, int64_t elements, int64_t offset) {
  Slot slot;
  slot.name = "tokens";
  slot.type = "i32";
  slot.when = when;
  slot.shape = {elements};
  slot.offset = offset;
  return slot;
}

size_t freeBytes() {
  size_t available = 0, total = 0;
  driver().memGetInfo(&available, &total);
  return available;
}

TEST_F(GpuTest, TheArenaIsExactlyThePlansAndZero) {
  program().arenaBytes = 4100;
  size_t before = freeBytes();
  open();
  EXPECT_EQ(before - freeBytes(), 4100u);
  EXPECT_EQ(integers(0, 1025), std::vector<int32_t>(1025, 0));
}

TEST_F(GpuTest, GivesItsArenaBack) {
  size_t before = freeBytes();
  open();
  open(); // closes the first
  EXPECT_EQ(before - freeBytes(), 4096u);
}

TEST_F(GpuTest, StatesPassThroughInPieces) {
  // More than two pieces, the last one short.
  int64_t count = (9 << 18) + 5;
  program().arenaBytes = 4 * count + 64;
  open();
  std::vector<int32_t> values(count);
  for (int64_t i = 0; i < count; ++i)
    values[i] = static_cast<int32_t>(i);
  context.device->write(context.arena + 64, 4 * count,
                        [&](char *host, int64_t begin, int64_t end) {
                          memcpy(host, &values[begin / 4], end - begin);
                        });
  EXPECT_EQ(integers(64, count), values);
  EXPECT_EQ(integers(0, 16), std::vector<int32_t>(16, 0));
}

TEST_F(GpuTest, InputsAreFilledWhileCopiesArePending) {
  program().inputs = {input("micro", 8, 0)};
  open();
  int32_t expected = 0;
  for (int32_t value = 1; value <= 7; ++value) {
    fillInput(0, value);
    runEntry([](char *arena) {
      char *args[] = {arena, arena + 256};
      tessera_device_launch(nullptr, 0, args, 2, nullptr);
    });
    expected = 3 * expected + value;
  }
  EXPECT_EQ(integers(256, 8), std::vector<int32_t>(8, expected));
}

TEST_F(GpuTest, AnInputForAllStepsIsThereAtOnce) {
  program().inputs = {input("load", 8, 512)};
  open();
  fillInput(0, 5);
  EXPECT_EQ(integers(512, 8), std::vector<int32_t>(8, 5));
}

TEST_F(GpuTest, ProgramsInOneArenaHaveInputsOfTheirOwn) {
  Program &other = manifest.programs["other"];
  other.inputs = {input("step", 8, 768), input("step", 4, 1024)};
  program().inputs = {input("micro", 8, 0)};
  open();
  fillInput(0, 3);
  context.program = &other;
  for (int32_t value : {5, 6, 7}) {
    const Slot &slot = other.inputs[1];
    char *address = context.device->beginInput(context, slot);
    std::fill_n(reinterpret_cast<int32_t *>(address), slot.elements(), value);
    context.device->commitInput(context, slot);
  }
  EXPECT_EQ(integers(0, 8), std::vector<int32_t>(8, 3));
  EXPECT_EQ(integers(768, 8), std::vector<int32_t>(8, 0));
  EXPECT_EQ(integers(1024, 4), std::vector<int32_t>(4, 7));
}

/// Work on both streams, as a program with collectives has it: a copy there of
/// what a kernel here has written, and its sum here.
void computeAndCommunicate(char *arena) {
  static cuda::Event there = device().makeEvent(), back = device().makeEvent();
  char *sum = arena + 256, *copy = arena + 512, *total = arena + 1024;
  char *mix[] = {arena, sum}, *add[] = {copy, total};
  tessera_device_launch(nullptr, 0, mix, 2, nullptr);
  device().order(device().compute(), device().communication(), there);
  driver().memcpyDtoDAsync(cuda::toDevice(copy), cuda::toDevice(sum), 32,
                           device().communication());
  tessera_zero(nullptr, arena + 2048, 64);
  device().order(device().communication(), device().compute(), back);
  tessera_device_launch(nullptr, 0, add, 2, nullptr);
  tessera_copy(nullptr, arena + 1536, total, 32);
}

TEST_F(GpuTest, GraphsDoWhatTheirEntriesDo) {
  program().inputs = {input("micro", 8, 0)};
  std::vector<int32_t> results[2];
  for (bool graphs : {false, true}) {
    setenv("TESSERA_GRAPHS", graphs ? "1" : "0", 1);
    open();
    int runs = 0;
    for (int32_t value = 1; value <= 5; ++value) {
      fillInput(0, value);
      runEntry([&](char *arena) {
        ++runs;
        computeAndCommunicate(arena);
      });
    }
    // Once as it is, once to capture it.
    EXPECT_EQ(runs, graphs ? 2 : 5);
    results[graphs] = integers(1536, 8);
  }
  unsetenv("TESSERA_GRAPHS");
  int32_t sum = 0, total = 0;
  for (int32_t value = 1; value <= 5; ++value) {
    sum = 3 * sum + value;
    total = 3 * total + sum;
  }
  EXPECT_EQ(results[0], std::vector<int32_t>(8, total));
  EXPECT_EQ(results[1], results[0]);
}

TEST_F(GpuTest, ACommunicatorMaySwitchGraphsOff) {
  open();
  device().disableGraphs();
  int runs = 0;
  for (int i = 0; i < 3; ++i)
    runEntry([&](char *) { ++runs; });
  EXPECT_EQ(runs, 3);
}

TEST_F(GpuTest, ThePeakIsOfTheTypeOfTheGemms) {
  manifest.gemms.resize(1);
  open();
  EXPECT_EQ(device().peakFlops(), 4 * 1e9 * 256);
  manifest.gemms[0].type = ElementType::Bf16;
  EXPECT_EQ(device().peakFlops(), 4 * 1e9 * 4096);
  EXPECT_EQ(device().settings()[0].second,
            "GPU 0 (Fake GPU) of 1, sm_90, driver for CUDA 13.0");
}

using GpuDeathTest = GpuTest;

TEST_F(GpuDeathTest, SaysWhatIsWrong) {
  auto fails = [&](const char *message) {
    EXPECT_EXIT(open(), testing::ExitedWithCode(1), message);
  };
  auto failsWith = [&](const char *variable, const char *value,
                       const char *message) {
    setenv(variable, value, 1);
    fails(message);
    unsetenv(variable);
  };
  failsWith("FAKE_CUDA_DEVICES", "0", "has no NVIDIA GPU that this process");
  failsWith("FAKE_CUDA_CAPABILITY", "75",
            "is compiled for sm_80, and GPU 0 \\(Fake GPU\\) is sm_75: compile "
            "it with --set target.cuda.arch=sm_75");
  failsWith("FAKE_CUDA_VERSION", "12060",
            "is for CUDA 12.6, and this executable needs one for 13.0: install "
            "driver 580");
  failsWith("TESSERA_GRAPHS", "yes", "TESSERA_GRAPHS is 'yes'");
  program().arenaBytes = int64_t(2) << 30;
  fails("the plan needs 2.147 GB on GPU 0 \\(Fake GPU\\), which has 1.074 GB "
        "free of 1.074 GB");
  manifest.kernels[0].name = "other";
  fails("the device's code has no kernel 'other'");
}

} // namespace
