//===- PlanReport.h - The plan for a reader ---------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What `tessera plan` says of a module in phase `plan`: memory, messages,
// arithmetic and predicted time of one rank and one step of the program
// `train`.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_REPORT_PLANREPORT_H
#define TESSERA_REPORT_PLANREPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "report/PeakBuffers.h"
#include "report/Timeline.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include <array>

namespace tessera {

/// A plan's figures, free of the module that they were taken from.
struct PlanReport {
  std::string name;
  int64_t parameters = 0; ///< elements, each once
  int64_t world = 1, stage = 0, accumulation = 1;
  int64_t shards = 1; ///< ranks that states are partitioned over
  /// Parameters with their padding, over all groups.
  int64_t paddedElements = 0;
  int64_t peak = 0; ///< bytes of the arena
  /// The same of a run that validates; 0: it needs no more.
  int64_t validating = 0;
  int64_t offloaded = 0; ///< bytes of the rank's file
  int64_t pinned = 0;    ///< bytes of the host that a rank's GPU reads
  /// What a rank may take, in bytes, where somebody asks; 0: nobody does.
  int64_t limit = 0;
  /// Changes that make training take less, where it takes more than that.
  struct Remedy {
    std::vector<std::string> settings; ///< as --set takes them
    int64_t bytes = 0;                 ///< that training takes then
  };
  std::vector<Remedy> remedies;
  /// The largest buffers in use when most is.
  std::vector<PeakBuffer> peakBuffers;
  std::array<int64_t, plan::stepCategoryCount> memory = {};
  int64_t flops = 0;
  /// How many of the layers are recomputed in the backward pass, and how many
  /// as far as it is cheap.
  int64_t layers = 0, layersRecomputed = 0, layersCheap = 0;
  /// What one step of all ranks learns from, and what that is: tokens, nodes of
  /// a graph that is sampled, or whole graphs, which are epochs.
  int64_t units = 1;
  llvm::StringRef unit = "epochs";
  int64_t steps = 0;     ///< of the whole schedule
  bool isNarrow = false; ///< training computes with 16-bit numbers

  struct Collective {
    std::string kind, group; ///< group: "" for none
    int64_t elements = 0;
    int64_t ranks = 1; ///< that it is among
    int64_t bytes = 0; ///< that a rank receives each time
    int64_t times = 1;
  };
  std::vector<Collective> collectives;

  /// Persistent memory of one kind, over all groups.
  struct State {
    std::string state;
    int64_t bytes = 0;
    int64_t wholeBytes = 0; ///< of those, what every rank keeps whole
  };
  std::vector<State> states;

  struct Group {
    std::string name;
    int64_t parameters = 0, elements = 0, padded = 0;
    int64_t bucketBytes = 0;    ///< of its whole gradients
    int64_t parameterBytes = 0; ///< as a rank keeps them
    bool isSharded = false;     ///< a rank keeps a part
    /// It is small, so that every rank keeps it whole.
    bool staysWhole = false;
    /// One parameter has more than the specification's `bucket_bytes`.
    bool exceedsLimit = false;
  };
  std::vector<Group> groups;

  Machine machine;
  Prediction predicted;

  /// Bytes that a rank receives in a step.
  int64_t getVolume() const;
  /// Units per second of all ranks, as predicted.
  double getThroughput() const;
  /// The same for a reader, without the unit.
  std::string formatThroughput() const;

  /// Model FLOPs utilisation: a step's operations over what a rank could do in
  /// its time in its type of numbers.
  double getUtilisation() const;

  /// Fails with a diagnostic where the module has no program `train`.
  static mlir::FailureOr<PlanReport> make(mlir::ModuleOp module);
};

/// A line for each of \p remedies: what it takes, and whether that is within
/// \p limit.
void printRemedies(llvm::ArrayRef<PlanReport::Remedy> remedies, int64_t limit,
                   llvm::raw_ostream &out);

/// Tables for a terminal.
void printPlanText(const PlanReport &report, llvm::raw_ostream &out);

/// JSON (docs/plan.md).
void printPlanJson(const PlanReport &report, llvm::raw_ostream &out);

/// The part of it that a row of a sweep has too: memory, volume and times.
void writePlanFigures(const PlanReport &report, llvm::json::OStream &json);

} // namespace tessera

#endif // TESSERA_REPORT_PLANREPORT_H
