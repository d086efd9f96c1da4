//===- Profile.cpp - A trace of some steps --------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/Profile.h"
#include "runtime/abi.h"
#include "runtime/commands/Trace.h"
#include "runtime/core/Error.h"
#include "runtime/core/Text.h"
#include <algorithm>
#include <cinttypes>
#include <limits>
#include <utility>

namespace tessera::runtime {

/// What is recorded unless the user says otherwise: first steps wait for pages
/// and caches.
static constexpr int64_t firstStep = 3, lastStep = 5, lastRank = 7;
/// Memory that a rank may take for it.
static constexpr int64_t mostBytes = int64_t(1) << 30;

static ProfileOptions asked;

const ProfileOptions &profileOptions() { return asked; }

/// "3..5", or "3" for it alone.
static ProfileRange readRange(const char *option, const std::string &text,
                              int64_t least) {
  size_t dots = text.find("..");
  ProfileRange range;
  range.first = readInteger(option, text.substr(0, dots), least);
  range.last = dots == text.npos
                   ? range.first
                   : readInteger(option, text.substr(dots + 2), least);
  if (range.last < range.first ||
      range.last > std::numeric_limits<int32_t>::max())
    refuseCommandLine("%s %s: the second number is %s", option, text.c_str(),
                      range.last < range.first ? "the smaller one"
                                               : "too large");
  return range;
}

void storeProfile(Options &, const std::string &text) { asked.file = text; }

void storeProfileSteps(Options &, const std::string &text) {
  asked.steps = readRange("--profile-steps", text, 1);
}

void storeProfileRanks(Options &, const std::string &text) {
  asked.ranks = readRange("--profile-ranks", text, 0);
}

void checkProfileOptions() {
  if (asked.file.empty() && (asked.steps || asked.ranks))
    refuseCommandLine("%s needs --profile FILE, where the profile goes",
                      asked.steps ? "--profile-steps" : "--profile-ranks");
}

void requireProfilable() {
  if (asked.file.empty())
    return;
  if (!tessera_steps)
    refuseCommandLine("%s", "--profile needs to know what the steps are, and "
                            "this executable does not say it: compile the "
                            "specification again");
}

Profile::Profile(const tessera_context &context)
    : context(context), table(StepTable::parse(tessera_steps)) {}

std::unique_ptr<Profile> Profile::open(const tessera_context &context) {
  if (asked.file.empty())
    return nullptr;
  std::unique_ptr<Profile> profile(new Profile(context));
  profile->ranks = asked.ranks.value_or(ProfileRange{0, lastRank});
  int64_t end = context.size() - 1;
  if (profile->ranks.first > end)
    refuseCommandLine("--profile-ranks: this run has no rank %" PRId64
                      ", its last one is %" PRId64,
                      profile->ranks.first, end);
  profile->ranks.last = std::min(profile->ranks.last, end);
  if (context.rank() == 0 && !profile->file.open(asked.file, 0))
    fatal("--profile: %s", profile->file.error().c_str());
  return profile;
}

void Profile::choose(int64_t done, int64_t last) {
  if (last <= done) { // no step is made
    steps = asked.steps.value_or(ProfileRange{done + 1, done + 1});
    return;
  }
  steps = asked.steps.value_or(ProfileRange{std::min(done + firstStep, last),
                                            std::min(done + lastStep, last)});
  if (steps.first > last || steps.last <= done)
    refuseCommandLine("--profile-steps %" PRId64 "..%" PRId64
                      ": this run makes the steps %" PRId64 " to %" PRId64,
                      steps.first, steps.last, done + 1, last);
  steps.first = std::max(steps.first, done + 1);
  steps.last = std::min(steps.last, last);
  if (!records())
    return;
  const Training &training = context.manifest->training;
  int64_t spans = 2; // the step and the meeting
  for (const StepTable::Section &section : table.sections) {
    // Itself and the inputs before it, on a device also what issues it.
    int64_t own = section.calls + 3;
    for (const Slot &slot : context.program->inputs)
      own += slot.when == section.name;
    spans += own * (section.name == "micro" ? training.accumulation : 1);
  }
  int64_t bytes = spans * static_cast<int64_t>(sizeof(Span));
  int64_t count = steps.last - steps.first + 1;
  if (count > mostBytes / bytes)
    refuseCommandLine("--profile-steps %" PRId64 "..%" PRId64
                      ": a step takes %s of memory to record: give at most "
                      "%" PRId64 " steps",
                      steps.first, steps.last, byteText(double(bytes)).c_str(),
                      mostBytes / bytes);
  clock = context.device->makeStepClock(2 * spans);
  recorder = std::make_unique<StepRecorder>(table, spans * count, clock.get());
}

/// "step 3", "steps 3 to 5".
static std::string describeRange(const char *what, ProfileRange range) {
  std::string first = std::to_string(range.first);
  if (range.first == range.last)
    return what + (" " + first);
  return std::string(what) + "s " + first + " to " + std::to_string(range.last);
}

std::string Profile::describe() const {
  std::string text = describeRange("step", steps);
  if (context.size() > 1)
    text += " of " + describeRange("rank", ranks);
  return text + ", to '" + asked.file + "'";
}

void Profile::beginStep(int64_t step) {
  if (recorder && steps.holds(step))
    recorder->beginStep(step);
}

void Profile::endStep(int64_t step) {
  if (recorder && steps.holds(step))
    recorder->endStep();
}

void Profile::write() {
  if (isWritten)
    return;
  isWritten = true;
  StepRecorder::active = nullptr;
  Communicator &communicator = *context.communicator;
  std::vector<Span> own;
  if (recorder)
    own = recorder->take();
  recorder.reset();
  clock.reset();
  std::vector<ClockOffset> clocks = compareClocks(communicator);
  std::vector<std::string> all =
      communicator.collect(packSpans(std::move(own)));
  if (context.rank() != 0)
    return;
  std::vector<std::vector<Span>> spans;
  int64_t start = std::numeric_limits<int64_t>::max();
  for (size_t rank = 0; rank < all.size(); ++rank) {
    spans.push_back(unpackSpans(all[rank]));
    if (!spans.back().empty())
      start = std::min(start,
                       spans.back().front().begin - clocks[rank].nanoseconds);
  }
  if (start == std::numeric_limits<int64_t>::max()) {
    warning("the run ended before %s: there is no profile '%s'",
            describeRange("step", steps).c_str(), asked.file.c_str());
    return;
  }
  const Manifest &manifest = *context.manifest;
  TraceRun run = {manifest.name,
                  context.size(),
                  manifest.training.stage,
                  context.threads,
                  manifest.training.accumulation,
                  context.program->arenaBytes,
                  context.device->isAsynchronous()};
  TraceText trace(table, run, start);
  bool isWhole = true;
  auto put = [&](const std::string &text) {
    isWhole =
        isWhole && file.write(text.data(), static_cast<int64_t>(text.size()));
  };
  const char *separator = "";
  put(trace.begin(clocks));
  for (size_t rank = 0; rank < spans.size(); ++rank) {
    if (spans[rank].empty())
      continue;
    put(std::exchange(separator, TraceText::separator()));
    put(trace.rank(static_cast<int>(rank), std::move(spans[rank]),
                   clocks[rank]));
  }
  put(trace.end());
  // The run is worth more than its profile.
  isLost = !isWhole || !file.commit();
  if (isLost)
    warning("%s: there is no profile; the run goes on, and ends with code 1",
            file.error().c_str());
}

} // namespace tessera::runtime
