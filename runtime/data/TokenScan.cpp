//===- TokenScan.cpp - A look through tokens before a run -----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/TokenScan.h"
#include "runtime/core/Error.h"
#include "runtime/core/Threads.h"
#include "runtime/files/Output.h"
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <nlohmann/json.hpp>
#include <unistd.h>
#include <vector>

using nlohmann::json;

namespace tessera::runtime {
namespace {

/// What a rank reads before it meets the others: so nobody waits long, and the
/// first bad token ends the look.
constexpr int64_t roundBytes = 64 << 20, threadBytes = 4 << 20;

/// The first strange token of [begin, end), which all threads read together.
StrangeToken findInParallel(const TokenFile &file, int64_t begin, int64_t end) {
  StrangeToken first;
  std::string failure;
  std::mutex mutex;
  int64_t grain = threadBytes / bytesOf(file.type());
  parallelFor(end - begin, grain, [&](int64_t from, int64_t to) {
    StrangeToken found;
    std::string error;
    bool isRead = file.findStrange(begin + from, to - from, found, error);
    if (isRead && found.position < 0)
      return;
    std::lock_guard lock(mutex);
    if (!isRead)
      failure = error;
    else if (first.position < 0 || found.position < first.position)
      first = found;
  });
  if (!failure.empty())
    fatal("%s", failure.c_str());
  return first;
}

/// Exits the process where the file has a token outside the vocabulary.
void scan(const TokenFile &file, Communicator &communicator) {
  using Clock = std::chrono::steady_clock;
  int ranks = communicator.size(), rank = communicator.rank();
  int64_t share = roundBytes / bytesOf(file.type());
  Clock::time_point reported = Clock::now();
  std::vector<StrangeToken> all(ranks);
  bool hasReported = false;
  for (int64_t begin = 0; begin < file.count(); begin += share * ranks) {
    int64_t from = std::min(begin + share * rank, file.count());
    int64_t to = std::min(from + share, file.count());
    StrangeToken mine = findInParallel(file, from, to);
    communicator.exchange(&mine, all.data(), sizeof mine);
    // Ranks read one behind the other, so the first one's is the first.
    for (const StrangeToken &token : all)
      if (token.position >= 0)
        communicator.failTogether(file.describe(token).c_str());
    if (communicator.isRoot() &&
        Clock::now() - reported > std::chrono::seconds(2)) {
      reported = Clock::now();
      hasReported = true;
      double part = double(std::min(begin + share * ranks, file.count())) /
                    double(file.count());
      printf("%slooking through the data: %.0f %%%s",
             isatty(STDOUT_FILENO) ? "\r" : "", 100 * part,
             isatty(STDOUT_FILENO) ? "" : "\n");
      fflush(stdout);
    }
  }
  if (hasReported && isatty(STDOUT_FILENO))
    printf("\n");
}

/// What a verdict is about.
std::string subjectOf(const TokenFile &file) {
  DataFingerprint fingerprint = file.fingerprint();
  return json({{"bytes", fingerprint.bytes},
               {"modified", file.content().modified()},
               {"checksum", fingerprint.checksum},
               {"type", file.form()},
               {"vocabulary", file.vocabularySize()}})
      .dump();
}

std::string readText(const std::string &path) {
  char text[1024];
  FILE *stream = fopen(path.c_str(), "r");
  if (!stream)
    return "";
  size_t bytes = fread(text, 1, sizeof text, stream);
  fclose(stream);
  return std::string(text, bytes);
}

/// Best effort: without it the next run looks again.
void keep(const std::string &path, const std::string &text) {
  auto bytes = static_cast<int64_t>(text.size());
  OutputFile file;
  if (file.open(path, bytes) && file.write(text.data(), bytes))
    file.commit();
}

} // namespace

void requireKnownTokens(const TokenFile &file, Communicator &communicator,
                        const std::string &directory) {
  if (!file.canHoldStrange())
    return;
  bool keeps = communicator.isRoot() && !directory.empty();
  std::string path = directory + "/data-verdict.json";
  std::string subject = keeps ? subjectOf(file) : "";
  if (communicator.any(keeps && readText(path) == subject))
    return;
  scan(file, communicator);
  if (keeps)
    keep(path, subject);
}

} // namespace tessera::runtime
