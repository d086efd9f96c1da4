//===- CpuFeaturesTest.cpp - Features that executables name -----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/CpuFeatures.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/TargetParser/Host.h"
#include "gtest/gtest.h"

using namespace tessera;
using namespace tessera::runtime;

namespace {

/// What each x86-64 has, and what takes an intrinsic, inline assembly or the
/// system's kernel, so that no code of ours has it.
constexpr llvm::StringLiteral unchecked[] = {"cx8",
                                             "cmov",
                                             "mmx",
                                             "fxsr",
                                             "sse",
                                             "sse2",
                                             "64bit",
                                             "aes",
                                             "vaes",
                                             "sha",
                                             "sha512",
                                             "sm3",
                                             "sm4",
                                             "crc32",
                                             "rdrnd",
                                             "rdseed",
                                             "rdpid",
                                             "rdpru",
                                             "rtm",
                                             "tsxldtrk",
                                             "sgx",
                                             "shstk",
                                             "pku",
                                             "xsave",
                                             "xsavec",
                                             "xsaveopt",
                                             "xsaves",
                                             "fsgsbase",
                                             "invpcid",
                                             "clflushopt",
                                             "clwb",
                                             "clzero",
                                             "cldemote",
                                             "prfchw",
                                             "prefetchi",
                                             "prefetchwt1",
                                             "wbnoinvd",
                                             "mwaitx",
                                             "lwp",
                                             "waitpkg",
                                             "ptwrite",
                                             "pconfig",
                                             "enqcmd",
                                             "serialize",
                                             "hreset",
                                             "uintr",
                                             "kl",
                                             "widekl",
                                             "movdiri",
                                             "movdir64b",
                                             "cmpccxadd",
                                             "raoint",
                                             "usermsr",
                                             "movrs",
                                             "amx-tile",
                                             "amx-int8",
                                             "amx-bf16",
                                             "amx-fp16",
                                             "amx-complex",
                                             "amx-avx512",
                                             "amx-fp8",
                                             "amx-movrs",
                                             "amx-tf32",
                                             "amx-transpose",
                                             "avx512vp2intersect"};

// LLVM's next version may know more: each must then be put on one side.
TEST(CpuFeatures, EachOfLlvmsIsCheckedOrNeedsNoCheck) {
  std::vector<std::string> checked = checkedCpuFeatures();
  for (auto &[name, enabled] : llvm::sys::getHostCPUFeatures())
    EXPECT_NE(llvm::is_contained(checked, name.str()),
              llvm::is_contained(unchecked, name))
        << name.str();
}

// Its name and its bit are LLVM's: both read CPUID.
TEST(CpuFeatures, AreThoseThatLlvmSees) {
  llvm::StringMap<bool> seen = llvm::sys::getHostCPUFeatures();
  for (const std::string &name : checkedCpuFeatures())
    if (auto found = seen.find(name); found != seen.end())
      EXPECT_EQ(missingCpuFeatures(name).empty(), found->second) << name;
}

} // namespace
