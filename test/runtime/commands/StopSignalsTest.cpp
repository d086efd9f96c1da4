//===- StopSignalsTest.cpp - Tests of signals that end a run --------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/StopSignals.h"
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace tessera::runtime;

namespace {

void say(const char *text) {
  if (write(STDERR_FILENO, text, strlen(text)) < 0)
    abort();
}

TEST(StopSignals, EndTheProcessAtFirst) {
  for (int number : {SIGTERM, SIGINT, SIGHUP})
    EXPECT_EXIT(
        {
          catchStopSignals();
          raise(number);
          say("goes on");
        },
        testing::KilledBySignal(number), "^$");
}

TEST(StopSignals, AreHeldOnceWhileRanksFindEachOther) {
  EXPECT_EXIT(
      {
        catchStopSignals();
        {
          StopSignalHold hold;
          raise(SIGTERM);
          say("held");
        }
        say(" and not ended");
      },
      testing::KilledBySignal(SIGTERM), "^held$");
  EXPECT_EXIT(
      {
        catchStopSignals();
        StopSignalHold hold;
        raise(SIGTERM);
        say("held");
        raise(SIGINT);
        say(" twice");
      },
      testing::KilledBySignal(SIGTERM), "^held$");
}

TEST(StopSignals, AreNotHeldForEver) {
  EXPECT_EXIT(
      {
        catchStopSignals();
        StopSignalHold hold;
        raise(SIGHUP);
        say("held");
        for (;;)
          pause();
      },
      testing::KilledBySignal(SIGHUP), "^held$");
}

TEST(StopSignals, AreOnlyNotedLater) {
  EXPECT_EXIT(
      {
        catchStopSignals();
        deferStopSignals();
        bool none = notedStop() == 0;
        raise(SIGINT);
        raise(SIGTERM);
        bool first = stopSignal(notedStop()) == SIGINT;
        exit(none && first ? 7 : 1);
      },
      testing::ExitedWithCode(7), "^$");
}

TEST(StopSignals, StayIgnored) {
  EXPECT_EXIT(
      {
        signal(SIGHUP, SIG_IGN);
        catchStopSignals();
        deferStopSignals();
        raise(SIGHUP);
        exit(notedStop() == 0 ? 7 : 1);
      },
      testing::ExitedWithCode(7), "^$");
}

TEST(StopSignals, GiveUpAWriteThatNobodyReads) {
  EXPECT_EXIT(
      {
        int ends[2];
        if (pipe(ends) != 0)
          exit(1);
        char line[100] = {};
        catchStopSignals();
        deferStopSignals();
        bool all = writeUnlessStopped(ends[1], line, sizeof line);
        fcntl(ends[1], F_SETFL, O_NONBLOCK);
        while (write(ends[1], line, sizeof line) > 0)
          ;
        fcntl(ends[1], F_SETFL, 0);
        raise(SIGTERM);
        bool none = !writeUnlessStopped(ends[1], line, sizeof line);
        exit(all && none && errno == EINTR ? 7 : 1);
      },
      testing::ExitedWithCode(7), "^$");
}

} // namespace
