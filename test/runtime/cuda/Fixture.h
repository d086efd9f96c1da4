//===- Fixture.h - A GPU for tests ------------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_RUNTIME_CUDA_FIXTURE_H
#define TESSERA_TEST_RUNTIME_CUDA_FIXTURE_H

#include "runtime/cuda/Device.h"
#include "runtime/program/Context.h"
#include <functional>
#include <gtest/gtest.h>

namespace tessera::runtime {

/// A device with the arena of a program "train".
class GpuTest : public testing::Test {
protected:
  GpuTest();
  ~GpuTest() override;

  Program &program() { return manifest.programs["train"]; }
  /// Opens the GPU for what the manifest then has.
  void open();
  /// Runs \p body as an entry.
  void runEntry(std::function<void(char *arena)> body);

  /// Elements at \p offset of the arena.
  std::vector<int32_t> integers(int64_t offset, int64_t count) {
    std::vector<int32_t> values(count);
    context.device->read(values.data(), context.arena + offset, 4 * count);
    return values;
  }
  /// Fills input \p number with \p value.
  void fillInput(int number, int32_t value);

  Manifest manifest;
  tessera_context context;
};

} // namespace tessera::runtime

#endif // TESSERA_TEST_RUNTIME_CUDA_FIXTURE_H
