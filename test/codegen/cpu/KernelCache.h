//===- KernelCache.h - Kernels that are compiled once -----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_CODEGEN_CPU_KERNELCACHE_H
#define TESSERA_TEST_CODEGEN_CPU_KERNELCACHE_H

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace tessera::test {

/// Kernels by their text, each made once, however many tests run it.
template <typename Kernel> class KernelCache {
public:
  ~KernelCache() { stop(); }

  Kernel &get(const std::string &source) {
    Entry &entry = find(source);
    std::call_once(entry.once,
                   [&] { entry.kernel = std::make_unique<Kernel>(source); });
    return *entry.kernel;
  }

  /// Has the other cores make the kernels of \p sources until stop() is called,
  /// the last one first, as tests begin with the first.
  void start(std::vector<std::string> sources) {
    stop();
    wanted = std::move(sources);
    left = std::ssize(wanted);
    unsigned others = std::thread::hardware_concurrency();
    for (unsigned i = 1; i < std::max(others, 1U); ++i)
      workers.emplace_back([this] {
        for (ptrdiff_t next; !stopped && (next = --left) >= 0;)
          get(wanted[next]);
      });
  }

  void stop() {
    stopped = true;
    for (std::thread &worker : workers)
      worker.join();
    workers.clear();
    stopped = false;
  }

private:
  struct Entry {
    std::once_flag once;
    std::unique_ptr<Kernel> kernel;
  };

  Entry &find(const std::string &source) {
    std::lock_guard lock(mutex);
    return entries[source];
  }

  std::mutex mutex;
  std::map<std::string, Entry> entries;
  std::vector<std::string> wanted;
  std::atomic<ptrdiff_t> left = 0;
  std::atomic<bool> stopped = false;
  std::vector<std::thread> workers;
};

} // namespace tessera::test

#endif // TESSERA_TEST_CODEGEN_CPU_KERNELCACHE_H
