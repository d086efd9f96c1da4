//===- Open.cpp - Making a program ready to run ---------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/Commands.h"
#include "runtime/Error.h"
#include "runtime/Parameters.h"
#include "runtime/Threads.h"

#include <algorithm>
#include <cstdio>
#include <unistd.h>

namespace tessera {

static Communicator *communicator = nullptr;

int runThreads(const Manifest &manifest, int ranksOnNode) {
  return std::min(threadCount(manifest.threads, ranksOnNode),
                  manifest.maxThreads);
}

tsr_context &openTraining(const Manifest &manifest) {
  static tsr_context context;
  communicator = tessera_create_communicator(manifest.training.world);
  setErrorContext(executableName(), communicator->rank(), communicator->size());
  setFailureHook([] { return communicator->markFailed(); });
  context.manifest = &manifest;
  context.program = &manifest.program("train");
  context.communicator = communicator;
  context.threads = runThreads(manifest, communicator->localSize());
  setThreads(context.threads);
  context.arena = communicator->allocateArena(*context.program);
  context.prepareGemms();
  return context;
}

tsr_context &openLocal(const Manifest &manifest, const Options &options,
                       const char *program) {
  static tsr_context context;
  context.manifest = &manifest;
  context.program = &manifest.program(program);
  context.threads = runThreads(manifest, 1);
  setThreads(context.threads);
  context.arena = mapPrivateArena(context.program->arenaBytes);
  context.prepareGemms();
  if (options.init.empty())
    initializeParameters(context,
                         options.seed.value_or(manifest.training.seed));
  else
    loadParameters(context, options.init);
  return context;
}

std::string byteText(double bytes) {
  const char *units[] = {"B", "kB", "MB", "GB", "TB"};
  int unit = 0;
  while (bytes >= 1000 && unit < 4) {
    bytes /= 1000;
    ++unit;
  }
  char text[32];
  snprintf(text, sizeof text, unit ? "%.2f %s" : "%.0f %s", bytes, units[unit]);
  return text;
}

std::string countText(int64_t count) {
  std::string digits = std::to_string(count);
  for (int64_t at = static_cast<int64_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(at, ",");
  return digits;
}

} // namespace tessera
