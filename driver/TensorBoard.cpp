//===- TensorBoard.cpp - A log as events for TensorBoard ------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/EventFile.h"
#include "driver/Output.h"
#include "driver/RunLogs.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <chrono>
#include <cmath>
#include <thread>

using namespace llvm;
using namespace tessera;
namespace fs = llvm::sys::fs;

namespace {

double secondsOf(sys::TimePoint<> time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

double now() { return secondsOf(std::chrono::system_clock::now()); }

/// A log that may grow. Its lines are given once.
class GrowingLog {
public:
  explicit GrowingLog(StringRef path) : path(path) {}

  /// Opens the log; where it \p mayBeMissing, waits until it is there.
  Error open(bool mayBeMissing);
  /// The whole lines that are new.
  Expected<std::vector<LogLine>> readMore();
  /// When it was written last.
  Expected<double> modified() const;

private:
  Error refuse(const Twine &message) const {
    return createStringError(inconvertibleErrorCode(), path + message);
  }

  std::string path;
  fs::file_t file = fs::kInvalidFile;
  uint64_t offset = 0; ///< read up to here
  std::string part;    ///< a line without its end
  int64_t number = 1;  ///< of the next line
};

constexpr std::chrono::milliseconds interval(500);

} // namespace

Error GrowingLog::open(bool mayBeMissing) {
  bool isSaid = false;
  while (true) {
    Expected<fs::file_t> opened = fs::openNativeFileForRead(path);
    if (opened) {
      file = *opened;
      return Error::success();
    }
    std::error_code error = errorToErrorCode(opened.takeError());
    if (!mayBeMissing || error != std::errc::no_such_file_or_directory)
      return refuse(": cannot be read: " + error.message() +
                    "; give a log, as train --log FILE writes it");
    if (!isSaid)
      errs() << "tessera: waiting for " << path << "\n";
    isSaid = true;
    std::this_thread::sleep_for(interval);
  }
}

Expected<std::vector<LogLine>> GrowingLog::readMore() {
  std::vector<LogLine> lines;
  fs::file_status status;
  if (std::error_code error = fs::status(file, status))
    return refuse(": cannot be read: " + error.message());
  if (status.type() == fs::file_type::regular_file && status.getSize() < offset)
    return refuse(": is shorter than it was: start again for another run");
  char piece[1 << 16];
  while (true) {
    Expected<size_t> count = fs::readNativeFileSlice(file, piece, offset);
    if (!count)
      return refuse(": cannot be read: " + toString(count.takeError()));
    if (*count == 0)
      return lines;
    offset += *count;
    part.append(piece, *count);
    StringRef text(part);
    while (text.contains('\n')) {
      auto [first, rest] = text.split('\n');
      text = rest;
      Expected<LogLine> line = parseLogLine(first);
      if (!line)
        return refuse(":" + Twine(number) + ": " + toString(line.takeError()) +
                      "; give a log, as train --log FILE writes it");
      lines.push_back(std::move(*line));
      ++number;
    }
    part = text.str();
  }
}

Expected<double> GrowingLog::modified() const {
  fs::file_status status;
  if (std::error_code error = fs::status(file, status))
    return refuse(": cannot be read: " + error.message());
  return secondsOf(status.getLastModificationTime());
}

/// When each of \p lines was written, the last one at \p end: a log has no
/// times but those of steps.
static std::vector<double> wallTimes(ArrayRef<LogLine> lines, double end) {
  std::vector<double> times(lines.size());
  for (size_t i = lines.size(); i-- > 0;) {
    times[i] = end;
    double milliseconds = 0;
    for (const auto &[name, value] : lines[i].values)
      if (name == "ms" && std::isfinite(value))
        milliseconds = value;
    int64_t steps = i > 0 ? lines[i].step - lines[i - 1].step : 1;
    end -= 1e-3 * milliseconds * double(std::max<int64_t>(steps, 1));
  }
  return times;
}

LogicalResult tessera::runTensorBoard(const TensorBoardOptions &options) {
  GrowingLog log(options.log);
  if (Error error = log.open(options.follow))
    return failCommand(toString(std::move(error)));
  Expected<std::vector<LogLine>> lines = log.readMore();
  if (!lines)
    return failCommand(toString(lines.takeError()));
  if (lines->empty() && !options.follow)
    return failCommand(options.log + ": has no step yet; give --follow to wait "
                                     "for some");
  Expected<double> end = log.modified();
  if (!end)
    return failCommand(toString(end.takeError()));
  if (std::error_code error = fs::create_directories(options.directory))
    return failCommand("cannot make the folder '" + options.directory +
                       "': " + error.message());
  SmallString<128> path(options.directory);
  sys::path::append(path, eventFileName);
  std::vector<double> times = wallTimes(*lines, *end);
  std::string events = eventFileHeader(times.empty() ? *end : times.front());
  for (auto [line, time] : zip(*lines, times))
    events += eventRecord(line, time);
  Output output;
  if (Error error = output.open(path, {{"the log", options.log}}))
    return failCommand(toString(std::move(error)));
  if (failed(writeOutput(output, [&](raw_ostream &out) { out << events; })))
    return failure();
  if (!options.follow)
    return success();
  std::error_code error;
  raw_fd_ostream out(path, error, fs::CD_OpenExisting, fs::FA_Write,
                     fs::OF_Append);
  if (error)
    return failCommand("cannot write '" + path + "': " + error.message());
  while (true) {
    std::this_thread::sleep_for(interval);
    lines = log.readMore();
    if (!lines)
      return failCommand(toString(lines.takeError()));
    if (lines->empty())
      continue;
    events.clear();
    for (const LogLine &line : *lines)
      events += eventRecord(line, now());
    // A record at once or not at all, as far as a signal is concerned.
    out << events;
    out.flush();
    if (out.has_error())
      return failCommand("cannot write '" + path +
                         "': " + out.error().message());
  }
}
