//===- ProgramTest.cpp - What executables print, read and refuse ----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/runtime/ProgramTest.h"
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

using namespace tessera::runtime;

namespace {

TEST_F(ProgramTest, TrainsAndLogs) {
  Result result =
      runFake("fake-1", "train --data @data --steps 60 --log @log --save @w");
  ASSERT_EQ(result.code, 0) << result.text;
  EXPECT_NE(result.text.find("step 60/60  loss "), std::string::npos);
  EXPECT_NE(result.text.find("peak resident memory"), std::string::npos);
  std::stringstream lines(read("log"));
  std::string line;
  std::vector<float> values;
  while (std::getline(lines, line)) {
    nlohmann::json j = nlohmann::json::parse(line);
    EXPECT_EQ(j.at("step"), values.size() + 1);
    for (const char *key : {"grad_norm", "lr", "ms", "tokens_per_second"})
      EXPECT_TRUE(j.at(key).is_number()) << key;
    EXPECT_FALSE(j.contains("allocations"));
    values.push_back(j.at("loss"));
  }
  ASSERT_EQ(values.size(), 60u);
  EXPECT_NEAR(values.front(), std::log(256), 0.5);
  EXPECT_LT(values.back(), 0.6f * values.front());
  EXPECT_EQ(tensors("w").size(), 4u);
}

TEST_F(ProgramTest, TellsWhatARunIs) {
  std::ofstream(file("text"), std::ios::binary) << std::string(100, 'a');
  std::string train = "train --data @text --order sequential --seed 5 "
                      "--checkpoint-dir @c --checkpoint-every ";
  auto table = [&](const char *every, const std::string &progress) {
    return "fake: training\n"
           "  parameters   4,357\n"
           "  ranks        1 (ZeRO stage 0, communication: none), 2 threads "
           "each\n"
           "  batch        2 samples of 16 tokens (2 x 1 micro-batches x 1 "
           "ranks)\n"
           "  data         " +
           file("text") +
           " (bytes: 100 tokens, 6 samples of 16)\n"
           "  order        sequential\n"
           "  optimizer    adamw, lr 0.05, beta1 0.9, beta2 0.95, eps 1e-08, "
           "weight_decay 0.1, clip 1\n"
           "  schedule     warmup 3 steps, cosine to 0.005 at step 30\n"
           "  seed         5\n"
           "  arena        2.20 MB per rank\n"
           "  checkpoints  every " +
           every + " steps to '" + file("c") + "'\n" + progress + "\nstep ";
  };
  auto reports = [&](const std::string &options, const std::string &expected) {
    Result result = runFake("fake-1", train + options, {"OMP_NUM_THREADS=2"});
    EXPECT_EQ(result.code, 0) << result.text;
    EXPECT_NE(result.text.find(expected), std::string::npos) << result.text;
  };
  reports("2 --steps 3", table("2", "  steps        3\n"));
  reports("4 --steps 5 --resume", table("4", "  resumed      after step 3\n"
                                             "  steps        5\n"));
}

TEST_F(ProgramTest, StagesAndFormsPrintTheSameLosses) {
  for (const char *world : {"2", "4"}) {
    std::map<int, std::string> expected;
    for (int stage = 0; stage < 4; ++stage)
      for (const char *form : {"shared", "messages"}) {
        forget({"log"});
        Result result =
            runFake(std::string("fake-") + world + "-" + std::to_string(stage),
                    std::string(sequential) + "--log @log",
                    {std::string("TESSERA_COMM=") + form});
        ASSERT_EQ(result.code, 0) << result.text;
        if (expected.empty())
          expected = losses("log");
        EXPECT_EQ(expected.size(), 12u);
        EXPECT_EQ(losses("log"), expected) << world << stage << form;
      }
  }
}

TEST_F(ProgramTest, AccumulationAgreesWithRanks) {
  std::string grads = "grads --data @data --init @w --out ";
  ASSERT_EQ(runFake("fake-1", "train --data @data --steps 3 --save @w").code,
            0);
  for (const char *fake : {"fake-1-accumulated", "fake-2-3-accumulated",
                           "fake-4-0", "fake-4-1", "fake-4-2", "fake-4-3"}) {
    Result result = runFake(fake, grads + "@" + fake);
    ASSERT_EQ(result.code, 0) << result.text;
  }
  auto expected = tensors("fake-4-0");
  ASSERT_EQ(expected.size(), 5u);
  for (int stage = 1; stage < 4; ++stage)
    EXPECT_EQ(tensors("fake-4-" + std::to_string(stage)), expected);
  for (const char *fake : {"fake-1-accumulated", "fake-2-3-accumulated"})
    for (const auto &[name, values] : tensors(fake))
      for (size_t i = 0; i < values.size(); ++i)
        ASSERT_NEAR(values[i], expected[name][i],
                    1e-6 * std::max(1.0f, std::fabs(values[i])))
            << name;
}

// Gradients against central differences of the loss that `grads` reports.
TEST_F(ProgramTest, GradsAreTheDerivativesOfTheLoss) {
  ASSERT_EQ(runFake("fake-1", "train --data @data --steps 5 --save @w").code,
            0);
  ASSERT_EQ(runFake("fake-1", "grads --data @data --init @w --out @g").code, 0);
  auto weights = tensors("w"), gradients = tensors("g");
  auto lossWith = [&](const std::string &name, size_t i, float value) {
    SafetensorsWriter writer(file("moved"));
    for (const auto &[key, values] : weights)
      writer.declare(key, key == "output.bias" ? std::vector<int64_t>{256}
                          : key == "output.correction"
                              ? std::vector<int64_t>{5}
                              : std::vector<int64_t>{256, 8});
    writer.begin();
    for (auto [key, values] : weights) {
      if (key == name)
        values[i] = value;
      writer.write(values.data(), values.size());
    }
    writer.commit();
    EXPECT_EQ(
        runFake("fake-1", "grads --data @data --init @moved --out @m").code, 0);
    return tensors("m")["loss"][0];
  };
  // 't' = 116 and ' ' = 32 are in the data.
  std::pair<const char *, size_t> places[] = {{"table.weight", 116 * 8},
                                              {"output.weight", 32 * 8 + 1},
                                              {"output.bias", 116}};
  for (auto [name, i] : places) {
    float value = weights[name][i], step = 0.05f;
    double slope = (double(lossWith(name, i, value + step)) -
                    lossWith(name, i, value - step)) /
                   (2.0 * step);
    EXPECT_NEAR(gradients[name][i], slope, 2e-4) << name;
  }
}

TEST_F(ProgramTest, AllocatesNothingInAStep) {
  for (const char *fake : {"fake-1", "fake-2-0", "fake-2-3"}) {
    forget({"log"});
    Result result =
        runCounted(fake, std::string(sequential) + "--log @log --steps 40");
    ASSERT_EQ(result.code, 0) << result.text;
    std::stringstream lines(read("log"));
    std::string line;
    while (std::getline(lines, line)) {
      nlohmann::json j = nlohmann::json::parse(line);
      EXPECT_EQ(j.at("allocations"), 0) << fake << ": " << line;
    }
  }
}

TEST_F(ProgramTest, WeightsGoThroughFilesUnchanged) {
  for (const char *fake : {"fake-1", "fake-2-0", "fake-2-3", "fake-4-2"}) {
    ASSERT_EQ(
        runFake(fake,
                std::string("train --data @data --steps 0 --save @") + fake)
            .code,
        0);
    EXPECT_EQ(read(fake), read("fake-1"))
        << "initialisation depends on the partition";
  }
  ASSERT_EQ(runFake("fake-2-3", "train --data @data --steps 4 --save @a").code,
            0);
  ASSERT_EQ(
      runFake("fake-4-1", "train --data @data --steps 0 --init @a --save @b")
          .code,
      0);
  EXPECT_EQ(read("a"), read("b"));
  EXPECT_NE(read("a"), read("fake-1"));
}

TEST_F(ProgramTest, RefusesOtherNumbersOfRanks) {
  Result result = run({std::string(FAKE_FOLDER) + "/fake-2-0", "train",
                       "--data", file("data")});
  EXPECT_EQ(result.code, 1);
  EXPECT_NE(result.text.find("compiled for 2 ranks, started with 1: start it "
                             "as 'mpirun -np 2 fake-2-0 ...'"),
            std::string::npos)
      << result.text;
  result = run({"mpirun", "-np", "3", "--oversubscribe",
                std::string(FAKE_FOLDER) + "/fake-2-0", "train", "--data",
                file("data")});
  EXPECT_EQ(result.code, 1);
  EXPECT_NE(result.text.find("compiled for 2 ranks, started with 3"),
            std::string::npos)
      << result.text;
  result = run({"mpirun", "-np", "2", "--oversubscribe",
                std::string(FAKE_FOLDER) + "/fake-1", "train", "--data",
                file("data")});
  EXPECT_EQ(result.code, 1);
  EXPECT_NE(result.text.find("compiled for 1 rank, started with 2"),
            std::string::npos)
      << result.text;
  result = runFake("fake-2-0", "train --data @data", {"TESSERA_COMM=pigeon"});
  EXPECT_NE(result.text.find("it may be 'shared' or 'messages'"),
            std::string::npos)
      << result.text;
}

TEST_F(ProgramTest, SaysWhatIsWrongWithItsFiles) {
  std::vector<std::pair<std::string, std::vector<int64_t>>> right = {
      {"table.weight", {256, 8}},
      {"output.weight", {256, 8}},
      {"output.bias", {256}},
      {"output.correction", {5}}};
  std::map<std::string, std::pair<size_t, float>> wrong;
  auto write = [&](decltype(right) entries, float value = 0) {
    SafetensorsWriter writer(file("w"));
    for (auto &[name, shape] : entries)
      writer.declare(name, shape);
    writer.begin();
    for (auto &[name, shape] : entries) {
      std::vector<float> zeros(shape[0] * (shape.size() > 1 ? shape[1] : 1),
                               name == "lm_head.weight" ? value : 0);
      if (auto element = wrong.find(name); element != wrong.end())
        zeros[element->second.first] = element->second.second;
      writer.write(zeros.data(), zeros.size());
    }
    writer.commit();
  };
  std::string train = "train --data @data --steps 0 --init @w";
  auto entries = right;
  entries.push_back({"lm_head.weight", {256, 8}});
  entries.push_back({"h.0.attn.masked_bias", {1}});
  for (auto &entry : entries)
    entry.first = "transformer." + entry.first;
  entries.back().first = "h.0.attn.masked_bias";
  write(entries);
  EXPECT_EQ(runFake("fake-1", train).code, 0) << runFake("fake-1", train).text;
  entries = right;
  entries.push_back({"lm_head.weight", {256, 8}});
  write(entries, 1);
  fails("fake-1", train, "tensor 'lm_head.weight'");
  entries = right;
  entries.push_back({"transformer.output.bias", {256}});
  write(entries);
  fails("fake-1", train,
        "has both 'output.bias' and 'transformer.output.bias'");
  entries = right;
  entries.push_back({"lm_head.weight", {256, 8}});
  entries.push_back({"transformer.lm_head.weight", {256, 8}});
  write(entries);
  fails("fake-1", train,
        "has both 'lm_head.weight' and 'transformer.lm_head.weight'");
  entries = right;
  entries.pop_back();
  write(entries);
  fails("fake-1", train, "has no tensor 'output.correction'");
  fails("fake-2-3", train, "has no tensor 'output.correction'");
  entries = right;
  entries[0].second = {8, 256};
  write(entries);
  fails("fake-1", train,
        "tensor 'table.weight' of '" + file("w") +
            "' has shape [8, 256], this model's has [256, 8]");
  entries = right;
  entries.push_back({"h.5.weight", {2}});
  write(entries);
  fails("fake-1", train, "has a tensor 'h.5.weight', which this model has not");
  wrong = {{"output.weight", {255 * 8 + 3, NAN}}};
  write(right);
  for (const char *fake : {"fake-1", "fake-2-3"})
    fails(fake, train,
          "element [255, 3] of tensor 'output.weight' of '" + file("w") +
              "' is nan: finite weights are wanted");
  wrong = {{"output.bias", {7, -INFINITY}}};
  write(right);
  fails("fake-1", "grads --data @data --init @w --out @g",
        "element 7 of tensor 'output.bias' of '" + file("w") + "' is -inf");
  fails("fake-1", "train --data @none", "cannot open the data");
  fails("fake-1", "train --data @data --init @none", "cannot open");
  fails("fake-1", "train --data @data --log @none/log", "cannot write the log");
  fails("fake-1", "train --data @data --checkpoint-dir @none/c",
        "cannot make the checkpoint directory");
  fails("fake-1", "train --data @data --steps 1 --save @none/w",
        "cannot write");
  fails("fake-1", "generate --init @w --prompt x --max-tokens 1",
        "no program 'predict'");
}

TEST_F(ProgramTest, GenerateWantsAPrompt) {
  Result result = run({std::string(FAKE_FOLDER) + "/fake-1", "generate",
                       "--init", "w", "--prompt", "", "--max-tokens", "1"});
  EXPECT_EQ(result.code, 1);
  EXPECT_NE(result.text.find("the prompt is empty"), std::string::npos);
}

TEST_F(ProgramTest, InfoPrintsThePlan) {
  Result result = runFake("fake-1", "info --json");
  EXPECT_EQ(nlohmann::json::parse(result.text).at("name"), "fake");
  result = runDirectly("fake-2-3", "info");
  EXPECT_EQ(result.code, 0) << result.text;
  EXPECT_EQ(result.text, R"(fake

  model        transformer (fake)
  text         vocabulary 256, sequence 16
  parameters   4,357 in 4 tensors, 2 groups
  ranks        2, ZeRO stage 3
  batch        4 (2 x 1 micro-batches x 2 ranks)
  target       native

One rank, one step of 1 micro-batch:

  memory                       bytes                share
  parameters                       0          0 B   0.0 %
  gradients                        0          0 B   0.0 %
  optimizer                        0          0 B   0.0 %
  activations              2,201,792      2.20 MB 100.0 %
  communication                    0          0 B   0.0 %
  workspace                        0          0 B   0.0 %
  peak                     2,201,792      2.20 MB 100.0 %

  collective     group             times          elements      bytes received
  reduce_scatter table                 1             2,048                   0          0 B
  reduce_scatter output                1             2,336                   0          0 B
  all_gather     table                 1             2,048                   0          0 B
  all_gather     output                1             2,336                   0          0 B
  all_reduce     -                     2                 1                   0          0 B
  all                                  6                                     0          0 B

  arithmetic     1.00 Mflop (1,000,000)
)");
}

} // namespace
