//===- Evaluation.h - How well targets are predicted ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the programs `eval`, of one rank, and `validate`, of the ranks that
// train, are run for. They say of each row, a token or a node, how likely its
// target is and whether it is the likeliest; all sums are the host's, in fp64.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_TRAINING_EVALUATION_H
#define TESSERA_RUNTIME_TRAINING_EVALUATION_H

#include "runtime/data/Graph.h"
#include "runtime/data/TokenFile.h"
#include "runtime/program/Context.h"
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tessera::runtime {

/// Runs one of these programs on inputs that its user fills.
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
  void run();

  /// What the last run has found for \p row: the logarithm of its target's
  /// probability, 0 without a target, and whether it is the likeliest.
  double logProbability(int64_t row) const { return logProbabilities[row]; }
  bool isCorrect(int64_t row) const { return correct[row] != 0; }

  tessera_context &context;

private:
  void read(const char *name, std::vector<float> &values) const;

  const tessera_entry &entry;
  std::vector<float> logProbabilities, correct;
};

/// How well targets are predicted.
struct Score {
  double loss = 0;     ///< the mean
  double accuracy = 0; ///< the part of them that is the likeliest
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

  /// What is found for a sample.
  struct Sample {
    int64_t index;
    std::span<const int32_t> targets;
    double logProbability; ///< the sum over the targets
    int64_t correct;       ///< of them
  };

  /// What is to be done meanwhile; each may be null.
  struct Hooks {
    /// Gets the samples of this rank, in order.
    std::function<void(const Sample &)> see;
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
  void read(int64_t first, int64_t rows);
  void fill(const char *name, int32_t unused, int64_t shift, int64_t rows);

  Evaluation evaluation;
  const TokenFile &file;
  int64_t length, batch, samples;
  /// The tokens of each sample of a batch, one more than its targets.
  std::vector<int32_t> tokens;
  std::string reason;
  bool anyFailed = false;
};

/// A score of a split that is called \p name.
struct SplitScore {
  const char *name = "";
  Score score;
};

/// The splits of a graph, of which every rank computes all nodes.
class GraphEvaluation {
public:
  /// Reads the graph at \p path. Exits the process where it does not fit the
  /// model. \p warns: see Graph.
  GraphEvaluation(tessera_context &context, const std::string &path,
                  bool warns);

  const Graph &data() const { return graph; }
  /// Fills the inputs that depend on the graph alone, as other uses of the
  /// memory must be over: called once.
  void load();

  /// The scores of those of \p splits that have nodes, in that order.
  std::vector<SplitScore> run(std::span<const char *const> splits);

private:
  Evaluation evaluation;
  Graph graph;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_TRAINING_EVALUATION_H
