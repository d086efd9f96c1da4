//===- Log.cpp - What a training run reports ------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/Log.h"
#include "runtime/commands/StepLine.h"
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

StepLog::StepLog(bool silent, int64_t steps, int64_t every)
    : silent(silent), steps(steps), every(every) {}

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
  terminal.find(/*linesToError=*/path == "-");
  bar = terminal.barStream();
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
  if (isPending)
    writeLines(last);
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
  if (drawn && !writeUnlessStopped(bar, "\r\x1b[K", 4))
    bar = -1;
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

/// Appends the scores as members of JSON to \p line, which has \p length of
/// \p room characters; how many it has then.
static int addScores(const StepReport &report, char *line, int room,
                     int length) {
  for (int i = 0; i < report.scoreCount; ++i) {
    const auto &[name, score] = report.scores[i];
    char loss[32], accuracy[32];
    length += snprintf(
        line + length, room - length, ", \"%s_loss\": %s, \"%s_accuracy\": %s",
        name, number(loss, score.loss), name, number(accuracy, score.accuracy));
  }
  return length;
}

bool StepLog::isDue(const StepReport &report) const {
  return report.step % every == 0 || report.step == steps || last.step == 0 ||
         report.skipped || report.spike || report.scoreCount;
}

void StepLog::write(const StepReport &report) {
  if (silent)
    return;
  clear();
  isPending = !isDue(report);
  last = report;
  double left = secondsLeft(report);
  if (!isPending)
    writeLines(report);
  if (bar >= 0)
    drawBar(report, left);
}

/// Writes the lines of a step.
void StepLog::writeLines(const StepReport &report) {
  isPending = false;
  char line[768];
  // The last column stays free: some terminals wrap behind it.
  StepLine text(std::max(terminal.lineColumns() - 1, 0));
  addStep(text, report, steps);
  if (bar < 0)
    addProgress(text, report,
                stepSeconds *
                    double(std::max<int64_t>(steps - report.step, 0)));
  int length = text.write(line, sizeof line - 1);
  line[length++] = '\n';
  print(line, length, sizeof line);
  if (file >= 0)
    recordStep(report);
}

void StepLog::writeScores(const StepReport &report) {
  if (silent)
    return;
  clear();
  char line[768];
  StepLine text(std::max(terminal.lineColumns() - 1, 0));
  text.add(0, "step %" PRId64 "/%" PRId64, report.step, steps);
  addScores(text, report);
  int length = text.write(line, sizeof line - 1);
  line[length++] = '\n';
  print(line, length, sizeof line);
  if (file < 0)
    return;
  length = snprintf(line, sizeof line, "{\"step\": %" PRId64, report.step);
  length = addScores(report, line, sizeof line - 2, length);
  line[length++] = '}';
  line[length++] = '\n';
  record(line, length);
}

void StepLog::recordStep(const StepReport &report) {
  char line[1024], loss[32], gradNorm[32], lr[32], milliseconds[32], speed[32];
  StepRate rate = rateOf(report);
  int length = snprintf(
      line, sizeof line,
      "{\"step\": %" PRId64 ", \"loss\": %s, \"grad_norm\": %s, \"lr\": %s, "
      "\"ms\": %s, \"%s_per_second\": %s",
      report.step, number(loss, report.loss), number(gradNorm, report.gradNorm),
      number(lr, report.lr), number(milliseconds, report.milliseconds),
      rate.unit, number(speed, rate.perSecond));
  auto add = [&](const char *format, auto value) {
    length += snprintf(line + length, sizeof line - length, format, value);
  };
  if (report.tokens || report.seeds) {
    add(", \"batch\": %" PRId64, report.tokens ? report.batch : report.seeds);
    add(", \"epoch\": %.9g", report.epoch);
  }
  if (report.tokensSeen)
    add(", \"tokens\": %" PRId64, report.tokensSeen);
  if (report.lossScale > 0)
    add(", \"loss_scale\": %.17g", report.lossScale);
  if (report.mfu > 0)
    add(", \"mfu\": %.4g", report.mfu);
  if (report.communication >= 0)
    add(", \"communication_ms\": %s",
        number(milliseconds, report.communication));
  if (report.allocations >= 0)
    add(", \"allocations\": %" PRId64, report.allocations);
  if (report.checkpointMilliseconds > 0)
    add(", \"checkpoint_ms\": %.4g", report.checkpointMilliseconds);
  length = addScores(report, line, sizeof line, length);
  add("%s", report.skipped ? ", \"skipped\": true" : "");
  add("%s", report.spike ? ", \"spike\": true" : "");
  add("%s", "}\n");
  record(line, std::min<int>(length, sizeof line - 1));
}

/// How long the steps behind \p report take, each as long as the last ones did
/// with what lay between them.
double StepLog::secondsLeft(const StepReport &report) {
  static constexpr int64_t remembered = 50;
  auto now = std::chrono::steady_clock::now();
  double seconds = timed == 0
                       ? report.milliseconds * 1e-3
                       : std::chrono::duration<double>(now - lastTime).count();
  lastTime = now;
  timed = std::min(timed + 1, remembered);
  stepSeconds += (seconds - stepSeconds) / double(timed);
  return stepSeconds * double(std::max<int64_t>(steps - report.step, 0));
}

void StepLog::drawBar(const StepReport &report, double secondsLeft) {
  char line[256] = "\r\x1b[K";
  int length = 4 + writeBar(line + 4, sizeof line - 4, report, steps,
                            secondsLeft, terminal.barColumns());
  drawn = writeUnlessStopped(bar, line, length);
  if (!drawn)
    bar = -1;
}

} // namespace tessera::runtime
