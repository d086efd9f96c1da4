//===- Context.cpp - The state of one rank --------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/program/Context.h"
#include "runtime/core/Error.h"
#include "runtime/program/StepRecorder.h"
#include <chrono>
#include <cmath>
#include <cstring>

float tessera_context::output(const char *name) const {
  const tessera::runtime::Slot *slot = program->output(name);
  if (!slot)
    return NAN;
  float value;
  device->read(&value, arena + slot->offset, sizeof value);
  return value;
}

const tessera_entry &tessera_context::entry(const char *name) const {
  for (const tessera_entry *entry = manifest->entries; entry && entry->name;
       ++entry)
    if (!strcmp(entry->name, name))
      return *entry;
  tessera::runtime::fatal("this executable has no entry '%s': compile the "
                          "specification again with this version of tessera",
                          name);
}

/// Whose primitives tessera_gemm runs.
static const tessera::runtime::Manifest *selected = nullptr;

void tessera_context::prepareGemms() {
  selected = manifest;
  if (!manifest->gemms.empty() && tessera_prepare_gemms)
    tessera_prepare_gemms(manifest, threads);
}

void tessera_context::selectGemms() {
  if (selected == manifest)
    return;
  selected = manifest;
  if (!manifest->gemms.empty() && tessera_select_gemms)
    tessera_select_gemms(manifest);
}

int32_t tessera_rank(tessera_context *context) { return context->rank(); }

void tessera_collective_start(tessera_context *context, int32_t id) {
  tessera::runtime::RecordedCall recorded(
      tessera::runtime::Lane::Communication);
  context->communicator->start(id);
}

/// Adds the time that \p wait takes to the context's.
template <typename Wait>
static void measure(tessera_context *context, Wait wait) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin = Clock::now();
  wait();
  context->communicationMilliseconds +=
      std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

void tessera_collective_wait(tessera_context *context, int32_t id) {
  tessera::runtime::RecordedCall recorded;
  measure(context, [&] { context->communicator->wait(id); });
}

void tessera_collective_fence(tessera_context *context, int32_t id) {
  tessera::runtime::RecordedCall recorded;
  measure(context, [&] { context->communicator->fence(id); });
}

void tessera_fetch(tessera_context *context, char *address, int64_t bytes) {
  tessera::runtime::RecordedCall recorded;
  context->offload->fetch(address, bytes);
}

void tessera_evict(tessera_context *context, char *address, int64_t bytes) {
  tessera::runtime::RecordedCall recorded;
  context->offload->evict(address, bytes);
}
