//===- ManifestTest.cpp - Tests of the manifest ---------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/program/Manifest.h"
#include "runtime/data/Data.h"
#include "runtime/program/Context.h"
#include "runtime/training/Step.h"
#include <gtest/gtest.h>

using namespace tessera::runtime;

namespace {

/// A small manifest with more members of the program "train".
std::string text(const std::string &program, const char *version = "1") {
  return std::string(R"({"tessera": )") + version + R"(, "name": "m",
    "model": {"kind": "transformer", "vocabulary": 300, "sequence": 4},
    "training": {"world": 2, "stage": 3, "optimizer": {"kind": "adamw",
      "lr": 1, "beta1": 0, "beta2": 0, "eps": 0, "weight_decay": 0, "clip": 0}},
    "target": {"cpu": "native", "threads": 3, "max_threads": 8},
    "parameters": [{"name": "w", "shape": [2, 3], "decay": true, "group": 0,
      "offset": 0, "init": {"kind": "normal", "std": 0.5}}],
    "tied": {"head": "w"},
    "fingerprint": {"transformer.heads": "4"},
    "groups": [{"name": "g", "elements": 6, "padded": 32, "class_ends": [6]}],
    "optimizer": {"kind": "adamw", "states": [
      {"name": "moment1", "saved_as": "exp_avg"},
      {"name": "moment2", "saved_as": "exp_avg_sq"}], "scalars": [
      {"kind": "learning_rate"}, {"kind": "correction", "base": 0.5}]},
    "programs": {"train": {"arena_bytes": 640)" +
         program + "}}}";
}

TEST(Manifest, ReadsWhatItNeeds) {
  Manifest manifest =
      parseManifest(text(R"(, "offload": {"offset": 2097152, "bytes": 4096},
        "collectives": [{"id": 0, "kind": "all_reduce", "elements": 1,
        "type": "f64", "source": 0, "destination": 64},
        {"id": 1, "kind": "reduce_scatter", "elements": 64, "type": "bf16",
        "destination_type": "f32", "source": 0, "destination": 128}],
        "states": [{"state": "moment2", "group": 0, "offset": 128,
        "elements": 16, "type": "bf16", "sharded": true}],
        "outputs": [{"name": "loss", "type": "f32", "shape": [],
        "offset": 192}])")
                        .c_str());
  EXPECT_EQ(manifest.parameterCount(), 6);
  EXPECT_EQ(manifest.parameters[0].initValue, 0.5);
  EXPECT_EQ(manifest.tied.at("head"), "w");
  EXPECT_EQ(manifest.fingerprint.at("transformer.heads"), "4");
  EXPECT_EQ(manifest.threads, 3);
  EXPECT_EQ(manifest.maxThreads, 8);
  EXPECT_EQ(manifest.groups[0].classEnds, std::vector<int64_t>{6});
  const Optimizer &optimizer = manifest.training.optimizer;
  EXPECT_EQ(optimizer.states[1].savedAs, "exp_avg_sq");
  EXPECT_EQ(optimizer.scalars[1].kind, OptimizerScalar::Kind::Correction);
  EXPECT_EQ(optimizer.scalars[1].base, 0.5);
  EXPECT_EQ(optimizer.settings,
            "lr 1, beta1 0, beta2 0, eps 0, weight_decay 0, clip 0");
  const Program &program = manifest.program("train");
  EXPECT_EQ(program.arenaBytes, 640);
  EXPECT_EQ(program.offloadOffset, 2097152);
  EXPECT_EQ(program.offloadBytes, 4096);
  EXPECT_EQ(program.collectives[0].type, ElementType::F64);
  EXPECT_EQ(program.collectives[0].destinationType, ElementType::F64);
  EXPECT_EQ(program.collectives[1].type, ElementType::Bf16);
  EXPECT_EQ(program.collectives[1].destinationType, ElementType::F32);
  EXPECT_EQ(program.collectives[0].group, -1);
  ASSERT_TRUE(program.state("moment2", 0));
  EXPECT_TRUE(program.state("moment2", 0)->sharded);
  EXPECT_EQ(program.state("moment2", 0)->type, ElementType::Bf16);
  EXPECT_EQ(program.state("moment1", 0), nullptr);
  EXPECT_EQ(program.output("loss")->elements(), 1);
  EXPECT_EQ(program.input("tokens"), nullptr);
}

/// The manifest whose parameter has \p parts.
std::string textWithParts(const std::string &parts) {
  std::string manifest = text("");
  manifest.insert(manifest.find(R"("shape": [2, 3])"),
                  R"("parts": )" + parts + ", ");
  return manifest;
}

TEST(Manifest, ReadsPartsOfParameters) {
  Manifest manifest = parseManifest(text("").c_str());
  std::vector<const GroupTensor *> parts = manifest.parts();
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts[0]->name, "w");
  manifest = parseManifest(textWithParts(R"([{"name": "q", "rows": 1},
                                      {"name": "k", "rows": 1}])")
                               .c_str());
  parts = manifest.parts();
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(manifest.parameters[0].name, "w");
  EXPECT_EQ(parts[1]->name, "k");
  EXPECT_EQ(parts[1]->shape, (std::vector<int64_t>{1, 3}));
  EXPECT_EQ(parts[1]->offset, 3);
  EXPECT_EQ(parts[1]->elements(), 3);
}

TEST(Manifest, ReadsHowNeighbourhoodsAreSampled) {
  EXPECT_FALSE(parseManifest(text("").c_str()).training.sampling);
  std::string manifest = text("");
  manifest.insert(manifest.find(R"("world": 2)"),
                  R"("sampling": {"fan_out": [25, -1], "batch": 64,
                      "replace": true}, )");
  std::optional<Sampling> sampling =
      parseManifest(manifest.c_str()).training.sampling;
  ASSERT_TRUE(sampling);
  EXPECT_EQ(sampling->fanOut, (std::vector<int64_t>{25, -1}));
  EXPECT_EQ(sampling->batch, 64);
  EXPECT_TRUE(sampling->replace);
}

TEST(ManifestDeathTest, SaysWhatIsWrong) {
  auto fails = [](const std::string &manifest, const char *message) {
    EXPECT_EXIT(parseManifest(manifest.c_str()), testing::ExitedWithCode(1),
                message);
  };
  fails("{", "the embedded manifest is damaged");
  fails(std::string(100000, '['), "is damaged .*more than 16 deep");
  fails(R"({"tessera": 1})", "is damaged .*'name' not found");
  fails(text("", "2"), "has a version other than 1");
  fails(text(R"(, "states": [{"state": "moment3", "group": 0, "offset": 0,
               "elements": 1, "sharded": false}])"),
        "unknown state 'moment3'");
  fails(text(R"(, "collectives": [{"id": 0, "kind": "all_to_all",
               "elements": 1, "source": 0, "destination": 0}])"),
        "unknown collective 'all_to_all'");
  fails(text(R"(, "collectives": [{"id": 1, "kind": "all_reduce",
               "elements": 1, "source": 0, "destination": 0}])"),
        "lists collective 1 of program 'train' at place 0");
  fails(text(R"(, "collectives": [{"id": 0, "kind": "all_reduce",
               "type": "f8", "elements": 1, "source": 0, "destination": 0}])"),
        "unknown type 'f8'");
  fails(text(R"(, "collectives": [{"id": 0, "kind": "all_reduce",
               "type": "bf16", "destination_type": "f32",
               "elements": 1, "source": 0, "destination": 0}])"),
        "gives collective 0 a destination of another type");
  fails(text(R"(, "collectives": [{"id": 0, "kind": "all_reduce",
               "type": "i8", "elements": 1, "source": 0, "destination": 0}])"),
        "sums bytes in collective 0");
  fails(text(R"(, "collectives": [{"id": 4294967296, "kind": "all_reduce",
               "elements": 1, "source": 0, "destination": 0}])"),
        "has the number 4294967296, which this runtime keeps in 32 bits");
  fails(textWithParts(R"([{"name": "q", "rows": 3}])"),
        "has parts of 'w' with 3 rows in all, and it has 2");
  fails(text(R"(, "world": 4294967297)"), "has the number 4294967297");
  EXPECT_EXIT(parseManifest(text("").c_str()).program("eval"),
              testing::ExitedWithCode(1), "has no program 'eval'");
}

TEST(Slot, SaysItsBytes) {
  Slot slot;
  slot.shape = {3, 5};
  for (auto [type, bytes] : {std::pair("f32", 60),
                             {"i32", 60},
                             {"i64", 120},
                             {"f64", 120},
                             {"bf16", 30},
                             {"i8", 15}}) {
    slot.type = type;
    EXPECT_EQ(slot.bytes(), bytes) << type;
  }
}

// A count that does not fit 32 bits is no smaller one.
TEST(Step, CountsElementsOfClassesIn64Bits) {
  constexpr int64_t many = int64_t(1) << 32;
  Training training;
  Group group = {"g", 3 * many + 7, 3 * many + 8, {}};
  auto end = [&](int64_t wholeEnd, int rank) {
    return classEnd(training, group, wholeEnd, rank);
  };
  EXPECT_EQ(end(2 * many + 5, 0), 2 * many + 5);
  training.stage = 2;
  training.world = 4;
  training.shardRanks = 2;
  int64_t part = group.padded / 2;
  for (int rank : {0, 2})
    EXPECT_EQ(end(2 * many + 5, rank), part);
  for (int rank : {1, 3})
    EXPECT_EQ(end(2 * many + 5, rank), 2 * many + 5 - part);
  EXPECT_EQ(end(part - 1, 0), part - 1);
  EXPECT_EQ(end(part - 1, 1), 0);
}

/// Knows the input "tokens".
class NoData final : public BatchSource {
  bool fill(const Slot &slot, char *, const GlobalBatch &, int64_t) override {
    return slot.name == "tokens";
  }
  float scale(const GlobalBatch &) const override { return 1; }
  int64_t tokens(const GlobalBatch &) const override { return 1; }
  std::string describe() const override { return ""; }
};

TEST(StepDeathTest, SaysWhatIsWrong) {
  auto fails = [](const char *name, const char *when, const char *message) {
    Manifest manifest = parseManifest(
        text(std::string(R"(, "inputs": [{"name": ")") + name +
             R"(", "type": "i32", "shape": [1], "offset": 0, "when": ")" +
             when + "\"}]")
            .c_str(),
        tessera_entries);
    char arena[640];
    tessera_context context;
    context.manifest = &manifest;
    context.program = &manifest.program("train");
    context.arena = arena;
    context.device = tessera_open_device(&manifest, 0);
    NoData source;
    EXPECT_EXIT(TrainingStep(context, source), testing::ExitedWithCode(1),
                message);
  };
  fails("tokens", "never", "fills input 'tokens' at an unknown time 'never'");
  fails("pixels", "load", "has an input 'pixels' that this runtime does not");
  Manifest empty;
  tessera_context context;
  context.manifest = &empty;
  EXPECT_EXIT(context.entry("eval.run"), testing::ExitedWithCode(1),
              "has no entry 'eval.run'");
}

} // namespace
