//===- ProgramTest.cpp - Runs of executables for GPUs ---------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/runtime/ProgramTest.h"

using namespace tessera::runtime;

namespace {

class GpuProgram : public ProgramTest {
protected:
  Result runGpu(const std::string &fake, const std::string &rest,
                std::vector<std::string> environment = {}) {
    environment.push_back("LD_LIBRARY_PATH=" FAKE_CUDA_FOLDER);
    environment.push_back("FAKE_CUDA_KERNELS=" FAKE_FOLDER "/" + fake + ".so");
    Result result = runFake(fake, rest, environment);
    EXPECT_EQ(result.code, 0) << result.text;
    return result;
  }

  /// How often the fake driver's log names \p call.
  int64_t count(const std::string &log, const std::string &call) const {
    int64_t times = 0;
    std::stringstream lines(read(log));
    std::string line;
    while (std::getline(lines, line))
      times += line.starts_with("{\"call\": \"" + call + "\"");
    return times;
  }

  void expectNear(const std::string &one, const std::string &other) {
    auto a = tensors(one), b = tensors(other);
    ASSERT_EQ(a.size(), b.size());
    for (const auto &[name, values] : a)
      for (size_t i = 0; i < values.size(); ++i)
        ASSERT_NEAR(values[i], b.at(name).at(i), 1e-5) << name;
  }
};

TEST_F(GpuProgram, TrainsAsTheCpuDoes) {
  for (const char *fake : {"fake-1", "fake-2-0", "fake-2-3"}) {
    std::string train = std::string(sequential) + "--steps 8 --save ";
    runGpu(fake + std::string("-cuda"), train + "@gpu");
    EXPECT_EQ(runFake(fake, train + "@cpu").code, 0);
    expectNear("gpu", "cpu");
    std::string grads = "grads --init @cpu --data @data --out ";
    runGpu(fake + std::string("-cuda"), grads + "@gpu-grads");
    EXPECT_EQ(runFake(fake, grads + "@cpu-grads").code, 0);
    expectNear("gpu-grads", "cpu-grads");
  }
}

TEST_F(GpuProgram, GivesTheSameBitsHoweverWorkIsDone) {
  std::string train = std::string(sequential) + "--steps 8 --log ";
  runGpu("fake-1-cuda", train + "@late",
         {"FAKE_CUDA_LOG=" + file("late.calls")});
  runGpu("fake-1-cuda", train + "@eager", {"FAKE_CUDA_ORDER=eager"});
  runGpu("fake-1-cuda", train + "@issued",
         {"TESSERA_GRAPHS=0", "FAKE_CUDA_LOG=" + file("issued.calls")});
  EXPECT_EQ(losses("late").size(), 8u);
  EXPECT_EQ(losses("late"), losses("eager"));
  EXPECT_EQ(losses("late"), losses("issued"));
  // Four entries per step; an entry is captured when it runs again.
  EXPECT_EQ(count("late.calls", "cuGraphLaunch"), 4 * 7);
  EXPECT_EQ(count("issued.calls", "cuGraphLaunch"), 0);
  EXPECT_EQ(count("late.calls", "cuMemAlloc"), 1);
}

TEST_F(GpuProgram, ResumesToTheBit) {
  for (const char *fake : {"fake-1-cuda", "fake-2-3-cuda"})
    for (const char *how : {"", " --checkpoint-async"}) {
      std::string train = std::string(sequential) + "--steps 8 ";
      std::string checkpoints =
          std::string("--checkpoint-dir @c --checkpoint-every 4") + how;
      forget({"whole", "parts"});
      runGpu(fake, train + "--log @whole --save @whole.weights");
      runGpu(fake,
             std::string(sequential) + "--steps 4 --log @parts " + checkpoints);
      runGpu(fake, train + "--log @parts --resume --save @parts.weights " +
                       checkpoints);
      EXPECT_EQ(losses("whole"), losses("parts"));
      EXPECT_EQ(read("whole.weights"), read("parts.weights"));
      runGpu(fake, "export --checkpoint-dir @c --out @exported");
      EXPECT_EQ(tensors("exported"), tensors("whole.weights"));
      run({"rm", "-r", file("c")});
    }
}

TEST_F(GpuProgram, TellsOfTheGpuAndItsUse) {
  Result result =
      runGpu("fake-1-cuda", std::string(sequential) + "--steps 2 --log @log");
  for (const char *text :
       {"device       GPU 0 (Fake GPU) of 1, sm_90, driver for CUDA 13.0",
        "GEMMs        1 by cuBLASLt, chosen by timing 3 candidates",
        "peak         1.0 TFLOP/s (4 SMs x 1.000 GHz x 256); MFU = ", "  MFU "})
    EXPECT_NE(result.text.find(text), std::string::npos) << result.text;
  EXPECT_NE(read("log").find("\"mfu\": "), std::string::npos);
}

TEST_F(GpuProgram, NeedsNoLibraryToTellWhatItIs) {
  Result result = runFake("fake-1-cuda", "info");
  EXPECT_EQ(result.code, 0);
  EXPECT_NE(result.text.find("target       cuda: sm_80"), std::string::npos)
      << result.text;
  EXPECT_EQ(runFake("fake-1-cuda", "--help").code, 0);
}

TEST_F(GpuProgram, SaysWhatIsMissing) {
  if (std::ifstream("/dev/nvidiactl"))
    GTEST_SKIP() << "this machine has a driver";
  fails("fake-1-cuda", std::string(sequential) + "--steps 2",
        "error: cannot open libcuda.so.1: this executable trains on an NVIDIA "
        "GPU; install NVIDIA's driver");
}

} // namespace
