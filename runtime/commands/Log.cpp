//===- Log.cpp - What a training run reports ------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/Log.h"
#include "runtime/commands/StopSignals.h"
#include "runtime/core/Error.h"
#include "runtime/files/Output.h"
#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace tessera::runtime {

StepLog::StepLog(bool silent, int64_t steps)
    : silent(silent), bar(!silent && isatty(STDERR_FILENO)), steps(steps) {}

void StepLog::open(const std::string &name, bool append) {
  path = name;
  if (path == "-") {
    fflush(stdout);
    file = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (file < 0)
      fatal("cannot write the log to standard output: %s", strerror(errno));
    dup2(STDERR_FILENO, STDOUT_FILENO);
  } else if (!path.empty())
    openFile(append);
}

void StepLog::openFile(bool append) {
  struct stat status = {};
  bool there = stat(path.c_str(), &status) == 0;
  bool regular = !there || S_ISREG(status.st_mode);
  if (there && regular && status.st_size > 0 && !append)
    fatal("the log '%s' is there already: give another --log FILE, or --resume "
          "to go on with it",
          path.c_str());
  // Read where it is mended.
  file = ::open(path.c_str(),
                (regular ? O_RDWR | O_CREAT : O_WRONLY) | O_APPEND | O_NOCTTY |
                    O_CLOEXEC,
                0666);
  if (file < 0)
    fatal("cannot write the log '%s': %s", path.c_str(), strerror(errno));
  if (!regular)
    return;
  end = status.st_size;
  if (end > 0)
    mend();
  isNew = !there;
  // A link that led to no file stays.
  if (isNew) {
    created = followLinks(path).value_or(path);
    registerUnfinished(created.c_str());
  }
}

/// Cuts a last line that is torn, as a killed run leaves it.
void StepLog::mend() {
  static constexpr char first[] = "{\"step\"";
  char text[4096];
  ssize_t count = pread(file, text, sizeof first - 1, 0);
  if (count <= 0 || memcmp(text, first, count) != 0)
    fatal("'%s' is no log: give another --log FILE", path.c_str());
  int64_t size = end, begin = end;
  bool found = false;
  while (!found && begin > 0) {
    int64_t length = std::min<int64_t>(sizeof text, begin);
    begin -= length;
    if (pread(file, text, length, begin) != length)
      fatal("cannot read the log '%s': %s", path.c_str(), strerror(errno));
    auto *last = static_cast<char *>(memrchr(text, '\n', length));
    found = last != nullptr;
    end = found ? begin + (last - text) + 1 : 0;
  }
  if (end == size)
    return;
  if (ftruncate(file, end) != 0)
    fatal("cannot mend the log '%s': %s", path.c_str(), strerror(errno));
  warning("the last line of the log '%s' is torn: its %" PRId64
          " bytes are cut off",
          path.c_str(), size - end);
}

StepLog::~StepLog() {
  clear();
  if (isNew)
    keepOutput(created.c_str());
  if (file >= 0)
    close(file);
}

void StepLog::finish() {
  // What is no file has nothing to flush.
  if (end >= 0 && fsync(file) != 0)
    lose(file, "the log '");
}

/// Says, once, that lines for \p descriptor are lost, by errno; not where their
/// reader is gone or waited for in vain: a pipe, a terminal or a closed stream.
void StepLog::lose(int descriptor, const char *what) {
  int reason = errno;
  struct stat status;
  bool isFile = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  if (!isFile &&
      (reason == EPIPE || reason == EIO || reason == EBADF || reason == EINTR))
    return;
  if (!lost)
    warning("cannot write %s%s%s: %s; the run goes on, and exits with code 1",
            what, descriptor == file ? path.c_str() : "",
            descriptor == file ? "'" : "", strerror(reason));
  lost = true;
}

void StepLog::clear() {
  if (drawn)
    bar = writeUnlessStopped(STDERR_FILENO, "\r\x1b[K", 4);
  drawn = false;
}

/// Once its reader is gone nothing more is printed.
void StepLog::print(const char *line, int length, int room) {
  if (prints &&
      !writeUnlessStopped(STDOUT_FILENO, line, std::min(length, room - 1))) {
    lose(STDOUT_FILENO, "to standard output");
    prints = false;
  }
}

void StepLog::record(const char *line, int length) {
  // Of a file no line is given up.
  if (end >= 0 ? writeAll(file, line, length)
               : writeUnlessStopped(file, line, length)) {
    if (isNew)
      keepOutput(created.c_str());
    isNew = false;
    end += end >= 0 ? length : 0;
    return;
  }
  lose(file, "the log '");
  if (end < 0) {
    close(std::exchange(file, -1));
    return;
  }
  // A later step may find room again.
  struct stat status;
  if (fstat(file, &status) == 0 && status.st_size > end &&
      ftruncate(file, end) != 0)
    close(std::exchange(file, -1));
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
  int64_t learned = report.tokens + report.seeds;
  double rate = (learned ? double(learned) : 1.0) / seconds;
  const char *unit = report.tokens  ? "tokens"
                     : report.seeds ? "nodes"
                                    : "epochs";
  int width = static_cast<int>(std::to_string(steps).size());
  char line[512], mfu[32] = "";
  if (report.mfu > 0)
    snprintf(mfu, sizeof mfu, "  MFU %.2f %%", 100 * report.mfu);
  int length = snprintf(
      line, sizeof line,
      "step %*" PRId64 "/%" PRId64 "  loss %-12.9g grad norm %-11.6g "
      "lr %.3e  %.1f ms  %.*f %s/s%s%s%s\n",
      width, report.step, steps, report.loss, report.gradNorm, report.lr,
      report.milliseconds, learned ? 0 : 1, rate, unit, mfu,
      report.skipped ? "  skipped" : "", report.spike ? "  spike" : "");
  print(line, length, sizeof line);
  if (file >= 0) {
    char loss[32], gradNorm[32], lr[32], milliseconds[32], speed[32];
    length = snprintf(
        line, sizeof line,
        "{\"step\": %" PRId64 ", \"loss\": %s, \"grad_norm\": %s, \"lr\": %s, "
        "\"ms\": %s, \"%s_per_second\": %s",
        report.step, number(loss, report.loss),
        number(gradNorm, report.gradNorm), number(lr, report.lr),
        number(milliseconds, report.milliseconds), unit, number(speed, rate));
    if (report.tokens)
      length += snprintf(line + length, sizeof line - length,
                         ", \"batch\": %" PRId64, report.batch);
    if (report.seeds)
      length += snprintf(line + length, sizeof line - length,
                         ", \"batch\": %" PRId64, report.seeds);
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
    record(line, std::min<int>(length, sizeof line - 1));
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
  drawn = writeUnlessStopped(STDERR_FILENO, line, length);
  bar = drawn;
}

} // namespace tessera::runtime
