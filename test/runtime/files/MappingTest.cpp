//===- MappingTest.cpp - Tests of mapped files that may fail --------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/files/Mapping.h"
#include "runtime/files/Safetensors.h"
#include "runtime/program/Offload.h"
#include <csignal>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace tessera::runtime;

namespace {

// Death tests run in children, so no test sees another's handler.
using MappingDeathTest = testing::Test;

TEST(MappingDeathTest, WeightsThatShrinkAreAnErrorThatNamesThem) {
  std::string path = testing::TempDir() + "shrinks.safetensors";
  std::vector<float> values(100'000, 1);
  SafetensorsWriter writer(path);
  writer.declare("a", {100'000});
  writer.begin();
  writer.write(values.data(), 100'000);
  writer.commit();
  auto readShrunk = [&] {
    std::string error;
    auto file = SafetensorsFile::open(path, error);
    if (!file || truncate(path.c_str(), 8192) != 0)
      _exit(9);
    copyAsFloat(*file->find("a"), 0, 100'000, values.data());
  };
  EXPECT_EXIT(readShrunk(), testing::ExitedWithCode(1),
              "error: '.*shrinks.safetensors' cannot be read any more");
}

TEST(MappingDeathTest, TheOffloadFileIsNamed) {
  auto touchShrunk = [] {
    OffloadFile file(testing::TempDir(), 1 << 16);
    void *room =
        mmap(nullptr, 1 << 16, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    file.map(static_cast<char *>(room));
    if (ftruncate(file.descriptor(), 0) != 0)
      _exit(9);
    static_cast<volatile char *>(room)[5000] = 1;
  };
  EXPECT_EXIT(touchShrunk(), testing::ExitedWithCode(1),
              "the file of the optimizer's states' cannot be read any more");
}

TEST(MappingDeathTest, OtherFaultsStaySignals) {
  auto touchShrunk = [] {
    char name[] = "/tmp/tessera-mapping-XXXXXX";
    int file = mkstemp(name);
    unlink(name);
    if (ftruncate(file, 4096) != 0)
      _exit(9);
    void *room = mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file, 0);
    registerMapping(room, 4096, "known");
    unregisterMapping(room);
    if (ftruncate(file, 0) != 0)
      _exit(9);
    char value = static_cast<volatile char *>(room)[0];
    _exit(value);
  };
  EXPECT_EXIT(touchShrunk(), testing::KilledBySignal(SIGBUS), "");
}

} // namespace
