//===- Exit.cpp - Errors that would exit the process ----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/Exit.h"
#include <cstdio>
#include <cstdlib>

void tessera::fuzz::require(bool holds, const char *what) {
  if (holds)
    return;
  fprintf(stderr, "broken promise: %s\n", what);
  abort();
}

// The linker lets the runtime call this one (--wrap=_exit).
extern "C" void __wrap__exit(int code) {
  tessera::fuzz::require(code == 1, "an error exits with code 1");
  throw tessera::fuzz::Exit();
}
