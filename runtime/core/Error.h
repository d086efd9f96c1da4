//===- Error.h - Errors of the executable --------------------- -*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CORE_ERROR_H
#define TESSERA_RUNTIME_CORE_ERROR_H

#include <cstdint>

namespace tessera::runtime {

/// Prints "NAME: error: MESSAGE" (with the rank where there are several),
/// reports to the peers that this rank has failed, and exits the process with
/// exit code 1. Of several ranks that fail, one prints. Never returns, throws
/// nothing, so it may be called under emitted code.
[[noreturn]] void fatal(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/// The same from a signal's handler, so without the lock of standard output.
[[noreturn]] void fatalInHandler(const char *format, const char *argument);

/// Prints as fatal() does, but goes on.
void printError(const char *text);

/// Prints "NAME: warning: MESSAGE" on rank 0.
void warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/// Exits the process with an error where not all that was printed has reached
/// standard output. With \p readerMayLeave a pipe or terminal whose reader has
/// gone, and a closed stream, are no error.
void requirePrinted(bool readerMayLeave);

/// What errors say of this process: the executable's name, its rank and the
/// number of ranks.
void setErrorContext(const char *executable, int rank, int size);

/// Whether this rank is the one that prints what all ranks would, rank 0.
bool speaks();

/// For an error of which ranks cannot agree who reports it: lets rank 0 report
/// it first, and a launcher end the other ranks before they do.
void giveRootALead();

/// For an error that all ranks meet alike: returns on rank 0, which prints it,
/// and exits the others with code 1; a little later, since a launcher ends all
/// processes once one has failed.
void leaveErrorToRoot();

/// The step under way, for messages about it; 0: none.
void setErrorStep(int64_t step);
int64_t errorStep();

/// Called by fatal() before the process exits. It marks the failure for the
/// peers and returns true when this rank is the first one to fail and so the
/// one that prints.
void setFailureHook(bool (*hook)());

/// Called before this rank exits the process by itself, also in a signal's
/// handler.
void setExitHook(void (*hook)());

/// Exits the process at once, without a word.
[[noreturn]] void exitProcess(int code);

/// The executable's name as the user wrote it.
const char *executableName();

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CORE_ERROR_H
