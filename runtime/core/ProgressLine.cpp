//===- ProgressLine.cpp - How far long work is ----------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/ProgressLine.h"
#include <unistd.h>

namespace tessera::runtime {

ProgressLine::ProgressLine()
    : ProgressLine(STDERR_FILENO, isatty(STDERR_FILENO),
                   isatty(STDERR_FILENO) ? 1 : 30) {}

ProgressLine::ProgressLine(int descriptor, bool isTerminal, double seconds)
    : descriptor(descriptor), isTerminal(isTerminal), interval(seconds) {}

/// Nobody waits for its reader to come back.
static bool writeText(int descriptor, const std::string &text) {
  return ::write(descriptor, text.data(), text.size()) ==
         static_cast<ssize_t>(text.size());
}

void ProgressLine::write(const std::string &text) {
  shown = Clock::now();
  std::string line = isTerminal ? "\r" + text : text + "\n";
  // Blanks cover what a longer text has left.
  if (isTerminal && length > text.size())
    line.append(length - text.size(), ' ');
  length = isTerminal ? text.size() : 0;
  if (!writeText(descriptor, line))
    descriptor = -1;
}

void ProgressLine::end() {
  if (length && descriptor >= 0)
    writeText(descriptor, "\n");
  length = 0;
}

} // namespace tessera::runtime
