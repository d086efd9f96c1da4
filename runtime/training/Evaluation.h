//===- Evaluation.h - Loss and accuracy without learning --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the programs `eval`, of one rank, and `validate`, of the ranks that
// train, are run for.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_TRAINING_EVALUATION_H
#define TESSERA_RUNTIME_TRAINING_EVALUATION_H

#include "runtime/data/TokenFile.h"
#include "runtime/program/Context.h"
#include <functional>
#include <optional>
#include <span>
#include <string>

namespace tessera::runtime {

/// The inputs of an evaluation by name, and its run.
class Evaluation {
public:
  /// Of the program of \p context.
  explicit Evaluation(tessera_context &context);

  /// Exits the process where the program has no such input.
  const Slot &input(const char *name) const;
  /// Has \p write(address) fill the input at `address`.
  template <typename Write> void fill(const Slot &slot, Write write) {
    write(context.device->beginInput(context, slot));
    context.device->commitInput(context, slot);
  }
  /// Runs it for a loss that is the mean over \p targets; of none it is 0.
  void run(int64_t targets);

  tessera_context &context;

private:
  const tessera_entry &entry;
};

/// How well targets are predicted.
struct Score {
  double loss = 0; ///< the mean
  /// The part of them that is the likeliest; NaN where the program does not
  /// count it.
  double accuracy = 0;
};

/// The first samples of a file of tokens, dealt to the ranks batch by batch.
class TokenEvaluation {
public:
  /// At most \p limit samples, all where it is 0. Exits the process where the
  /// file has none.
  TokenEvaluation(tessera_context &context, const TokenFile &file,
                  int64_t limit);

  int64_t sampleCount() const { return samples; }
  /// Targets of these.
  int64_t targetCount() const { return samples * length; }

  /// What is to be done meanwhile; each may be null.
  struct Hooks {
    /// Gets the targets of each batch of this rank.
    std::function<void(std::span<const int32_t>)> see;
    /// Called after each round with the samples that are done; false, on all
    /// ranks alike, gives the evaluation up.
    std::function<bool(int64_t done)> goOn;
  };

  /// The score, the same on all ranks, which call it alike. Nothing where it
  /// was given up or, on some rank, the data could not be read: see failed().
  std::optional<Score> run(const Hooks &hooks);

  /// Whether some rank could not read the data.
  bool failed() const { return anyFailed; }
  /// Why this one could not; null where it could.
  const char *error() const {
    return reason.empty() ? nullptr : reason.c_str();
  }

private:
  void fill(const char *name, int32_t unused, int64_t shift, int64_t first,
            int64_t rows, const Hooks &hooks);

  Evaluation evaluation;
  const TokenFile &file;
  int64_t length, batch, samples;
  std::string reason;
  bool anyFailed = false;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_TRAINING_EVALUATION_H
