//===- DeviceTest.cpp - Tests of the CPU as a device ----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/program/Context.h"
#include <gtest/gtest.h>

using namespace tessera::runtime;

namespace {

/// From 0: a state of 64 bytes, 64 free, an input of 12, 180 free, another
/// state of 128, of 16-bit numbers, and 64 free.
Program program() {
  Program result;
  result.arenaBytes = 512;
  result.states = {
      {.name = "parameter", .offset = 0, .elements = 16},
      {.name = "m", .offset = 320, .elements = 64, .type = ElementType::Bf16}};
  result.inputs = {{.name = "x", .type = "f32", .shape = {3}, .offset = 128}};
  return result;
}

class HostDevice : public testing::Test {
protected:
  std::pair<int64_t, int64_t> spare(const Program &program) {
    context.program = &program;
    context.arena = arena;
    std::span<char> memory =
        tessera_open_device(nullptr, 0)->spareMemory(context);
    return {memory.data() - arena, std::ssize(memory)};
  }

  char arena[1024];
  tessera_context context;
};

TEST_F(HostDevice, HasMemoryWhereNeitherStatesNorInputsLie) {
  EXPECT_EQ(spare(program()), std::pair(int64_t(140), int64_t(180)));
}

TEST_F(HostDevice, HasMemoryAtTheArenasEnds) {
  Program last = program();
  last.arenaBytes = 1024;
  EXPECT_EQ(spare(last), std::pair(int64_t(448), int64_t(576)));
  Program first = program();
  first.states.erase(first.states.begin());
  first.inputs.front().offset = 256;
  EXPECT_EQ(spare(first), std::pair(int64_t(0), int64_t(256)));
}

// Neither where a program that runs between its steps keeps something.
TEST_F(HostDevice, HasNoMemoryThatOthersKeep) {
  Manifest manifest;
  Program host = program();
  host.name = "train";
  Program guest;
  guest.name = "validate";
  guest.within = "train";
  guest.arenaBytes = 1024;
  guest.inputs = {
      {.name = "x", .type = "f32", .when = "load", .shape = {3}, .offset = 200},
      {.name = "y", .type = "f32", .when = "run", .shape = {8}, .offset = 600}};
  manifest.programs = {{"train", host}, {"validate", guest}};
  context.manifest = &manifest;
  EXPECT_EQ(spare(manifest.programs.at("train")),
            std::pair(int64_t(212), int64_t(108)));
  EXPECT_EQ(spare(manifest.programs.at("validate")),
            std::pair(int64_t(632), int64_t(392)));
}

// Offloaded states lie behind the arena.
TEST_F(HostDevice, HasNoMemoryBehindTheArena) {
  Program offloaded = program();
  offloaded.arenaBytes = 300;
  offloaded.states.back().offset = 900;
  EXPECT_EQ(spare(offloaded), std::pair(int64_t(140), int64_t(160)));
}

} // namespace
