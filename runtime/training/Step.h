//===- Step.h - One training step -------------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_TRAINING_STEP_H
#define TESSERA_RUNTIME_TRAINING_STEP_H

#include "runtime/data/Data.h"
#include "runtime/program/Context.h"
#include "runtime/training/Progress.h"
#include <vector>

namespace tessera::runtime {

/// Where a class that ends before element \p end of \p group ends in what \p
/// rank updates of it: in all of it in stage 0, else in the rank's part.
int64_t classEnd(const Training &training, const Group &group, int64_t end,
                 int rank);

/// Runs the entries of the program "train", with its inputs filled. Nothing is
/// allocated in a step.
class TrainingStep {
public:
  /// Fills the inputs whose `when` is "load". Exits the process where the
  /// program has an input that this runtime does not know.
  TrainingStep(tessera_context &context, BatchSource &source);

  /// Forward, backward and reduction of the global batch that begins where
  /// \p progress, the steps before it, ends. Returns the loss, which is the
  /// same on all ranks, as is the gradient's norm, the output "grad_norm".
  /// Gradients are scaled as the loss is.
  float computeGradients(const Progress &progress);

  /// The optimizer's step.
  void update(const Progress &progress);

  /// The global batch that begins at sample \p position: a rank computes so
  /// many micro-batches of it.
  GlobalBatch batchAt(int64_t position) const;

private:
  void run(const tessera_entry &section, int64_t micro = 0);
  void fill(const char *when, const Progress &progress, int64_t micro = 0);

  tessera_context &context;
  BatchSource &source;
  const tessera_entry &begin, &micro, &reduce, &apply;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_TRAINING_STEP_H
