//===- Terminal.h - The terminal that a run is watched on -------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_TERMINAL_H
#define TESSERA_RUNTIME_COMMANDS_TERMINAL_H

namespace tessera::runtime {

/// Where what is printed gets to: the terminal of the standard streams, or that
/// of mpirun on this node, which reads them through pipes and hands on what it
/// reads, so that only one stream keeps its order.
class Terminal {
public:
  Terminal() = default;
  ~Terminal();
  Terminal(const Terminal &) = delete;
  Terminal &operator=(const Terminal &) = delete;

  /// Looks for it. Lines are printed on standard output; \p linesToError: which
  /// has become standard error.
  void find(bool linesToError);

  /// The stream on which a line that is drawn over gets to the terminal; -1:
  /// none does.
  int barStream() const { return bar; }
  /// Columns that a line on standard output has; 0: as many as it likes.
  int lineColumns() const;
  /// The same of the bar.
  int barColumns() const;

private:
  void findBehind(int launcher, bool linesToError);

  int bar = -1;
  /// Open on the terminal that they get to, or a standard stream; -1: none.
  int lineTerminal = -1, barTerminal = -1;
  int opened = -1; ///< to be closed
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_TERMINAL_H
