//===- Context.h - The state of one rank ---------------------- -*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_PROGRAM_CONTEXT_H
#define TESSERA_RUNTIME_PROGRAM_CONTEXT_H

#include "runtime/abi.h"
#include "runtime/program/Communicator.h"
#include "runtime/program/Device.h"
#include "runtime/program/Manifest.h"
#include "runtime/program/Offload.h"

/// What the `tessera_` functions know: one program on one arena.
struct tessera_context {
  const tessera::runtime::Manifest *manifest = nullptr;
  const tessera::runtime::Program *program = nullptr;
  tessera::runtime::Communicator *communicator = nullptr;
  tessera::runtime::Device *device = nullptr;
  char *arena = nullptr;
  /// Null where the program has no file.
  tessera::runtime::OffloadFile *offload = nullptr;
  int threads = 1;
  /// Spent in waits and fences since it was set to 0.
  double communicationMilliseconds = 0;

  /// Programs for one rank (eval, predict) run without a communicator.
  int rank() const { return communicator ? communicator->rank() : 0; }
  int size() const { return communicator ? communicator->size() : 1; }
  /// The place of a scalar output as a float; NaN where there is none.
  float output(const char *name) const;
  /// Runs \p entry on the device.
  void run(const tessera_entry &entry) {
    selectGemms();
    device->run(*this, entry);
  }
  /// The entry of that name; exits the process where the model has none.
  const tessera_entry &entry(const char *name) const;
  /// Makes the model's GEMM primitives where the object has GEMMs.
  void prepareGemms();

private:
  /// Makes those of the model the ones that tessera_gemm runs.
  void selectGemms();
};

/// Defined with tessera_gemm, so present only in an executable that calls it:
/// makes one primitive for each GEMM of the manifest, which are those that
/// tessera_gemm runs until others are made or selected.
extern "C" __attribute__((weak)) void
tessera_prepare_gemms(const tessera::runtime::Manifest *manifest, int threads);
/// Those that were made for \p manifest are the ones that tessera_gemm runs.
extern "C" __attribute__((weak)) void
tessera_select_gemms(const tessera::runtime::Manifest *manifest);

#endif // TESSERA_RUNTIME_PROGRAM_CONTEXT_H
