//===- StopSignals.cpp - Signals that end a run ---------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/StopSignals.h"
#include "runtime/files/Output.h"
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace tessera::runtime {

static constexpr struct {
  int number;
  uint8_t bit;
  const char *name;
} signals[] = {{SIGTERM, 0x20, "SIGTERM"},
               {SIGINT, 0x40, "SIGINT"},
               {SIGHUP, 0x80, "SIGHUP"}};

namespace {

/// What a signal does.
enum class Effect { End, Hold, Note };

} // namespace

static std::atomic<Effect> effect = Effect::End;
static std::atomic<int> noted = 0; ///< the first signal; 0: none
static_assert(std::atomic<int>::is_always_lock_free &&
              std::atomic<Effect>::is_always_lock_free);

static void receive(int number);

/// \p flags: SA_RESTART lets a system call that they interrupt go on.
static void setActions(int flags) {
  for (const auto &[number, bit, name] : signals) {
    struct sigaction action = {};
    sigaction(number, nullptr, &action);
    if (action.sa_handler == SIG_IGN)
      continue;
    action = {};
    action.sa_handler = receive;
    action.sa_flags = flags;
    sigaction(number, &action, nullptr);
  }
}

/// Ends the process by the signal that is noted, also in its own handler, once
/// that has returned.
static void endByNoted() {
  removeUnfinishedOutputs();
  signal(noted, SIG_DFL);
  raise(noted);
}

/// The first signal counts; where they are noted later ones change nothing.
static void receive(int number) {
  static constexpr unsigned longestHold = 5; // s
  int none = 0;
  bool first = noted.compare_exchange_strong(none, number);
  if (effect == Effect::Note)
    // A line that waits for its reader is given up, once (writeUnlessStopped);
    // what is written after it is not interrupted again.
    setActions(SA_RESTART);
  else if (effect == Effect::Hold && first)
    alarm(longestHold);
  else
    endByNoted();
}

void catchStopSignals() { setActions(SA_RESTART); }

StopSignalHold::StopSignalHold() {
  signal(SIGALRM, [](int) { endByNoted(); });
  effect = Effect::Hold;
}

StopSignalHold::~StopSignalHold() {
  effect = Effect::End;
  alarm(0);
  signal(SIGALRM, SIG_DFL);
  if (noted)
    endByNoted();
}

void deferStopSignals() {
  effect = Effect::Note;
  setActions(0);
}

uint8_t notedStop() {
  for (const auto &[number, bit, name] : signals)
    if (number == noted)
      return bit;
  return 0;
}

int stopSignal(uint8_t bits) {
  for (const auto &[number, bit, name] : signals)
    if (bits & bit)
      return number;
  return 0;
}

const char *stopSignalName(int wanted) {
  for (const auto &[number, bit, name] : signals)
    if (number == wanted)
      return name;
  return "a signal";
}

bool writeUnlessStopped(int descriptor, const void *data, int64_t bytes) {
  static constexpr int pause = 50; // ms
  const char *next = static_cast<const char *>(data);
  while (bytes > 0) {
    pollfd room = {descriptor, POLLOUT, 0};
    if (poll(&room, 1, noted ? 0 : pause) <= 0) {
      if (!noted)
        continue;
      errno = EINTR;
      return false;
    }
    // A pipe with room takes PIPE_BUF bytes at once. A terminal may not: the
    // first signal interrupts it.
    ssize_t count = write(descriptor, next, std::min<int64_t>(bytes, PIPE_BUF));
    if (count < 0 && errno != EAGAIN && errno != EINTR)
      return false;
    next += std::max<ssize_t>(count, 0);
    bytes -= std::max<ssize_t>(count, 0);
  }
  return true;
}

void ignoreWriteSignals(bool pipes) {
  struct sigaction action = {};
  action.sa_handler = SIG_IGN;
  sigaction(SIGXFSZ, &action, nullptr);
  if (pipes)
    sigaction(SIGPIPE, &action, nullptr);
}

void holdStandardStreams() {
  // Opened for reading, so that a write still fails.
  for (int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(stream, F_GETFD) < 0 && open("/dev/null", O_RDONLY) < 0)
      return;
}

} // namespace tessera::runtime
