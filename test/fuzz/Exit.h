//===- Exit.h - Errors that would exit the process --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The runtime exits the process on wrong input, with a message and exit code 1
// (fatal() in runtime/core/Error.h). In a fuzz target _exit is replaced at link
// time by one that throws, so that what leads up to it, the message included,
// runs as it is, and the process goes on to the next input.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_FUZZ_EXIT_H
#define TESSERA_TEST_FUZZ_EXIT_H

namespace tessera::fuzz {

/// What _exit throws in a fuzz target.
struct Exit {};

/// Runs \p body. True where it exited by fatal().
template <typename Body> bool exits(Body body) {
  try {
    body();
    return false;
  } catch (const Exit &) {
    return true;
  }
}

/// Exits the process as a finding, with the broken promise \p what, unless
/// \p holds.
void require(bool holds, const char *what);

} // namespace tessera::fuzz

#endif // TESSERA_TEST_FUZZ_EXIT_H
