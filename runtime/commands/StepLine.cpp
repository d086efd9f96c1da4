//===- StepLine.cpp - A step in a line ------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/StepLine.h"
#include <algorithm>
#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace tessera::runtime {

void StepLine::add(int importance, const char *format, ...) {
  if (count == mostParts)
    return;
  Part &part = parts[count++];
  va_list arguments;
  va_start(arguments, format);
  int written = vsnprintf(part.text, sizeof part.text, format, arguments);
  va_end(arguments);
  part.length = std::clamp(written, 0, longestPart - 1);
  part.importance = importance;
}

int StepLine::length() const {
  int sum = 0;
  for (const Part *part = parts; part < parts + count; ++part)
    sum += part->length + (part > parts ? 2 : 0);
  return sum;
}

int StepLine::write(char *line, int room) {
  while (columns > 0 && length() > columns) {
    Part *least = parts;
    for (Part *part = parts; part < parts + count; ++part)
      if (part->importance > least->importance)
        least = part;
    if (least->importance == 0)
      break;
    std::move(least + 1, parts + count, least);
    --count;
  }
  if (columns > 0)
    room = std::min(room, columns);
  int at = 0;
  for (const Part *part = parts; part < parts + count; ++part) {
    for (int i = 0; i < 2 && part > parts && at < room; ++i)
      line[at++] = ' ';
    int fits = std::min(part->length, room - at);
    memcpy(line + at, part->text, fits);
    at += fits;
  }
  return at;
}

StepRate rateOf(const StepReport &report) {
  double seconds = std::max(report.milliseconds, 1e-6) * 1e-3;
  int64_t learned = report.tokens + report.seeds;
  return {report.tokens  ? "tokens"
          : report.seeds ? "nodes"
                         : "epochs",
          (learned ? double(learned) : 1.0) / seconds, learned > 0};
}

void writeDuration(char (&text)[24], double seconds) {
  // Of more nobody knows the end.
  auto whole = static_cast<int64_t>(std::clamp(seconds, 0.0, 1e9));
  snprintf(text, sizeof text, "%" PRId64 ":%02d:%02d", whole / 3600,
           int(whole / 60 % 60), int(whole % 60));
}

void addStep(StepLine &line, const StepReport &report, int64_t steps) {
  char last[24];
  int width = snprintf(last, sizeof last, "%" PRId64, steps);
  StepRate rate = rateOf(report);
  line.add(0, "step %*" PRId64 "/%s", width, report.step, last);
  line.add(0, "loss %-11.9g", report.loss);
  line.add(6, "grad norm %-10.6g", report.gradNorm);
  line.add(4, "lr %.3e", report.lr);
  line.add(5, "%.1f ms", report.milliseconds);
  line.add(1, "%.*f %s/s", rate.isCount ? 0 : 1, rate.perSecond, rate.unit);
  if (report.mfu > 0)
    line.add(3, "MFU %.2f %%", 100 * report.mfu);
  addScores(line, report);
  if (report.skipped)
    line.add(0, "skipped");
  if (report.spike)
    line.add(0, "spike");
}

void addScores(StepLine &line, const StepReport &report) {
  for (int i = 0; i < report.scoreCount; ++i) {
    const auto &[name, score] = report.scores[i];
    // The first one decides.
    int importance = i == 0 ? 0 : 2;
    line.add(importance, "%s_loss %.9g", name, score.loss);
    line.add(importance, "%s_accuracy %.4f", name, score.accuracy);
  }
}

void addProgress(StepLine &line, const StepReport &report, double secondsLeft) {
  char duration[24];
  writeDuration(duration, secondsLeft);
  line.add(2, "%s left", duration);
  // Of a whole graph each step is one.
  if (report.tokens || report.seeds)
    line.add(7, "epoch %.3g", report.epoch);
  static constexpr const char *units[] = {"", " k", " M", " G", " T"};
  double seen = double(report.tokensSeen);
  size_t unit = 0;
  for (; seen >= 999.5 && unit + 1 < std::size(units); ++unit)
    seen /= 1000;
  if (report.tokensSeen > 0)
    line.add(8, "%.3g%s tokens", seen, units[unit]);
}

int writeBar(char *line, int room, const StepReport &report, int64_t steps,
             double secondsLeft, int columns) {
  static constexpr int widest = 40, narrowest = 8;
  double share = steps > 0 ? double(report.step) / double(steps) : 1;
  // The last column stays free: some terminals wrap behind it.
  int free = columns > 0 ? columns - 1 : room;
  int left = free - narrowest - 3;
  StepLine beside(columns == 0 ? 0 : left >= 5 ? left : std::max(free, 1));
  beside.add(0, "%3.0f %%", share * 100);
  addProgress(beside, report, secondsLeft);
  char text[256];
  int length = beside.write(text, sizeof text);
  int width = std::clamp(std::min(free, room) - length - 3, 0, widest);
  int full = std::clamp(static_cast<int>(share * width), 0, width), at = 0;
  if (width >= narrowest) {
    line[at++] = '[';
    for (int i = 0; i < width; ++i)
      line[at++] = i < full ? '=' : i == full ? '>' : ' ';
    line[at++] = ']';
    line[at++] = ' ';
  }
  int fits = std::max(std::min({length, room - at, free - at}), 0);
  memcpy(line + at, text, fits);
  return at + fits;
}

} // namespace tessera::runtime
