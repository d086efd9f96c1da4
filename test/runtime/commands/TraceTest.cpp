//===- TraceTest.cpp - Recorded steps as a Chrome trace -------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/Trace.h"
#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>

namespace tessera::runtime {
namespace {

using Json = nlohmann::json;

StepTable table() {
  return StepTable::parse(
      R"({"works": [{"name": "gemm 2 x 2 by 2 x 2", "kind": "gemm",
                     "flops": 16, "bytes": 48},
                    {"name": "start all_gather", "kind": "all_gather",
                     "collective": 0},
                    {"name": "wait all_gather", "kind": "all_gather",
                     "bytes": 4000, "collective": 0},
                    {"name": "a \"name\"", "kind": "evict"}],
          "layers": ["", "h.0"],
          "sections": [{"name": "micro", "steps": [
            [1, 1, 64], [0, 0, 64], [2, 1, 128], [3, 0, 128]]}]})");
}

const std::vector<Span> recorded = {{1000, 1100, Span::inputs, 0},
                                    {1200, 1300, 0, 1},
                                    {1300, 1500, 1, 1},
                                    {1500, 3200, 2, 1},
                                    {3200, 3300, 3, 1},
                                    {1200, 3300, Span::firstSection, 1},
                                    {3300, 3400, Span::meeting, 1},
                                    {1000, 3500, Span::step, 9}};

TEST(Trace, SpansArePackedInOrder) {
  std::vector<Span> spans = unpackSpans(packSpans(recorded));
  ASSERT_EQ(spans.size(), recorded.size());
  EXPECT_TRUE(
      std::is_permutation(spans.begin(), spans.end(), recorded.begin()));
  // What holds others comes before them.
  EXPECT_EQ(spans[0].what, Span::step);
  EXPECT_EQ(spans[2].what, Span::firstSection);
  EXPECT_TRUE(unpackSpans(packSpans({})).empty());
  Span far = {-(int64_t(1) << 62), int64_t(1) << 61, -100, 1 << 30};
  EXPECT_EQ(unpackSpans(packSpans({far})), std::vector<Span>{far});
}

class TraceOfTwoRanks : public testing::Test {
protected:
  void SetUp() override {
    StepTable steps = table();
    TraceRun run = {"a model", 2, 3, 1, 2, 4096};
    TraceText text(steps, run, 1000);
    std::vector<ClockOffset> clocks = {{}, {500, 250}};
    std::vector<Span> later = recorded;
    for (Span &span : later) {
      span.begin += 500;
      span.end += 500;
    }
    trace = Json::parse(text.begin(clocks) + text.rank(0, recorded, clocks[0]) +
                        TraceText::separator() +
                        text.rank(1, later, clocks[1]) + TraceText::end());
  }
  /// The event of a name and phase of a rank.
  const Json &event(const std::string &name, const char *phase, int rank) {
    for (const Json &one : trace["traceEvents"])
      if (one["name"] == name && one["ph"] == phase && one["pid"] == rank)
        return one;
    ADD_FAILURE() << "no event " << name;
    return trace;
  }
  Json trace;
};

TEST_F(TraceOfTwoRanks, NamesTheRun) {
  EXPECT_EQ(trace["otherData"]["tessera_trace"], 1);
  EXPECT_EQ(trace["otherData"]["model"], "a model");
  EXPECT_EQ(trace["otherData"]["clock_uncertainty_us"], 0.25);
  EXPECT_EQ(event("process_name", "M", 1)["args"]["name"], "rank 1");
}

TEST_F(TraceOfTwoRanks, SaysWhenAndWhat) {
  // The clock of rank 1 is 500 ns ahead.
  for (int rank : {0, 1}) {
    const Json &gemm = event("gemm 2 x 2 by 2 x 2", "X", rank);
    EXPECT_EQ(gemm["tid"], 1);
    EXPECT_EQ(gemm["ts"], 0.3);
    EXPECT_EQ(gemm["dur"], 0.2);
    EXPECT_EQ(gemm["cat"], "gemm");
    EXPECT_EQ(gemm["args"]["plan_step"], 1);
    EXPECT_EQ(gemm["args"]["micro_batch"], 1);
    EXPECT_EQ(gemm["args"]["GFLOP/s"], 0.08);
    const Json &wait = event("wait all_gather", "X", rank);
    EXPECT_EQ(wait["tid"], 2);
    EXPECT_EQ(wait["args"]["layer"], "h.0");
    EXPECT_NEAR(wait["args"]["GB/s"], 4000. / 1700, 1e-3);
    // From the start to the end of the wait.
    EXPECT_EQ(event("all_gather", "b", rank)["ts"], 0.2);
    EXPECT_EQ(event("all_gather", "b", rank)["args"]["GB/s"], 2);
    EXPECT_EQ(event("all_gather", "e", rank)["ts"], 2.2);
    EXPECT_EQ(event("a \"name\"", "X", rank)["tid"], 3);
    EXPECT_EQ(event("step 9", "X", rank)["dur"], 2.5);
    EXPECT_EQ(event("micro", "X", rank)["cat"], "section");
    EXPECT_EQ(event("inputs", "X", rank)["tid"], 1);
    EXPECT_EQ(event("meeting", "X", rank)["tid"], 2);
  }
}

TEST(Trace, HasARowForEachStreamOfADevice) {
  StepTable steps = table();
  TraceRun run = {"a model", 1, 3, 1, 1, 4096, /*isOnDevice=*/true};
  TraceText text(steps, run, 1000);
  // The collective goes on behind the start of its wait.
  std::vector<Span> spans = {{1000, 1050, Span::inputs, 0},
                             {1050, 1060, Span::copy, 0},
                             {1100, 1300, 0, 0},
                             {1120, 1220, 1, 0},
                             {1220, 1300, 2, 0},
                             {1060, 1070, Span::issue, 0},
                             {1300, 1400, Span::meeting, 0},
                             {1000, 1500, Span::step, 9}};
  Json trace = Json::parse(text.begin({{}}) + text.rank(0, spans, {}) +
                           TraceText::end());
  EXPECT_EQ(trace["otherData"]["device"], true);
  std::map<std::string, Json> events;
  std::vector<std::string> rows;
  for (const Json &one : trace["traceEvents"]) {
    if (one["ph"] == "X")
      events[one["name"]] = one;
    if (one["name"] == "thread_name")
      rows.push_back(one["args"]["name"]);
    // The start has all that a message would say.
    EXPECT_NE(one["ph"], "b");
  }
  EXPECT_EQ(rows, (std::vector<std::string>{"steps", "computation",
                                            "communication", "host"}));
  EXPECT_EQ(events["start all_gather"]["tid"], 2);
  EXPECT_EQ(events["start all_gather"]["dur"], 0.2);
  EXPECT_EQ(events["start all_gather"]["args"]["GB/s"], 20);
  EXPECT_EQ(events["wait all_gather"]["tid"], 1);
  EXPECT_FALSE(events["wait all_gather"]["args"].contains("bytes"));
  EXPECT_EQ(events["gemm 2 x 2 by 2 x 2"]["tid"], 1);
  EXPECT_EQ(events["copy of inputs"]["tid"], 1);
  EXPECT_EQ(events["copy of inputs"]["cat"], "inputs");
  for (const char *name : {"inputs", "issue", "meeting"})
    EXPECT_EQ(events[name]["tid"], 4) << name;
}

TEST_F(TraceOfTwoRanks, CountsMemoryWhereItChanges) {
  std::vector<std::pair<double, int64_t>> memory;
  for (const Json &one : trace["traceEvents"])
    if (one["ph"] == "C" && one["pid"] == 0)
      memory.emplace_back(one["ts"], one["args"]["bytes"]);
  EXPECT_EQ(memory,
            (std::vector<std::pair<double, int64_t>>{{0.2, 64}, {0.5, 128}}));
}

} // namespace
} // namespace tessera::runtime
