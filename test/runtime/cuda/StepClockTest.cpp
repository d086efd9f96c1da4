//===- StepClockTest.cpp - Steps that are timed on a GPU ------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/cuda/StepClock.h"
#include "runtime/program/StepRecorder.h"
#include "test/runtime/cuda/Fixture.h"

using namespace tessera::runtime;
using tessera::runtime::cuda::device;
using tessera::runtime::cuda::driver;
using tessera::runtime::cuda::GpuStepClock;

namespace {

constexpr int64_t microsecond = 1000;

size_t freeBytes() {
  size_t available = 0, total = 0;
  driver().memGetInfo(&available, &total);
  return available;
}

Slot tokens() {
  Slot slot;
  slot.name = "tokens";
  slot.type = "i32";
  slot.when = "micro";
  slot.shape = {8};
  return slot;
}

/// The calls of `section`: a kernel, a copy on the other stream, a kernel and
/// the wait for the copy.
StepTable table() {
  return StepTable::parse(
      R"({"works": [{"name": "mix", "kind": "fused"},
                    {"name": "start all_gather", "kind": "all_gather",
                     "collective": 0},
                    {"name": "wait all_gather", "kind": "all_gather",
                     "collective": 0, "bytes": 32}],
          "layers": [""],
          "sections": [{"name": "micro", "steps": [[0, 0, 0], [1, 0, 0],
                                                   [0, 0, 0], [2, 0, 0]]}]})");
}

void section(char *arena) {
  static cuda::Event ready = device().makeEvent(), done = device().makeEvent();
  char *mix[] = {arena, arena + 256};
  tessera_device_launch(nullptr, 0, mix, 2, nullptr);
  {
    RecordedCall start(Lane::Communication);
    device().order(device().compute(), device().communication(), ready);
    driver().memcpyDtoDAsync(cuda::toDevice(arena + 512),
                             cuda::toDevice(arena + 256), 32,
                             device().communication());
    driver().eventRecord(done, device().communication());
  }
  tessera_device_launch(nullptr, 0, mix, 2, nullptr);
  RecordedCall wait;
  driver().streamWaitEvent(device().compute(), done, 0);
}

TEST_F(GpuTest, AStepIsTimedOnItsStreams) {
  program().inputs = {tokens()};
  open();
  StepTable steps = table();
  size_t before = freeBytes();
  std::unique_ptr<StepClock> clock = device().makeStepClock(2 * 8);
  StepRecorder recorder(steps, 2 * 8, clock.get());
  int runs = 0;
  auto step = [&](int64_t number, bool isRecorded) {
    if (isRecorded)
      recorder.beginStep(number);
    fillInput(0, 1);
    {
      RecordedSection recorded(tessera_entries[0], 0);
      runEntry([&](char *arena) {
        ++runs;
        section(arena);
      });
    }
    if (isRecorded)
      recorder.endStep();
  };
  for (int64_t number = 1; number <= 5; ++number)
    step(number, number == 1 || number == 4);
  // A step that is recorded is issued, as is the first; the second is captured.
  EXPECT_EQ(runs, 3);
  EXPECT_EQ(freeBytes(), before);
  std::vector<Span> spans = recorder.take();
  ASSERT_EQ(spans.size(), 2U * 8);
  for (const Span *own : {spans.data(), spans.data() + 8}) {
    const Span &copy = own[0], &first = own[1], &start = own[2],
               &second = own[3], &wait = own[4], &whole = own[5],
               &issue = own[6], &step = own[7];
    EXPECT_EQ(copy.what, Span::copy);
    for (int32_t call = 0; call < 4; ++call)
      EXPECT_EQ(own[1 + call].what, call);
    EXPECT_EQ(whole.what, Span::firstSection);
    EXPECT_EQ(issue.what, Span::issue);
    EXPECT_EQ(step.what, Span::step);
    for (int i = 0; i < 7; ++i) {
      EXPECT_LE(own[i].begin, own[i].end) << i;
      EXPECT_GE(own[i].begin, step.begin) << i;
      EXPECT_LE(own[i].end, step.end) << i;
    }
    // As the driver's double has it, but for what is lost in an event's time.
    EXPECT_GE(first.end - first.begin, 9 * microsecond);
    EXPECT_GE(start.end - start.begin, 4 * microsecond);
    EXPECT_GE(first.begin, copy.end);
    EXPECT_GE(start.begin, first.end);
    EXPECT_GE(second.begin, first.end);
    EXPECT_GE(wait.begin, second.end);
    EXPECT_GE(wait.end, start.end);
    EXPECT_GE(whole.end, wait.end);
    EXPECT_LE(whole.begin, first.begin);
  }
}

TEST_F(GpuTest, MoreMarksThanEventsAreReadInBetween) {
  open();
  GpuStepClock clock(device(), 20, 6);
  for (int step = 0; step < 2; ++step) {
    int64_t begin = clock.beginStep();
    for (int64_t mark = 0; mark < 20; mark += 2) {
      EXPECT_EQ(clock.markBegin(Lane::Compute), mark);
      driver().memsetD8Async(cuda::toDevice(context.arena), 1, 64,
                             device().compute());
      EXPECT_EQ(clock.markEnd(Lane::Compute), mark + 1);
    }
    // One too many.
    EXPECT_EQ(clock.markEnd(Lane::Compute), 19);
    clock.endStep();
    for (int64_t mark = 0; mark < 20; mark += 2) {
      EXPECT_GE(clock.timeOf(mark), begin);
      EXPECT_GE(clock.timeOf(mark + 1) - clock.timeOf(mark), 4 * microsecond);
      begin = clock.timeOf(mark + 1);
    }
  }
}

} // namespace
