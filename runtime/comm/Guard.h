//===- Guard.h - Calls of a library that may never return -------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMM_GUARD_H
#define TESSERA_RUNTIME_COMM_GUARD_H

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace tessera::runtime {

/// A thread that looks after the peers while this rank is in a call that waits
/// for them by itself, and exits the process where that is in vain.
class Guard {
public:
  /// \p look exits the process if a peer has failed or died. It runs in
  /// sections only, from 50 ms on, beside nothing else that the rank does.
  explicit Guard(std::function<void()> look);
  ~Guard();

  /// Stands around such a call, which \p what names in messages.
  class Section {
  public:
    Section(Guard &guard, const char *what);
    ~Section();
    Section(const Section &) = delete;

  private:
    Guard &guard;
  };

private:
  void run();

  std::function<void()> look;
  std::mutex mutex;
  std::condition_variable ending;
  bool ended = false;
  const char *what = nullptr; ///< null outside of sections
  std::chrono::steady_clock::time_point begin;
  std::thread thread;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMM_GUARD_H
