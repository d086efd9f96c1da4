//===- LastResorts.cpp - How the compiler ends before its time --*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/LastResorts.h"
#include "runtime/files/Output.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/Signals.h"

#include <csignal>
#include <exception>
#include <new>
#include <unistd.h>

using namespace tessera;
using llvm::StringRef;

static void removeUnfinished() {
  runtime::removeUnfinishedOutputs();
  llvm::sys::RunInterruptHandlers();
}

/// Takes no memory.
[[noreturn]] static void giveUp(StringRef what) {
  for (StringRef part : {StringRef("tessera: error: "), what, StringRef("\n")})
    (void)!write(STDERR_FILENO, part.data(), part.size());
  removeUnfinished();
  _exit(1);
}

static void stop(int number) {
  removeUnfinished();
  signal(number, SIG_DFL);
  raise(number);
}

void tessera::installLastResorts() {
  constexpr static StringRef outOfMemory =
      "out of memory; plan a smaller model, or allow this process more";
  llvm::install_bad_alloc_error_handler(
      [](void *, const char *, bool) { giveUp(outOfMemory); });
  std::set_new_handler([] { giveUp(outOfMemory); });
  llvm::install_fatal_error_handler(
      [](void *, const char *reason, bool) { giveUp(reason); });
  // A library's exception ends here: nothing of the compiler throws.
  std::set_terminate([] {
    giveUp("the system gives no more threads or memory; allow this process "
           "more");
  });
  for (int number : {SIGHUP, SIGINT, SIGTERM})
    if (signal(number, SIG_IGN) != SIG_IGN)
      signal(number, stop);
}
