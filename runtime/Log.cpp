//===- Log.cpp - What a training run tells --------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/Log.h"
#include "runtime/Error.h"
#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace tessera {

static void put(int descriptor, const char *text, int length, int room) {
  length = std::min(length, room - 1);
  while (length > 0) {
    ssize_t count = write(descriptor, text, length);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return;
    text += count;
    length -= static_cast<int>(count);
  }
}

StepLog::StepLog(bool silent, const std::string &path, bool append,
                 int64_t steps)
    : silent(silent), steps(steps) {
  if (silent)
    return;
  bar = isatty(STDERR_FILENO);
  if (path.empty())
    return;
  file = open(
      path.c_str(),
      O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (append ? 0 : O_TRUNC), 0666);
  if (file < 0)
    fatal("cannot write the log '%s': %s", path.c_str(), strerror(errno));
}

StepLog::~StepLog() {
  clear();
  if (file >= 0)
    close(file);
}

void StepLog::clear() {
  if (drawn)
    put(STDERR_FILENO, "\r\x1b[K", 4, 5);
  drawn = false;
}

/// A number as JSON has it: nine digits read back to the same float.
static const char *number(char (&text)[32], double value) {
  if (!std::isfinite(value))
    return "null";
  snprintf(text, sizeof text, "%.9g", value);
  return text;
}

void StepLog::write(const StepReport &report) {
  if (silent)
    return;
  clear();
  double seconds = std::max(report.milliseconds, 1e-6) * 1e-3;
  double rate = (report.tokens ? double(report.tokens) : 1.0) / seconds;
  const char *unit = report.tokens ? "tokens/s" : "epochs/s";
  const char *key = report.tokens ? "tokens_per_second" : "epochs_per_second";
  int width = static_cast<int>(std::to_string(steps).size());
  char line[512], mfu[32] = "";
  if (report.mfu > 0)
    snprintf(mfu, sizeof mfu, "  MFU %.2f %%", 100 * report.mfu);
  int length = snprintf(
      line, sizeof line,
      "step %*" PRId64 "/%" PRId64 "  loss %-12.9g grad norm %-11.6g "
      "lr %.3e  %.1f ms  %.*f %s%s%s%s\n",
      width, report.step, steps, report.loss, report.gradNorm, report.lr,
      report.milliseconds, report.tokens ? 0 : 1, rate, unit, mfu,
      report.skipped ? "  skipped" : "", report.spike ? "  spike" : "");
  put(STDOUT_FILENO, line, length, sizeof line);
  if (file >= 0) {
    char loss[32], gradNorm[32], lr[32], milliseconds[32], speed[32];
    length = snprintf(
        line, sizeof line,
        "{\"step\": %" PRId64 ", \"loss\": %s, \"grad_norm\": %s, \"lr\": %s, "
        "\"ms\": %s, \"%s\": %s",
        report.step, number(loss, report.loss),
        number(gradNorm, report.gradNorm), number(lr, report.lr),
        number(milliseconds, report.milliseconds), key, number(speed, rate));
    if (report.tokens)
      length += snprintf(line + length, sizeof line - length,
                         ", \"batch\": %" PRId64, report.batch);
    if (report.lossScale > 0)
      length += snprintf(line + length, sizeof line - length,
                         ", \"loss_scale\": %.17g", report.lossScale);
    if (report.mfu > 0)
      length += snprintf(line + length, sizeof line - length, ", \"mfu\": %.4g",
                         report.mfu);
    if (report.communication >= 0)
      length += snprintf(line + length, sizeof line - length,
                         ", \"communication_ms\": %s",
                         number(milliseconds, report.communication));
    if (report.allocations >= 0)
      length += snprintf(line + length, sizeof line - length,
                         ", \"allocations\": %" PRId64, report.allocations);
    if (report.checkpointMilliseconds > 0)
      length +=
          snprintf(line + length, sizeof line - length,
                   ", \"checkpoint_ms\": %.4g", report.checkpointMilliseconds);
    length += snprintf(line + length, sizeof line - length, "%s%s}\n",
                       report.skipped ? ", \"skipped\": true" : "",
                       report.spike ? ", \"spike\": true" : "");
    put(file, line, length, sizeof line);
  }
  if (bar)
    drawBar(report);
}

void StepLog::drawBar(const StepReport &report) {
  static constexpr int width = 40;
  double share = steps > 0 ? double(report.step) / double(steps) : 1;
  int full = std::clamp(static_cast<int>(share * width), 0, width);
  char line[160];
  int length = snprintf(line, sizeof line, "\r\x1b[K[");
  for (int i = 0; i < width; ++i)
    line[length++] = i < full ? '=' : i == full ? '>' : ' ';
  double left = double(steps - report.step) * report.milliseconds * 1e-3;
  length += snprintf(line + length, sizeof line - length,
                     "] %3.0f %%  %.0f s left", share * 100, left);
  put(STDERR_FILENO, line, length, sizeof line);
  drawn = true;
}

} // namespace tessera
