//===- StepRecorderTest.cpp - Recording calls of sections -----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/program/StepRecorder.h"
#include <algorithm>
#include <gtest/gtest.h>

namespace tessera::runtime {
namespace {

/// Two steps in "begin"; one, of two calls, in "micro".
StepTable table() {
  return StepTable::parse(
      R"({"works": [{"name": "clear", "kind": "clear", "bytes": 64},
                    {"name": "evict", "kind": "evict"},
                    {"name": "wait all_gather", "kind": "all_gather",
                     "collective": 0}],
          "layers": ["", "h.0"],
          "sections": [{"name": "begin", "steps": [[0, 0, 64], [2, 1, 128]]},
                       {"name": "micro", "steps": [[1, 1, 0, 2]]}]})");
}

constexpr tessera_entry begin = {"train.begin", nullptr},
                        micro = {"train.micro", nullptr};

void runStep(StepRecorder &recorder, int64_t number) {
  recorder.beginStep(number);
  {
    RecordedSection section(begin, 0);
    RecordedCall();
    RecordedCall();
  }
  for (int batch = 0; batch < 2; ++batch) {
    {
      RecordedSpan inputs(Span::inputs);
    }
    RecordedSection section(micro, batch);
    RecordedCall();
    RecordedCall();
  }
  recorder.endStep();
}

constexpr int64_t perStep = 2 + 1 + 2 * (2 + 1 + 1) + 1;

TEST(StepTable, CallsAreThoseOfItsSections) {
  StepTable steps = table();
  ASSERT_EQ(steps.sections.size(), 2U);
  EXPECT_EQ(steps.sections[1].firstCall, 2);
  EXPECT_EQ(steps.sections[1].calls, 2);
  EXPECT_EQ(steps.stepOfCall, (std::vector<int32_t>{0, 1, 2, 2}));
  EXPECT_EQ(steps.works[2].collective, 0);
  EXPECT_EQ(steps.steps[1].memory, 128);
}

TEST(StepTableDeathTest, SaysWhatIsBroken) {
  EXPECT_EXIT(StepTable::parse(R"({"works": [], "layers": [""], "sections": [
                {"name": "begin", "steps": [[0, 0, 1]]}]})"),
              testing::ExitedWithCode(1), "table of steps is broken");
}

TEST(StepRecorder, KeepsWhichCallItWas) {
  StepTable steps = table();
  StepRecorder recorder(steps, 2 * perStep);
  runStep(recorder, 7);
  EXPECT_EQ(StepRecorder::active, nullptr);
  std::vector<Span> spans = recorder.take();
  std::vector<std::pair<int32_t, int32_t>> found;
  for (const Span &span : spans) {
    EXPECT_LE(span.begin, span.end);
    found.emplace_back(span.what, span.micro);
  }
  constexpr int32_t section = Span::firstSection;
  EXPECT_EQ(found, (std::vector<std::pair<int32_t, int32_t>>{{0, 0},
                                                             {1, 0},
                                                             {section, 0},
                                                             {Span::inputs, 0},
                                                             {2, 0},
                                                             {3, 0},
                                                             {section - 1, 0},
                                                             {Span::inputs, 0},
                                                             {2, 1},
                                                             {3, 1},
                                                             {section - 1, 1},
                                                             {Span::step, 7}}));
}

TEST(StepRecorder, DropsAStepThatDoesNotEnd) {
  StepTable steps = table();
  StepRecorder recorder(steps, 3 * perStep);
  runStep(recorder, 1);
  recorder.beginStep(2);
  {
    RecordedSpan inputs(Span::inputs);
  }
  runStep(recorder, 2);
  recorder.beginStep(3);
  {
    RecordedSpan inputs(Span::inputs);
  }
  StepRecorder::active = nullptr;
  std::vector<Span> spans = recorder.take();
  ASSERT_EQ(spans.size(), size_t(2 * perStep));
  EXPECT_EQ(spans.back().micro, 2);
}

/// A device that comes to mark m at 1000 + 10 m.
class FakeClock final : public StepClock {
public:
  int64_t beginStep() override {
    marks = 0;
    return 1000;
  }
  int64_t markBegin(Lane lane) override { return mark(lane); }
  int64_t markEnd(Lane lane) override { return mark(lane); }
  void endStep() override { ++steps; }
  int64_t timeOf(int64_t mark) const override { return 1000 + 10 * mark; }

  int steps = 0;
  std::vector<Lane> lanes;

private:
  int64_t mark(Lane lane) {
    lanes.push_back(lane);
    return marks++;
  }
  int64_t marks = 0;
};

TEST(StepRecorder, TakesTheTimesOfADevice) {
  StepTable steps = table();
  FakeClock clock;
  StepRecorder recorder(steps, 2 * 6, &clock);
  for (int64_t number : {1, 2}) {
    recorder.beginStep(number);
    {
      RecordedWork copy(Span::copy);
    }
    {
      RecordedSection section(begin, 0);
      RecordedCall();
      RecordedCall start(Lane::Communication);
    }
    recorder.endStep();
  }
  EXPECT_EQ(clock.steps, 2);
  EXPECT_EQ(
      std::count(clock.lanes.begin(), clock.lanes.end(), Lane::Communication),
      2 * 2);
  std::vector<Span> spans = recorder.take();
  ASSERT_EQ(spans.size(), 2U * 6);
  for (const Span *own : {spans.data(), spans.data() + 6}) {
    EXPECT_EQ(own[0], (Span{1000, 1010, Span::copy, 0}));
    EXPECT_EQ(own[1], (Span{1030, 1040, 0, 0}));
    EXPECT_EQ(own[2], (Span{1050, 1060, 1, 0}));
    EXPECT_EQ(own[3], (Span{1020, 1070, Span::firstSection, 0}));
    EXPECT_EQ(own[4].what, Span::issue);
    EXPECT_EQ(own[5].what, Span::step);
    EXPECT_EQ(own[5].begin, 1000);
  }
}

TEST(StepRecorder, RecordsNothingBetweenSteps) {
  StepTable steps = table();
  StepRecorder recorder(steps, perStep);
  {
    RecordedSection section(begin, 0);
  }
  {
    RecordedCall();
  }
  runStep(recorder, 1);
  {
    RecordedCall();
  }
  EXPECT_EQ(recorder.take().size(), size_t(perStep));
}

} // namespace
} // namespace tessera::runtime
