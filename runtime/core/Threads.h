//===- Threads.h - The rank's threads ------------------------- -*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One pool of threads for everything: libgomp's, which Debian's oneDNN uses
// too, so that kernels and GEMMs never fight over the cores.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CORE_THREADS_H
#define TESSERA_RUNTIME_CORE_THREADS_H

#include <cstdint>

namespace tessera::runtime {

/// A body computes [begin, end) on thread \p thread.
using RangeBody = void (*)(void *data, int64_t begin, int64_t end, int thread);

/// The threads that a rank takes: \p wanted, or where that is 0 the cores of
/// the node over its \p ranksOnNode, at least 1, at most those it may run on.
int threadCount(int wanted, int ranksOnNode);

/// The cores that this process may run on, at least 1.
int allowedCores();

/// Sets the size of the pool. Called once, before the first parallel call.
///
/// From then on subnormal numbers (fp32: below 2^-126) count as zero, read or
/// written, on the thread that calls it and those of the pool. An operation on
/// one takes a CPU some 100 cycles, and AdamW's first moment of a parameter
/// without a gradient, a dead unit's for example, becomes one after some 800
/// steps and stays it: 0.9 times the smallest rounds to the smallest. What such
/// a moment adds to a parameter is far below the last place of that.
void setThreads(int threads);

/// libgomp's waiting threads spin for milliseconds, which costs a step many
/// times its length where another process wants a core. It reads the limit
/// from the environment when it is loaded, so this sets one and starts the
/// process anew, unless the user has chosen (GOMP_SPINCOUNT, OMP_WAIT_POLICY)
/// or \p threads is 1. Called before anything else happens.
void limitSpinning(int threads, char **argv);

/// Has no signal interrupt the thread that calls it: they are for the one that
/// computes.
void leaveSignalsToOthers();

/// Runs \p body over [0, count): each thread takes chunks (multiples of
/// \p grain) of its own contiguous part, then helps the others.
void parallelFor(int64_t count, int64_t grain, RangeBody body, void *data);

/// The same with a lambda (begin, end).
template <typename Body>
void parallelFor(int64_t count, int64_t grain, Body &&body) {
  parallelFor(
      count, grain,
      [](void *data, int64_t begin, int64_t end, int) {
        (*static_cast<Body *>(data))(begin, end);
      },
      const_cast<void *>(static_cast<const void *>(&body)));
}

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CORE_THREADS_H
