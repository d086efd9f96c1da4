//===- CpuFeatures.cpp - What generated code asks of a CPU ----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/CpuFeatures.h"
#include <cpuid.h>
#include <cstdint>
#include <sstream>

namespace tessera::runtime {
namespace {

enum class Register { Eax, Ebx, Ecx, Edx };
using enum Register;

/// Parts of a thread's state that the system must save for a feature: bits of
/// the register XCR0.
enum State : uint32_t {
  None = 0,
  Ymm = 0x6,
  Zmm = 0xe6,
  MoreRegisters = 0x80000
};

struct FeatureInfo {
  const char *name;
  uint32_t leaf, subleaf;
  Register place;
  int bit;
  State state = None;
  uint32_t least = 0; ///< not 0: the number of 8 bits from `bit` on is at least
};

// Intel's manual, volume 2A, CPUID; AMD's, volume 3, appendix E. Beyond SSE2,
// which each x86-64 has.
const FeatureInfo featureTable[] = {
    {"sse3", 1, 0, Ecx, 0},
    {"pclmul", 1, 0, Ecx, 1},
    {"ssse3", 1, 0, Ecx, 9},
    {"fma", 1, 0, Ecx, 12, Ymm},
    {"cx16", 1, 0, Ecx, 13},
    {"sse4.1", 1, 0, Ecx, 19},
    {"sse4.2", 1, 0, Ecx, 20},
    {"movbe", 1, 0, Ecx, 22},
    {"popcnt", 1, 0, Ecx, 23},
    {"avx", 1, 0, Ecx, 28, Ymm},
    {"f16c", 1, 0, Ecx, 29, Ymm},
    {"bmi", 7, 0, Ebx, 3},
    {"avx2", 7, 0, Ebx, 5, Ymm},
    {"bmi2", 7, 0, Ebx, 8},
    {"avx512f", 7, 0, Ebx, 16, Zmm},
    {"avx512dq", 7, 0, Ebx, 17, Zmm},
    {"adx", 7, 0, Ebx, 19},
    {"avx512ifma", 7, 0, Ebx, 21, Zmm},
    {"avx512cd", 7, 0, Ebx, 28, Zmm},
    {"avx512bw", 7, 0, Ebx, 30, Zmm},
    {"avx512vl", 7, 0, Ebx, 31, Zmm},
    {"avx512vbmi", 7, 0, Ecx, 1, Zmm},
    {"avx512vbmi2", 7, 0, Ecx, 6, Zmm},
    {"gfni", 7, 0, Ecx, 8},
    {"vpclmulqdq", 7, 0, Ecx, 10, Ymm},
    {"avx512vnni", 7, 0, Ecx, 11, Zmm},
    {"avx512bitalg", 7, 0, Ecx, 12, Zmm},
    {"avx512vpopcntdq", 7, 0, Ecx, 14, Zmm},
    {"avx512fp16", 7, 0, Edx, 23, Zmm},
    {"avxvnni", 7, 1, Eax, 4, Ymm},
    {"avx512bf16", 7, 1, Eax, 5, Zmm},
    {"avxifma", 7, 1, Eax, 23, Ymm},
    {"avxvnniint8", 7, 1, Edx, 4, Ymm},
    {"avxneconvert", 7, 1, Edx, 5, Ymm},
    {"avxvnniint16", 7, 1, Edx, 10, Ymm},
    {"avx10.1", 0x24, 0, Ebx, 0, Zmm, 1},
    {"avx10.2", 0x24, 0, Ebx, 0, Zmm, 2},
    // Intel's APX comes as a whole.
    {"egpr", 7, 1, Edx, 21, MoreRegisters},
    {"push2pop2", 7, 1, Edx, 21, MoreRegisters},
    {"ppx", 7, 1, Edx, 21, MoreRegisters},
    {"ndd", 7, 1, Edx, 21, MoreRegisters},
    {"ccmp", 7, 1, Edx, 21, MoreRegisters},
    {"nf", 7, 1, Edx, 21, MoreRegisters},
    {"cf", 7, 1, Edx, 21, MoreRegisters},
    {"zu", 7, 1, Edx, 21, MoreRegisters},
    {"sahf", 0x80000001, 0, Ecx, 0},
    {"lzcnt", 0x80000001, 0, Ecx, 5},
    {"sse4a", 0x80000001, 0, Ecx, 6},
    {"xop", 0x80000001, 0, Ecx, 11, Ymm},
    {"fma4", 0x80000001, 0, Ecx, 16, Ymm},
    {"tbm", 0x80000001, 0, Ecx, 21},
};

/// The features of a level that the level before it lacks.
struct Level {
  const char *name, *features;
};
const Level levels[] = {
    {"x86-64-v2", "cx16,popcnt,sahf,sse3,ssse3,sse4.1,sse4.2"},
    {"x86-64-v3", "avx,avx2,bmi,bmi2,f16c,fma,lzcnt,movbe"},
    {"x86-64-v4", "avx512f,avx512bw,avx512cd,avx512dq,avx512vl"},
};

/// What the system saves of a thread: XCR0.
uint32_t savedState() {
  constexpr uint32_t osxsave = 1u << 27;
  uint32_t a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & osxsave))
    return 0;
  uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

bool has(const FeatureInfo &feature) {
  uint32_t values[4] = {};
  // A leaf says in its subleaf 0 how many others it has.
  if (feature.subleaf) {
    uint32_t rest;
    if (!__get_cpuid_count(feature.leaf, 0, values, &rest, &rest, &rest) ||
        values[0] < feature.subleaf)
      return false;
  }
  if (!__get_cpuid_count(feature.leaf, feature.subleaf, values, values + 1,
                         values + 2, values + 3))
    return false;
  uint32_t value = values[static_cast<int>(feature.place)] >> feature.bit;
  if (feature.least ? (value & 0xff) < feature.least : !(value & 1))
    return false;
  return (savedState() & feature.state) == feature.state;
}

} // namespace

std::vector<std::string> checkedCpuFeatures() {
  std::vector<std::string> names;
  for (const FeatureInfo &feature : featureTable)
    names.emplace_back(feature.name);
  return names;
}

std::vector<std::string> missingCpuFeatures(const std::string &needed) {
  std::vector<std::string> missing;
  std::stringstream names(needed);
  for (std::string name; std::getline(names, name, ',');) {
    bool found = false;
    for (const FeatureInfo &feature : featureTable)
      found |= name == feature.name && has(feature);
    if (!found)
      missing.push_back(name);
  }
  return missing;
}

const char *cpuLevel() {
  const char *highest = "x86-64";
  for (const Level &level : levels) {
    if (!missingCpuFeatures(level.features).empty())
      break;
    highest = level.name;
  }
  return highest;
}

} // namespace tessera::runtime
