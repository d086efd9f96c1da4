//===- ProgressLine.h - How far long work is --------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CORE_PROGRESSLINE_H
#define TESSERA_RUNTIME_CORE_PROGRESSLINE_H

#include <chrono>
#include <string>

namespace tessera::runtime {

/// Says on the standard error how far work is that takes long: on a terminal a
/// line that is written over each second, elsewhere a line every 30 seconds.
/// Short work says nothing.
class ProgressLine {
public:
  ProgressLine();
  /// What to write to, and how many seconds apart; -1: nowhere.
  ProgressLine(int descriptor, bool isTerminal, double seconds);
  ~ProgressLine() { end(); }
  ProgressLine(const ProgressLine &) = delete;
  ProgressLine &operator=(const ProgressLine &) = delete;

  /// Writes \p text(seconds since the beginning), if it is time to.
  template <typename Text> void show(Text text) {
    if (isDue())
      write(text(seconds()));
  }
  /// Leaves the line as it is; what is written next begins a new one.
  void end();

  double seconds() const {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

private:
  using Clock = std::chrono::steady_clock;
  bool isDue() const {
    return descriptor >= 0 && Clock::now() - shown >= interval;
  }
  void write(const std::string &text);

  int descriptor;
  bool isTerminal;
  std::chrono::duration<double> interval;
  Clock::time_point start = Clock::now(), shown = start;
  size_t length = 0; ///< of a line that is written over
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CORE_PROGRESSLINE_H
