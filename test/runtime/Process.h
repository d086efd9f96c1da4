//===- Process.h - Running executables in tests -----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_RUNTIME_PROCESS_H
#define TESSERA_TEST_RUNTIME_PROCESS_H

#include <string>
#include <sys/types.h>
#include <vector>

struct Result {
  int code = -1;      ///< exit code, or 128 + the signal
  std::string text;   ///< standard output and error together
  double seconds = 0; ///< that finish() waited
};

/// A child process with its output in a file.
class Process {
public:
  /// Starts \p command (found on the path), with NAME=VALUE pairs added to the
  /// environment.
  Process(const std::vector<std::string> &command,
          const std::vector<std::string> &environment = {});
  ~Process();

  pid_t id() const { return child; }
  /// What it has printed up to now.
  std::string text() const;
  /// Waits until the output holds \p part; false when it ends before or the
  /// time is up.
  bool waitFor(const std::string &part, double seconds = 60);
  /// Waits for the end; one that takes over \p seconds is killed.
  Result finish(double seconds = 120);

private:
  pid_t child;
  std::string path;
  bool ended = false;
  int status = 0;
  bool poll();
};

/// Runs a command to its end.
Result run(const std::vector<std::string> &command,
           const std::vector<std::string> &environment = {});

/// The children of a process.
std::vector<pid_t> childrenOf(pid_t parent);

/// Waits until a process that is no child of this one has exited, also where
/// nobody has waited for it; false when it runs on after \p seconds.
bool endsWithin(pid_t process, double seconds);

#endif // TESSERA_TEST_RUNTIME_PROCESS_H
