//===- FakeCudaTest.cpp - Tests of the double of CUDA's driver ------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// That it finds the faults which tests rely on it to find.
//
//===----------------------------------------------------------------------===//

#include "test/runtime/cuda/Fixture.h"
#include <cstdlib>
#include <cstring>

using namespace tessera::runtime;
using tessera::runtime::cuda::device;
using tessera::runtime::cuda::driver;

namespace {

class FakeCuda : public GpuTest {
protected:
  void SetUp() override { open(); }
  cuda::DevicePointer at(int64_t offset) {
    return cuda::toDevice(context.arena + offset);
  }
};

using FakeCudaDeathTest = FakeCuda;

TEST_F(FakeCudaDeathTest, TheHostCannotTouchDeviceMemory) {
  EXPECT_DEATH(*static_cast<volatile char *>(context.arena) = 1, "");
}

TEST_F(FakeCuda, RefusesWhatIsNotWithinAnAllocation) {
  EXPECT_EQ(driver().memsetD8Async.attempt(at(4090), 0, 7, device().compute()),
            cuda::InvalidValue);
}

TEST_F(FakeCuda, AForgottenEventShows) {
  const char *order = getenv("FAKE_CUDA_ORDER");
  if (order && !strcmp(order, "eager"))
    GTEST_SKIP() << "all is done at once";
  driver().memsetD8Async(at(0), 1, 64, device().communication());
  EXPECT_EQ(integers(0, 1)[0], 0);
  device().synchronize(device().communication());
  EXPECT_EQ(integers(0, 1)[0], 0x01010101);
}

TEST_F(FakeCuda, RefusesACaptureThatIsNotJoined) {
  cuda::Graph graph = nullptr;
  driver().streamBeginCapture(device().compute(), cuda::CaptureThreadLocal);
  device().order(device().compute(), device().communication(),
                 device().makeEvent());
  driver().memsetD8Async(at(0), 1, 64, device().communication());
  EXPECT_EQ(driver().streamEndCapture.attempt(device().compute(), &graph),
            cuda::CaptureUnjoined);
}

TEST_F(FakeCuda, RefusesWhatACaptureForbids) {
  cuda::Graph graph = nullptr;
  cuda::DevicePointer memory = 0;
  cuda::Event earlier = device().makeEvent();
  driver().eventRecord(earlier, device().communication());
  auto invalidates = [&](auto call) {
    driver().streamBeginCapture(device().compute(), cuda::CaptureThreadLocal);
    int error = call();
    EXPECT_EQ(driver().streamEndCapture.attempt(device().compute(), &graph),
              cuda::CaptureInvalidated);
    return error;
  };
  EXPECT_EQ(invalidates([&] { return driver().memAlloc.attempt(&memory, 64); }),
            cuda::CaptureUnsupported);
  EXPECT_EQ(invalidates([&] {
              return driver().streamSynchronize.attempt(device().compute());
            }),
            cuda::CaptureUnsupported);
  EXPECT_EQ(invalidates([&] {
              return driver().streamWaitEvent.attempt(device().compute(),
                                                      earlier, 0);
            }),
            cuda::CaptureIsolation);
}

} // namespace
