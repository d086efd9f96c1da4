//===- StepRecorder.h - When the steps of training run ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A profile is recorded where the runtime is called: by each function of abi.h
// that a program's sections call, and by what goes on between the sections.
// Where no step is recorded that costs a test of a pointer a call. On a device
// a call only issues work, which the device's StepClock times.
//
// All of it is in this header, as the compiler, which runs GEMMs too, links
// those functions without the runtime.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_PROGRAM_STEPRECORDER_H
#define TESSERA_RUNTIME_PROGRAM_STEPRECORDER_H

#include "runtime/abi.h"
#include "runtime/program/StepClock.h"
#include "runtime/program/StepTable.h"
#include <chrono>
#include <cstring>
#include <vector>

namespace tessera::runtime {

/// Something that took time.
struct Span {
  // What is no call.
  static constexpr int32_t step = -1;    ///< a whole step
  static constexpr int32_t inputs = -2;  ///< the host fills inputs
  static constexpr int32_t meeting = -3; ///< the ranks agree that all is well
  static constexpr int32_t copy = -4;    ///< inputs go to the device
  static constexpr int32_t issue = -5;   ///< the host issues a section
  /// Section s of the table is firstSection - s.
  static constexpr int32_t firstSection = -8;

  int64_t begin = 0, end = 0; ///< nanoseconds of the steady clock
  int32_t what = 0;  ///< the number of a call in the StepTable, or as above
  int32_t micro = 0; ///< the micro-batch, from 0; of a step its number
  bool operator==(const Span &) const = default;
};

/// Keeps when the calls of some steps began and ended, in memory that is there
/// before.
class StepRecorder {
public:
  /// Has room for \p capacity spans; more are lost. \p clock times what is
  /// issued to a device; null on CPUs.
  StepRecorder(const StepTable &table, int64_t capacity,
               StepClock *clock = nullptr)
      : table(table), clock(clock) {
    // Its pages are there before the first step.
    spans.resize(capacity);
    spans.clear();
  }

  /// What is called from here on belongs to a step, whose number fits 31 bits.
  void beginStep(int64_t number) {
    stepNumber = static_cast<int32_t>(number);
    spans.resize(whole);
    micro = 0;
    active = this;
    stepBegin = clock ? clock->beginStep() : now();
  }
  /// Ends it, once the device is done with it; only then is it kept.
  void endStep() {
    active = nullptr;
    if (clock)
      clock->endStep();
    micro = stepNumber;
    add({stepBegin, now(), Span::step});
    if (clock)
      readClock();
    whole = spans.size();
  }

  /// The spans of whole steps, each behind those within it.
  std::vector<Span> take() {
    spans.resize(whole);
    return std::move(spans);
  }

  /// The one that records the current step; null: none does.
  inline static StepRecorder *active = nullptr;

  /// The number of the call that is made now.
  static int32_t takeCall() {
    if (active) [[unlikely]]
      return active->nextCall++;
    return 0;
  }

  static int64_t now() {
    return std::chrono::steady_clock::now().time_since_epoch().count();
  }

private:
  friend class RecordedSpan;
  friend class RecordedWork;
  friend class RecordedSection;

  void add(Span span) {
    span.micro = micro;
    if (spans.size() < spans.capacity())
      spans.push_back(span);
  }
  int64_t begin(Lane lane) { return clock ? clock->markBegin(lane) : now(); }
  int64_t end(Lane lane) { return clock ? clock->markEnd(lane) : now(); }

  /// Whether the begin and end of \p what are marks of the device's clock.
  static bool isOfDevice(int32_t what) {
    return what >= 0 || what == Span::copy || what <= Span::firstSection;
  }
  /// Gives the step that has ended the times of its marks.
  void readClock() {
    for (size_t i = whole; i < spans.size(); ++i)
      if (isOfDevice(spans[i].what)) {
        spans[i].begin = clock->timeOf(spans[i].begin);
        spans[i].end = clock->timeOf(spans[i].end);
      }
  }

  /// The section that \p entry, "train.micro", is; -1: of another program.
  int32_t find(const tessera_entry &entry) const {
    const char *dot = strchr(entry.name, '.');
    for (size_t i = 0; dot && i < table.sections.size(); ++i)
      if (table.sections[i].name == dot + 1)
        return static_cast<int32_t>(i);
    return -1;
  }

  const StepTable &table;
  StepClock *clock;
  std::vector<Span> spans;
  size_t whole = 0; ///< spans of steps that have ended
  int64_t stepBegin = 0;
  int32_t stepNumber = 0, micro = 0;
  int32_t nextCall = 0;
};

static_assert(std::chrono::steady_clock::period::den == 1000000000);

/// Something that the host does; lives as long as that, if it is recorded.
class RecordedSpan {
public:
  explicit RecordedSpan(int32_t what)
      : recorder(StepRecorder::active), what(what),
        begin(recorder ? StepRecorder::now() : 0) {}
  ~RecordedSpan() {
    if (recorder)
      recorder->add({begin, StepRecorder::now(), what});
  }
  RecordedSpan(const RecordedSpan &) = delete;
  RecordedSpan &operator=(const RecordedSpan &) = delete;

private:
  StepRecorder *recorder;
  int32_t what;
  int64_t begin;
};

/// What is done, or issued to a device, while this lives.
class RecordedWork {
public:
  explicit RecordedWork(int32_t what, Lane lane = Lane::Compute)
      : recorder(StepRecorder::active), what(what), lane(lane) {
    if (recorder) [[unlikely]]
      begin = recorder->begin(lane);
  }
  ~RecordedWork() {
    if (recorder) [[unlikely]]
      recorder->add({begin, recorder->end(lane), what});
  }
  RecordedWork(const RecordedWork &) = delete;
  RecordedWork &operator=(const RecordedWork &) = delete;

private:
  StepRecorder *recorder;
  int32_t what;
  Lane lane;
  int64_t begin;
};

/// A call by a program's section: the next one of the table.
class RecordedCall : RecordedWork {
public:
  explicit RecordedCall(Lane lane = Lane::Compute)
      : RecordedWork(StepRecorder::takeCall(), lane) {}
};

/// A section, which \p entry runs for micro-batch \p micro.
class RecordedSection {
public:
  RecordedSection(const tessera_entry &entry, int64_t micro)
      : recorder(StepRecorder::active) {
    if (!recorder)
      return;
    section = recorder->find(entry);
    recorder->micro = static_cast<int32_t>(micro);
    if (section >= 0)
      recorder->nextCall = recorder->table.sections[section].firstCall;
    issued = StepRecorder::now();
    begin = recorder->clock ? recorder->begin(Lane::Compute) : issued;
  }
  ~RecordedSection() {
    if (!recorder)
      return;
    recorder->add(
        {begin, recorder->end(Lane::Compute), Span::firstSection - section});
    if (recorder->clock)
      recorder->add({issued, StepRecorder::now(), Span::issue});
  }
  RecordedSection(const RecordedSection &) = delete;
  RecordedSection &operator=(const RecordedSection &) = delete;

private:
  StepRecorder *recorder;
  int32_t section = 0;
  int64_t issued = 0, begin = 0;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_PROGRAM_STEPRECORDER_H
