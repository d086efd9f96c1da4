//===- Step.h - One training step -------------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_STEP_H
#define TESSERA_RUNTIME_STEP_H

#include "runtime/Context.h"
#include "runtime/Data.h"
#include <vector>

namespace tessera {

/// Runs the entries of the program "train", with its inputs filled. Nothing is
/// allocated in a step.
class TrainingStep {
public:
  /// Fills the inputs whose `when` is "load". Ends the process where the
  /// program has an input that this runtime does not know.
  TrainingStep(tsr_context &context, BatchSource &source);

  /// Forward, backward and reduction of the global batch that begins at
  /// sample \p position; \p step counts from 1.
  void computeGradients(int64_t step, int64_t position);

  /// The optimizer's step.
  void update(int64_t step, int64_t position);

private:
  void fill(const char *when, int64_t step, int64_t position, int64_t micro);

  tsr_context &context;
  BatchSource &source;
  const tsr_entry &begin, &micro, &reduce, &apply;
};

} // namespace tessera

#endif // TESSERA_RUNTIME_STEP_H
