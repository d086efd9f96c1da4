//===- CpuFeaturesTest.cpp - What generated code asks of a CPU ------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/CpuFeatures.h"
#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

using namespace tessera::runtime;

namespace {

/// This machine's flags as the system's kernel reads them.
std::vector<std::string> kernelFlags() {
  std::ifstream file("/proc/cpuinfo");
  std::vector<std::string> flags;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("flags"))
      continue;
    std::stringstream words(line);
    for (std::string word; words >> word;)
      flags.push_back(word);
    break;
  }
  return flags;
}

// The kernel leaves out what it does not save the state of, too.
TEST(CpuFeatures, AreThoseThatTheKernelTells) {
  std::vector<std::string> flags = kernelFlags();
  if (flags.empty())
    GTEST_SKIP() << "/proc/cpuinfo has no flags";
  std::pair<const char *, const char *> names[] = {
      {"sse3", "pni"},
      {"pclmul", "pclmulqdq"},
      {"ssse3", "ssse3"},
      {"fma", "fma"},
      {"cx16", "cx16"},
      {"sse4.1", "sse4_1"},
      {"sse4.2", "sse4_2"},
      {"movbe", "movbe"},
      {"popcnt", "popcnt"},
      {"avx", "avx"},
      {"f16c", "f16c"},
      {"bmi", "bmi1"},
      {"avx2", "avx2"},
      {"bmi2", "bmi2"},
      {"avx512f", "avx512f"},
      {"avx512dq", "avx512dq"},
      {"adx", "adx"},
      {"avx512ifma", "avx512ifma"},
      {"avx512cd", "avx512cd"},
      {"avx512bw", "avx512bw"},
      {"avx512vl", "avx512vl"},
      {"avx512vbmi", "avx512vbmi"},
      {"avx512vbmi2", "avx512_vbmi2"},
      {"gfni", "gfni"},
      {"vpclmulqdq", "vpclmulqdq"},
      {"avx512vnni", "avx512_vnni"},
      {"avx512bitalg", "avx512_bitalg"},
      {"avx512vpopcntdq", "avx512_vpopcntdq"},
      {"avx512fp16", "avx512_fp16"},
      {"avxvnni", "avx_vnni"},
      {"avx512bf16", "avx512_bf16"},
      {"sahf", "lahf_lm"},
      {"lzcnt", "abm"},
      {"sse4a", "sse4a"},
      {"xop", "xop"},
      {"fma4", "fma4"},
      {"tbm", "tbm"},
  };
  for (auto [name, flag] : names)
    EXPECT_EQ(missingCpuFeatures(name).empty(),
              std::find(flags.begin(), flags.end(), flag) != flags.end())
        << name;
}

TEST(CpuFeatures, AreMissingInTheirOrder) {
  EXPECT_TRUE(missingCpuFeatures("").empty());
  EXPECT_EQ(missingCpuFeatures("zz,sse3,aa"),
            (std::vector<std::string>{"zz", "aa"}));
  for (const std::string &name : checkedCpuFeatures())
    EXPECT_LE(missingCpuFeatures(name).size(), 1u);
}

TEST(CpuFeatures, TheLevelIsOneThatThisCpuHas) {
  std::vector<std::string> flags = kernelFlags();
  if (flags.empty())
    GTEST_SKIP() << "/proc/cpuinfo has no flags";
  bool third = std::find(flags.begin(), flags.end(), "avx2") != flags.end();
  bool fourth =
      std::find(flags.begin(), flags.end(), "avx512vl") != flags.end();
  EXPECT_EQ(std::string(cpuLevel()) >= "x86-64-v3", third);
  EXPECT_EQ(std::string(cpuLevel()) >= "x86-64-v4", fourth);
}

} // namespace
