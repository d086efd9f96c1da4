//===- CommunicatorTest.cpp - Collectives of GPUs on doubles --------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Error.h"
#include "runtime/core/Threads.h"
#include "runtime/cuda/Device.h"
#include "runtime/program/Context.h"
#include "test/runtime/comm/CollectiveCases.h"
#include "test/runtime/comm/Ranks.h"
#include <csignal>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace tessera::runtime;

static std::function<void()> entryBody;
static void callBody(tessera_context *, char *) { entryBody(); }

const char tessera_manifest[] = "{}";
const tessera_entry tessera_entries[] = {{"train.micro", callBody},
                                         {nullptr, nullptr}};
const char tessera_device_image[] = ".version 8.0";

namespace {

/// A rank with its GPU and communicator, as an executable opens them.
class GpuRank {
public:
  explicit GpuRank(Program wanted) {
    manifest.device = "cuda";
    manifest.architectures = {"sm_80"};
    program = std::move(wanted);
    communicator = tessera_create_communicator(atoi(getenv("RANKS_OF_TEST")));
    static Communicator *failing = communicator;
    setFailureHook([] { return failing->markFailed(); });
    setThreads(1);
    context.manifest = &manifest;
    context.program = &program;
    context.communicator = communicator;
    context.device = tessera_open_device(&manifest, communicator->localRank());
    context.arena = communicator->allocateArena(program, nullptr);
  }

  template <typename Element>
  void write(int64_t offset, const std::vector<Element> &values) {
    context.device->write(
        context.arena + offset, values.size() * sizeof(Element),
        [&](char *host, int64_t begin, int64_t end) {
          memcpy(host, reinterpret_cast<const char *>(values.data()) + begin,
                 end - begin);
        });
  }
  std::vector<float> read(int64_t offset, int64_t count) {
    std::vector<float> values(count);
    context.device->read(values.data(), context.arena + offset, 4 * count);
    return values;
  }

  Manifest manifest;
  Program program;
  tessera_context context;
  Communicator *communicator = nullptr;
};

/// The host's copy of the arena of a GPU.
class GpuMirror final : public Mirror {
public:
  explicit GpuMirror(GpuRank &rank)
      : rank(rank), memory(rank.program.arenaBytes) {
    host = memory.data();
  }
  void push(int64_t offset, int64_t bytes) override {
    rank.write(offset, std::vector<char>(host + offset, host + offset + bytes));
  }
  void pull(int64_t offset, int64_t bytes) override {
    rank.context.device->read(host + offset, rank.context.arena + offset,
                              bytes);
  }

private:
  GpuRank &rank;
  std::vector<char> memory;
};

/// Every rank has a GPU of its own.
Environment manyGpus(int ranks) {
  return {{"RANKS_OF_TEST", std::to_string(ranks)},
          {"FAKE_CUDA_DEVICES", std::to_string(ranks)}};
}

/// All ranks have the same one.
Environment oneGpu(int ranks) {
  return {{"RANKS_OF_TEST", std::to_string(ranks)}};
}

void checkAll(Environment environment, int ranks, const char *form, Sums sums) {
  for (const char *order : {"lazy", "eager"}) {
    environment["FAKE_CUDA_ORDER"] = order;
    expectSuccess(runRanks(ranks, torchrunEnvironment, environment, [&](int) {
      Program program;
      addCollectives(program, ranks, 48000, sums);
      // Of several rounds through staging memory.
      addCollective(program, CollectiveKind::AllReduce, 1500000, false, false,
                    ElementType::F32, ElementType::F32);
      GpuRank rank(std::move(program));
      ASSERT_STREQ(rank.communicator->form(), form);
      GpuMirror mirror(rank);
      for (const Collective &collective : rank.program.collectives)
        checkCollective(*rank.communicator, mirror, collective);
      rank.communicator->finish();
    }));
  }
}

/// One all_reduce of 1000 numbers, and where a copy of its result goes.
Program makeSum() {
  Program program;
  addCollective(program, CollectiveKind::AllReduce, 1000, false, false,
                ElementType::F32, ElementType::F32);
  program.arenaBytes += 4096;
  return program;
}

bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

TEST(CudaCommunicator, NcclForAGpuEach) {
  for (int ranks : {2, 3, 4})
    checkAll(manyGpus(ranks), ranks, "NCCL 2.28.9", Sums::Plain);
}

TEST(CudaCommunicator, StagedWhereGpusAreShared) {
  for (int ranks : {2, 4})
    checkAll(oneGpu(ranks), ranks, "staged through the host", Sums::All);
}

TEST(CudaCommunicator, StagedOnDemand) {
  Environment environment = manyGpus(2);
  environment["TESSERA_COMM"] = "staged";
  checkAll(environment, 2, "staged through the host", Sums::All);
}

// Nothing but events keeps the collective behind what writes its source and
// before what overwrites it, whether it is issued or replayed from a graph.
TEST(CudaCommunicator, StreamsWaitForEachOther) {
  for (const char *order : {"lazy", "eager"}) {
    Environment environment = manyGpus(2);
    environment["FAKE_CUDA_ORDER"] = order;
    expectSuccess(runRanks(2, srunEnvironment, environment, [](int own) {
      GpuRank rank(makeSum());
      const Collective &sum = rank.program.collectives[0];
      int64_t input = rank.program.arenaBytes - 4096;
      tessera_context &context = rank.context;
      entryBody = [&] {
        tessera_copy(&context, context.arena + sum.source,
                     context.arena + input, 4000);
        tessera_collective_start(&context, 0);
        tessera_zero(&context, context.arena + input, 4000);
        tessera_collective_wait(&context, 0);
        tessera_zero(&context, context.arena + sum.source, 4000);
        tessera_copy(&context, context.arena + input,
                     context.arena + sum.destination, 4000);
        tessera_collective_fence(&context, 0);
      };
      for (int round = 0; round < 5; ++round) {
        std::vector<float> terms(1000);
        for (int i = 0; i < 1000; ++i)
          terms[i] = valueOf(own, round, i);
        rank.write(input, terms);
        context.run(tessera_entries[0]);
        std::vector<float> result = rank.read(input, 1000);
        for (int i = 0; i < 1000; ++i)
          ASSERT_EQ(result[i], sumOf<float>({0, 1}, round, i)) << round;
      }
      rank.communicator->finish();
    }));
  }
}

TEST(CudaCommunicator, RootReadsEveryArena) {
  for (const Environment &environment : {manyGpus(3), oneGpu(3)})
    expectSuccess(runRanks(3, mpirunEnvironment, environment, [](int own) {
      GpuRank rank(makeSum());
      rank.write(0, std::vector<float>(1000, static_cast<float>(own)));
      rank.communicator->barrier();
      for (int source = 0; source < 3; ++source) {
        std::vector<float> copy(500);
        rank.communicator->copyToRoot(source, 400, 2000,
                                      reinterpret_cast<char *>(copy.data()));
        if (own == 0)
          ASSERT_EQ(copy, std::vector<float>(500, static_cast<float>(source)));
      }
      rank.communicator->finish();
    }));
}

TEST(CudaCommunicator, OneRankNeedsNeitherNcclNorPeers) {
  expectSuccess(runRanks(
      1, [](int, int) { return Environment(); }, oneGpu(1),
      [](int) {
        GpuRank rank(makeSum());
        EXPECT_STREQ(rank.communicator->form(), "none");
        GpuMirror mirror(rank);
        checkCollective(*rank.communicator, mirror,
                        rank.program.collectives[0]);
        rank.communicator->finish();
      }));
}

/// Runs the all_reduce in step 7 and waits for its result.
void sumOnce() {
  GpuRank rank(makeSum());
  setErrorStep(7);
  rank.communicator->start(0);
  rank.communicator->wait(0);
  rank.read(rank.program.collectives[0].destination, 1);
}

/// Expects that all ranks of \p results have failed and one of them printed
/// an error, which has \p part.
void expectOneError(const std::vector<RankResult> &results,
                    const std::string &part) {
  std::string all;
  int printed = 0;
  for (const RankResult &result : results) {
    EXPECT_EQ(result.code, 1);
    printed += contains(result.error, "error: ");
    all += result.error;
  }
  EXPECT_EQ(printed, 1) << all;
  EXPECT_TRUE(contains(all, part)) << all;
}

TEST(CudaCommunicator, TimeOutNamesTheStep) {
  Environment environment = manyGpus(3);
  environment["FAKE_NCCL_HANG"] = "1";
  environment["TESSERA_TIMEOUT"] = "1";
  expectOneError(
      runRanks(3, torchrunEnvironment, environment, [](int) { sumOnce(); }),
      "waited 1 s for the other ranks in the collectives of step 7: the run "
      "stops; TESSERA_TIMEOUT=SECONDS allows more");
}

TEST(CudaCommunicator, DeadPeerEndsAllAtOnce) {
  for (const Environment &environment : {manyGpus(3), oneGpu(3)}) {
    std::vector<RankResult> results =
        runRanks(3, torchrunEnvironment, environment, [](int own) {
          if (own != 2)
            return sumOnce();
          GpuRank rank(makeSum());
          raise(SIGKILL);
        });
    EXPECT_EQ(results[2].code, 128 + SIGKILL);
    results.pop_back();
    expectOneError(results, " has died: the run stops");
  }
}

TEST(CudaCommunicator, RefusesWhatCannotBe) {
  Environment environment = oneGpu(2);
  environment["TESSERA_COMM"] = "nccl";
  std::vector<RankResult> results =
      runRanks(2, torchrunEnvironment, environment, [](int) { sumOnce(); });
  EXPECT_TRUE(contains(results[0].error + results[1].error,
                       "Duplicate GPU detected : rank "))
      << results[0].error;
  environment["TESSERA_COMM"] = "shared";
  expectOneError(
      runRanks(2, torchrunEnvironment, environment, [](int) { sumOnce(); }),
      "TESSERA_COMM is 'shared': it may be 'nccl' or 'staged'");
  expectOneError(
      runRanks(2, torchrunEnvironment, manyGpus(2),
               [](int) {
                 Program program;
                 addCollective(program, CollectiveKind::ReduceScatter, 1000,
                               false, true, ElementType::F32, ElementType::F32);
                 GpuRank rank(std::move(program));
               }),
      "has the reduce_scatter with a sum that NCCL cannot make: "
      "compile the specification again");
  expectOneError(
      runRanks(
          1, [](int, int) { return Environment(); }, oneGpu(2),
          [](int) { sumOnce(); }),
      "compiled for 2 ranks, started with 1: start it as 'mpirun -np 2");
}

/// How often each call is in the log of \p rank.
int countInLog(const std::string &log, const std::string &call) {
  std::ifstream file(log);
  int count = 0;
  for (std::string line; std::getline(file, line);)
    count += contains(line, call);
  return count;
}

TEST(CudaCommunicator, CountsAreElements) {
  std::string log = testing::TempDir() + "nccl-log." + std::to_string(getpid());
  Environment environment = manyGpus(2);
  expectSuccess(runRanks(2, torchrunEnvironment, environment, [&](int own) {
    if (own == 0)
      setenv("FAKE_CUDA_LOG", log.c_str(), 1);
    Program program;
    addCollective(program, CollectiveKind::AllGather, 1000, true, false,
                  ElementType::Bf16, ElementType::Bf16);
    addCollective(program, CollectiveKind::ReduceScatter, 1000, true, false,
                  ElementType::F32, ElementType::F32);
    addCollective(program, CollectiveKind::AllReduce, 1, false, false,
                  ElementType::F64, ElementType::F64);
    GpuRank rank(std::move(program));
    for (const Collective &collective : rank.program.collectives) {
      rank.communicator->start(collective.id);
      rank.communicator->wait(collective.id);
    }
    rank.read(0, 1);
    rank.communicator->finish();
  }));
  EXPECT_GE(countInLog(log, "ncclAllGather 500 of type 9 among 2 in place"), 1);
  EXPECT_GE(countInLog(log, "ncclReduceScatter 500 of type 7 among 2 in place"),
            1);
  EXPECT_GE(countInLog(log, "ncclAllReduce 1 of type 8 among 2"), 1);
  unlink(log.c_str());
}

} // namespace
