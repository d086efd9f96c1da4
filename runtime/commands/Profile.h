//===- Profile.h - A trace of some steps ------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_PROFILE_H
#define TESSERA_RUNTIME_COMMANDS_PROFILE_H

#include "runtime/commands/Command.h"
#include "runtime/files/Output.h"
#include "runtime/program/Context.h"
#include "runtime/program/StepRecorder.h"
#include <memory>

namespace tessera::runtime {

/// Numbers from \p first to \p last.
struct ProfileRange {
  int64_t first = 0, last = 0;
  bool holds(int64_t number) const { return number >= first && number <= last; }
};

/// What the options of `train` that are of a profile alone say.
struct ProfileOptions {
  std::string file; ///< empty: nothing is profiled
  std::optional<ProfileRange> steps, ranks;
};
const ProfileOptions &profileOptions();

void storeProfile(Options &options, const std::string &text);
void storeProfileSteps(Options &options, const std::string &text);
void storeProfileRanks(Options &options, const std::string &text);

inline constexpr Option profileOption = {
    "--profile", "FILE",
    "write when the kernels, GEMMs and collectives of some steps ran, as a "
    "Chrome trace",
    storeProfile};
inline constexpr Option profileStepsOption = {
    "--profile-steps", "A..B",
    "of steps A to B (default: the third to the fifth that the run makes)",
    storeProfileSteps};
inline constexpr Option profileRanksOption = {"--profile-ranks", "A..B",
                                              "of ranks A to B (default: 0..7)",
                                              storeProfileRanks};

/// Refuses options that do not go together.
void checkProfileOptions();

/// Exits the process where the options want a profile and this executable's
/// steps cannot be recorded.
void requireProfilable();

/// A profile of a run. All ranks make it and call it alike. Nothing is
/// allocated in a step.
class Profile {
public:
  /// Null where the options want none. Rank 0 opens the file: what cannot be
  /// written exits the process.
  static std::unique_ptr<Profile> open(const tessera_context &context);

  /// Chooses the steps, of a run that makes those from \p done + 1 to \p steps.
  /// Exits the process where it makes none of the wanted ones.
  void choose(int64_t done, int64_t steps);
  /// "steps 3 to 5 of ranks 0 to 7, to 'FILE'".
  std::string describe() const;

  /// Step \p step begins, and ends, on this rank. Records it where it is
  /// chosen.
  void beginStep(int64_t step);
  void endStep(int64_t step);

  /// Whether all chosen steps are made up to \p step, and nothing is written.
  bool isDue(int64_t step) const { return !isWritten && step >= steps.last; }
  /// Writes the steps that were recorded; where there are none, as the run
  /// ended before, warns that there is no file.
  void write();
  /// Whether it is lost that somebody may miss it: the disk was full, say.
  bool failed() const { return isLost; }

private:
  Profile(const tessera_context &context);

  bool records() const { return ranks.holds(context.rank()); }
  std::string pack(std::vector<Span> spans) const;

  const tessera_context &context;
  ProfileRange steps, ranks;
  StepTable table;
  std::unique_ptr<StepClock> clock; ///< of a device
  std::unique_ptr<StepRecorder> recorder;
  OutputFile file; ///< of rank 0
  bool isWritten = false, isLost = false;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_PROFILE_H
