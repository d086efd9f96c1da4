//===- Samples.cpp - Commands on samples of data --------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/Samples.h"
#include "runtime/core/Text.h"
#include <cstdio>

namespace tessera::runtime {

void storeSamples(Options &options, const std::string &text) {
  options.samples = readInteger("--samples", text, 1);
}

void showSamples(ProgressLine &progress, int64_t done, int64_t samples) {
  progress.show([&](double seconds) {
    char left[32];
    snprintf(left, sizeof left, "%.0f s left",
             seconds * double(samples - done) / double(done));
    return countText(done) + " of " + countText(samples) + " samples, " + left;
  });
}

TargetBytes::TargetBytes(const Model &model) : codec(textCodec(model)) {
  if (codec)
    stream = codec->decode();
}

int64_t TargetBytes::take() {
  auto bytes = static_cast<int64_t>(text.size());
  text.clear();
  count += bytes;
  return bytes;
}

int64_t TargetBytes::add(std::span<const int32_t> tokens) {
  int64_t before = count;
  for (int32_t token : stream ? tokens : std::span<const int32_t>()) {
    stream->push(token, text);
    take();
  }
  return count - before;
}

int64_t TargetBytes::finish() {
  if (stream)
    stream->finish(text);
  take();
  return count;
}

} // namespace tessera::runtime
