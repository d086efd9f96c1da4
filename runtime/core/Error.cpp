//===- Error.cpp - Errors of the executable -------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Error.h"
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tessera::runtime {

static const char *name = "tessera";
static int rank = 0;
static int size = 1;
static int64_t currentStep = 0;
static bool (*failureHook)() = nullptr;
static void (*exitHook)() = nullptr;

void setErrorContext(const char *executable, int ownRank, int ranks) {
  name = executable;
  rank = ownRank;
  size = ranks;
}

bool speaks() { return rank == 0; }

void giveRootALead() {
  // A signal in the meantime is the launcher's.
  if (!speaks() && sleep(2) > 0)
    exitProcess(1);
}

void leaveErrorToRoot() {
  if (speaks())
    return;
  usleep(300000);
  _exit(1);
}

void setErrorStep(int64_t step) { currentStep = step; }
int64_t errorStep() { return currentStep; }

void setFailureHook(bool (*hook)()) { failureHook = hook; }

void setExitHook(void (*hook)()) { exitHook = hook; }

void exitProcess(int code) {
  if (exitHook)
    exitHook();
  _exit(code);
}

const char *executableName() { return name; }

/// One write per message, so that the ranks' messages do not mix.
static void print(const char *kind, bool flushes, const char *format,
                  va_list arguments) {
  char text[2048];
  int length = size > 1 ? snprintf(text, sizeof text, "%s: %s: rank %d: ", name,
                                   kind, rank)
                        : snprintf(text, sizeof text, "%s: %s: ", name, kind);
  int room = static_cast<int>(sizeof text) - 2;
  if (length < room)
    length += vsnprintf(text + length, room - length, format, arguments);
  if (length > room)
    length = room;
  text[length++] = '\n';
  if (flushes)
    fflush(stdout);
  if (write(STDERR_FILENO, text, length) < 0)
    return;
}

void fatal(const char *format, ...) {
  bool first = failureHook ? failureHook() : true;
  if (first) {
    va_list arguments;
    va_start(arguments, format);
    print("error", true, format, arguments);
    va_end(arguments);
  }
  exitProcess(1);
}

static void printError(bool flushes, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print("error", flushes, format, arguments);
  va_end(arguments);
}

void printError(const char *text) { printError(true, "%s", text); }

void fatalInHandler(const char *format, const char *argument) {
  if (!failureHook || failureHook())
    printError(false, format, argument);
  exitProcess(1);
}

void requirePrinted(bool readerMayLeave) {
  bool failed = fflush(stdout) != 0;
  // What failed earlier has lost its reason.
  int reason = failed ? errno : 0;
  if (!failed && !ferror(stdout))
    return;
  struct stat status;
  bool hasReader = fstat(STDOUT_FILENO, &status) == 0 &&
                   (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) ||
                    isatty(STDOUT_FILENO));
  // What holds the place of a closed stream takes no writes.
  bool isClosed = (fcntl(STDOUT_FILENO, F_GETFL) & O_ACCMODE) == O_RDONLY;
  if (readerMayLeave && (hasReader || isClosed))
    return;
  fatal("cannot write all results to standard output%s%s", reason ? ": " : "",
        reason ? strerror(reason) : "");
}

void warning(const char *format, ...) {
  if (rank != 0)
    return;
  va_list arguments;
  va_start(arguments, format);
  print("warning", true, format, arguments);
  va_end(arguments);
}

} // namespace tessera::runtime
