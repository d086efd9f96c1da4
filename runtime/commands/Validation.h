//===- Validation.h - Measuring while a run trains --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Between steps the program `validate` measures the model, on other data or on
// the splits of the graph, in the arena of the training (docs/runtime.md).
// Which of the measurements was best, and how many were not better since, is
// part of a run's progress, so that a resumed run chooses and stops as one that
// was never interrupted.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_VALIDATION_H
#define TESSERA_RUNTIME_COMMANDS_VALIDATION_H

#include "runtime/commands/Command.h"
#include "runtime/commands/Log.h"
#include "runtime/data/Data.h"
#include "runtime/program/Context.h"
#include "runtime/training/Progress.h"
#include <memory>

namespace tessera::runtime {

/// What the options of `train` that are of validation alone say.
struct ValidationOptions {
  std::string data;                             ///< empty: not given
  int64_t every = 0, samples = 0, patience = 0; ///< 0: not given
  bool keepBest = false;
};
const ValidationOptions &validationOptions();

void storeEvalData(Options &options, const std::string &text);
void storeEvalEvery(Options &options, const std::string &text);
void storeEvalSamples(Options &options, const std::string &text);
void storeKeepBest(Options &options, const std::string &text);
void storePatience(Options &options, const std::string &text);

inline constexpr char graphsHaveSplits[] =
    "what a graph is measured on are its own splits, as often as --eval-every "
    "K says";
inline constexpr Option evalDataOption = ofTexts<graphsHaveSplits>(
    {"--eval-data", "PATH",
     "measure loss and accuracy on other data while training goes on",
     storeEvalData});
inline constexpr Option evalEveryOption = {
    "--eval-every", "K",
    "every K steps (default 100), and after the last one; of a graph on its "
    "splits",
    storeEvalEvery};
inline constexpr Option evalSamplesOption = ofTexts<graphsHaveSplits>(
    {"--eval-samples", "N", "on its first N samples (default: all)",
     storeEvalSamples});
inline constexpr Option keepBestOption = {
    "--keep-best", nullptr,
    "keep the checkpoint of the least val_loss, too, as DIR/best",
    storeKeepBest};
inline constexpr Option patienceOption = {
    "--patience", "P",
    "end the run after P measurements in a row that are not better",
    storePatience};

class Validation {
public:
  virtual ~Validation() = default;

  /// The bytes of an arena that has room for what the options ask for; 0 where
  /// they ask for nothing.
  static int64_t arenaBytes(const Manifest &manifest);

  /// What \p options ask for, with the program in the arena of \p training;
  /// null where they ask for nothing. \p source is what is learned from. What
  /// \p progress knows of other data is forgotten, with a warning. Exits the
  /// process on data that does not fit the model. All ranks call it, as run().
  static std::unique_ptr<Validation> open(const tessera_context &training,
                                          const Options &options,
                                          const BatchSource &source,
                                          Progress &progress);

  /// Whether the model is measured after \p step of \p steps.
  bool isDue(int64_t step, int64_t steps) const {
    return step > 0 && (step % every() == 0 || step == steps);
  }

  enum class Outcome { Done, Better, Stopped, Failed };
  /// Measures the model after \p step for \p report and \p progress. Stopped:
  /// a signal came meanwhile, whose bits are in \p stopBits, and nothing is
  /// measured. Failed: some rank could not read the data; this one's reason, or
  /// null, is error().
  Outcome run(int64_t step, Progress &progress, StepReport &report,
              uint8_t &stopBits);
  virtual const char *error() const { return nullptr; }

  /// Whether measurements have not been better for as many times as the user
  /// has patience.
  bool isInVain(const Progress &progress) const {
    int64_t patience = validationOptions().patience;
    return patience && progress.validation.withoutBetter >= patience;
  }

  /// For people: what is measured, and how often.
  std::string describe() const;
  /// The best one, and where its checkpoint is; ends a line.
  std::string describeBest(const Progress &progress,
                           const Options &options) const;

protected:
  static int64_t every();
  explicit Validation(DataFingerprint data) : data(data) {}
  /// Fills the report's measurements, of which the one that decides comes
  /// first.
  virtual Outcome measure(StepReport &report, uint8_t &stopBits) = 0;
  virtual std::string describeData() const = 0;

private:
  DataFingerprint data;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_VALIDATION_H
