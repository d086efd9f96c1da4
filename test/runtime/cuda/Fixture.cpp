//===- Fixture.cpp - A GPU for tests --------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/runtime/cuda/Fixture.h"
#include <algorithm>
#include <cstdlib>

using namespace tessera::runtime;

static std::function<void(char *)> entryBody;

static void callBody(tessera_context *, char *arena) { entryBody(arena); }

const char tessera_manifest[] = "{}";
const tessera_entry tessera_entries[] = {{"train.micro", callBody},
                                         {nullptr, nullptr}};
const char tessera_device_image[] = ".version 8.0";

GpuTest::GpuTest() {
  setenv("FAKE_CUDA_KERNELS", TEST_KERNELS, 1);
  manifest.device = "cuda";
  manifest.architectures = {"sm_80"};
  manifest.kernels = {{"mix", 2, 4}};
  program().arenaBytes = 4096;
}

GpuTest::~GpuTest() { delete context.device; }

void GpuTest::open() {
  delete context.device;
  context.manifest = &manifest;
  context.program = &program();
  context.device = tessera_open_device(&manifest, 0);
  context.arena = context.device->allocateArena(program());
}

void GpuTest::runEntry(std::function<void(char *)> body) {
  entryBody = std::move(body);
  context.run(tessera_entries[0]);
}

void GpuTest::fillInput(int number, int32_t value) {
  const Slot &slot = program().inputs[number];
  char *address = context.device->beginInput(context, slot);
  std::fill_n(reinterpret_cast<int32_t *>(address), slot.elements(), value);
  context.device->commitInput(context, slot);
}
