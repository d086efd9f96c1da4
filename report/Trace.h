//===- Trace.h - What a profile has recorded --------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_REPORT_TRACE_H
#define TESSERA_REPORT_TRACE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <optional>
#include <string>
#include <vector>

namespace tessera {

/// A trace as `train --profile` writes it (docs/runtime.md). Times are seconds
/// from its first event, of one clock.
struct Trace {
  /// Where an event is shown.
  enum Row { Steps, Computation, Communication, Offload, Host };

  struct Event {
    std::string name, kind;
    std::string layer; ///< "" for none
    Row row = Steps;
    double begin = 0, end = 0;
    int64_t planStep = -1; ///< among the steps of the plan; -1: none of these
    int64_t micro = 0;     ///< the micro-batch, from 0
    double flops = 0, bytes = 0;
    bool waits = false;   ///< no computation goes on meanwhile
    bool isAside = false; ///< goes on beside what the row Computation has

    double seconds() const { return end - begin; }
  };

  /// A training step of one rank.
  struct Step {
    int64_t rank = 0, number = 0;
    double begin = 0, end = 0;
    std::vector<Event> sections; ///< "begin", "micro", "reduce", "update"
    std::vector<Event> events;   ///< all others, in the order of their begin

    double seconds() const { return end - begin; }
  };

  std::string model;
  bool isOnDevice = false; ///< each rank has a device, whose streams are rows
  int64_t world = 1, stage = 0, microBatches = 1, threads = 1;
  int64_t reserved = 0;    ///< bytes of a rank's arena
  double uncertainty = 0;  ///< seconds that clocks of ranks may be apart
  std::vector<Step> steps; ///< by rank, then number

  /// The ranks that were recorded, ascending.
  std::vector<int64_t> getRanks() const;
  /// The step of \p rank that took the median time.
  const Step &getMedian(int64_t rank) const;
};

/// The trace that the file \p path holds; nothing where the file is no trace;
/// an error where it is a broken one, or cannot be read.
llvm::Expected<std::optional<Trace>> readTrace(llvm::StringRef path);

} // namespace tessera

#endif // TESSERA_REPORT_TRACE_H
