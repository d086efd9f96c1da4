//===- StopSignals.h - Signals that end a run -------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// SIGTERM, SIGINT and SIGHUP. What is ignored when the process starts, as by
// nohup, stays ignored.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_STOPSIGNALS_H
#define TESSERA_RUNTIME_COMMANDS_STOPSIGNALS_H

#include <cstdint>

namespace tessera::runtime {

/// Has them end the process, with unfinished outputs (Output.h) removed. Called
/// before any output is opened.
void catchStopSignals();

/// Holds them back while ranks find each other, since mpirun may wait for ever
/// where a process ends in the middle of its greeting. Without end it holds
/// none: five seconds, or until the next one.
class StopSignalHold {
public:
  StopSignalHold();
  ~StopSignalHold();
  StopSignalHold(const StopSignalHold &) = delete;
  StopSignalHold &operator=(const StopSignalHold &) = delete;
};

/// From now on they are only noted.
void deferStopSignals();

/// A signal that is noted, for Communicator::agree: one of the bits of
/// stopBits, or 0.
uint8_t notedStop();
inline constexpr uint8_t stopBits = 0xe0;

/// The signal of the bits that all ranks have; 0 where they have none.
int stopSignal(uint8_t bits);

/// "SIGTERM".
const char *stopSignalName(int number);

/// Writes all \p bytes to a pipe or a terminal, but waits for no reader once a
/// signal is noted: a launcher that ends its ranks, say, reads no more. False,
/// with errno (EINTR for that), where not all is written.
bool writeUnlessStopped(int descriptor, const void *data, int64_t bytes);

/// Has writes beyond the limit of a file's size fail, where they would end the
/// process; those to a closed pipe too if \p pipes.
void ignoreWriteSignals(bool pipes);

/// Sees to it that no other file gets the number of a standard stream that is
/// closed.
void holdStandardStreams();

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_STOPSIGNALS_H
