//===- Trace.cpp - Recorded steps as a Chrome trace -----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/Trace.h"
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

namespace tessera::runtime {
namespace {

/// The rows of a rank, which a trace calls threads.
enum Row { StepRow, ComputeRow, CommunicationRow, FileRow, HostRow, RowCount };
constexpr const char *rowNames[] = {"steps", "computation", "communication",
                                    "offload", "host"};

/// \p text as a JSON string; what is no UTF-8 becomes U+FFFD.
std::string quote(const std::string &text) {
  return nlohmann::json(text).dump(-1, ' ', false,
                                   nlohmann::json::error_handler_t::replace);
}

std::string format(const char *pattern, auto... values) {
  char text[512];
  snprintf(text, sizeof text, pattern, values...);
  return text;
}

/// Units of a rate are 1e9 of the thing a second, that is one a nanosecond.
double rate(int64_t amount, int64_t nanoseconds) {
  return nanoseconds > 0 ? double(amount) / double(nanoseconds) : 0;
}

void putNumber(std::string &bytes, uint64_t number) {
  for (; number >= 128; number >>= 7)
    bytes += static_cast<char>(number | 128);
  bytes += static_cast<char>(number);
}

uint64_t takeNumber(const std::string &bytes, size_t &at) {
  uint64_t number = 0;
  for (int shift = 0; at < bytes.size() && shift < 64; shift += 7) {
    auto byte = static_cast<unsigned char>(bytes[at++]);
    number |= uint64_t(byte & 127) << shift;
    if (byte < 128)
      break;
  }
  return number;
}

/// Small numbers of both signs as small ones.
uint64_t fold(int64_t number) {
  return (uint64_t(number) << 1) ^ uint64_t(number >> 63);
}
int64_t unfold(uint64_t number) {
  return int64_t(number >> 1) ^ -int64_t(number & 1);
}

} // namespace

std::string packSpans(std::vector<Span> spans) {
  auto order = [](const Span &span) {
    return std::tuple(span.begin, -span.end, span.what, span.micro);
  };
  std::sort(spans.begin(), spans.end(),
            [&](const Span &one, const Span &other) {
              return order(one) < order(other);
            });
  std::string bytes;
  Span before;
  for (const Span &span : spans) {
    putNumber(bytes, fold(span.begin - before.begin));
    putNumber(bytes, fold(span.end - span.begin));
    putNumber(bytes, fold(int64_t(span.what) - before.what));
    putNumber(bytes, fold(int64_t(span.micro) - before.micro));
    before = span;
  }
  return bytes;
}

std::vector<Span> unpackSpans(const std::string &bytes) {
  std::vector<Span> spans;
  Span span;
  for (size_t at = 0; at < bytes.size();) {
    span.begin += unfold(takeNumber(bytes, at));
    span.end = span.begin + unfold(takeNumber(bytes, at));
    span.what += static_cast<int32_t>(unfold(takeNumber(bytes, at)));
    span.micro += static_cast<int32_t>(unfold(takeNumber(bytes, at)));
    spans.push_back(span);
  }
  return spans;
}

TraceText::TraceText(const StepTable &table, const TraceRun &run, int64_t start)
    : table(table), run(run), start(start) {}

/// Writes the events of one rank.
class TraceText::Writer {
public:
  Writer(const TraceText &trace, int rank, const ClockOffset &clock)
      : table(trace.table), isOnDevice(trace.run.isOnDevice), rank(rank),
        shift(trace.start + clock.nanoseconds) {
    for (const StepTable::Work &work : table.works)
      names.push_back(quote(work.name));
    for (const StepTable::Work &work : table.works)
      kinds.push_back(quote(work.kind));
    for (const std::string &layer : table.layers)
      layers.push_back(quote(layer));
    for (const StepTable::Work &work : table.works)
      if (work.collective >= 0 && work.bytes)
        received[work.collective] = work.bytes;
  }

  std::string write(const std::vector<Span> &spans) {
    describe("process_name", -1, format("{\"name\":\"rank %d\"}", rank));
    describe("process_sort_index", -1, format("{\"sort_index\":%d}", rank));
    for (int row = 0; row < RowCount; ++row) {
      // A device offloads nothing, and a CPU is the host.
      if (row == (isOnDevice ? FileRow : HostRow))
        continue;
      describe("thread_name", row, format("{\"name\":\"%s\"}", rowNames[row]));
      describe("thread_sort_index", row, format("{\"sort_index\":%d}", row));
    }
    for (const Span &span : spans)
      if (span.what >= 0)
        writeCall(span);
      else
        writeOther(span);
    return std::move(text);
  }

private:
  double microseconds(int64_t time) const {
    return double(time - shift) * 1e-3;
  }

  /// Begins an event.
  void open(const char *phase) {
    text += format("%s{\"ph\":\"%s\",\"pid\":%d", text.empty() ? "" : ",\n",
                   phase, rank);
  }
  void describe(const char *what, int row, const std::string &arguments) {
    open("M");
    if (row >= 0)
      text += format(",\"tid\":%d", row);
    text += format(",\"name\":\"%s\",\"args\":", what) + arguments + "}";
  }
  /// Begins an event that lasts; its arguments follow.
  void openSpan(const Span &span, Row row, const std::string &name,
                const std::string &kind) {
    open("X");
    text +=
        format(",\"tid\":%d,\"ts\":%.3f,\"dur\":%.3f", row,
               microseconds(span.begin), double(span.end - span.begin) * 1e-3);
    text += ",\"name\":" + name + ",\"cat\":" + kind + ",\"args\":{";
  }

  void writeOther(const Span &span) {
    if (span.what == Span::step) {
      openSpan(span, StepRow, format("\"step %d\"", span.micro), "\"step\"");
      text += format("\"step\":%d", span.micro);
    } else if (span.what == Span::inputs) {
      openSpan(span, isOnDevice ? HostRow : ComputeRow, "\"inputs\"",
               "\"inputs\"");
    } else if (span.what == Span::copy) {
      openSpan(span, ComputeRow, "\"copy of inputs\"", "\"inputs\"");
    } else if (span.what == Span::issue) {
      openSpan(span, HostRow, "\"issue\"", "\"issue\"");
    } else if (span.what == Span::meeting) {
      openSpan(span, isOnDevice ? HostRow : CommunicationRow, "\"meeting\"",
               "\"meeting\"");
    } else if (auto number =
                   static_cast<size_t>(Span::firstSection - span.what);
               number < table.sections.size()) {
      const std::string &name = table.sections[number].name;
      openSpan(span, StepRow, quote(name), "\"section\"");
      if (name == "micro")
        text += format("\"micro_batch\":%d", span.micro);
    } else {
      return;
    }
    text += "}}";
  }

  void writeCall(const Span &span) {
    if (static_cast<size_t>(span.what) >= table.stepOfCall.size())
      return;
    int32_t number = table.stepOfCall[span.what];
    const StepTable::Step &step = table.steps[number];
    const StepTable::Work &work = table.works[step.work];
    int64_t length = span.end - span.begin, bytes = work.bytes;
    Row row = work.collective >= 0                           ? CommunicationRow
              : work.kind == "fetch" || work.kind == "evict" ? FileRow
                                                             : ComputeRow;
    if (isOnDevice && work.collective >= 0) {
      // A device communicates from the start on; it computes nothing in a wait.
      bool isStart = work.name.starts_with("start ");
      row = isStart ? CommunicationRow : ComputeRow;
      bytes = isStart ? received[work.collective] : 0;
    }
    // What is communicated has no place in the order of the steps.
    if (!isOnDevice || row == ComputeRow)
      writeMemory(span, step.memory);
    openSpan(span, row, names[step.work], kinds[step.work]);
    text += format("\"plan_step\":%d,\"micro_batch\":%d", number, span.micro) +
            ",\"layer\":" + layers[step.layer];
    if (work.flops)
      text += format(",\"flops\":%" PRId64 ",\"GFLOP/s\":%.4g", work.flops,
                     rate(work.flops, length));
    if (bytes)
      text += format(",\"bytes\":%" PRId64 ",\"GB/s\":%.4g", bytes,
                     rate(bytes, length));
    text += "}}";
    // On a device the start is all of it.
    if (work.collective >= 0 && !isOnDevice)
      writeMessage(span, step, work);
  }

  /// A collective is under way from its start to the end of its wait.
  void writeMessage(const Span &span, const StepTable::Step &step,
                    const StepTable::Work &work) {
    if (work.name.starts_with("start ")) {
      started[work.collective] = span.begin;
      return;
    }
    auto from = started.find(work.collective);
    if (!work.name.starts_with("wait ") || from == started.end())
      return;
    for (const char *phase : {"b", "e"}) {
      bool isBegin = *phase == 'b';
      open(phase);
      text += format(",\"tid\":%d,\"id\":\"%d.%" PRId64 "\",\"ts\":%.3f",
                     CommunicationRow, rank, messages,
                     microseconds(isBegin ? from->second : span.end));
      text += ",\"name\":" + kinds[step.work] + ",\"cat\":\"message\"";
      if (isBegin)
        text += ",\"args\":{\"layer\":" + layers[step.layer] +
                format(",\"bytes\":%" PRId64 ",\"GB/s\":%.4g}", work.bytes,
                       rate(work.bytes, span.end - from->second));
      text += "}";
    }
    ++messages;
    started.erase(from);
  }

  void writeMemory(const Span &span, int64_t bytes) {
    if (bytes == memory)
      return;
    memory = bytes;
    open("C");
    text += format(",\"ts\":%.3f,\"name\":\"memory in use\","
                   "\"args\":{\"bytes\":%" PRId64 "}}",
                   microseconds(span.begin), bytes);
  }

  const StepTable &table;
  bool isOnDevice;
  int rank;
  int64_t shift;
  std::vector<std::string> names, kinds, layers; ///< quoted
  std::string text;
  std::map<int64_t, int64_t> received; ///< bytes, by collective
  std::map<int64_t, int64_t> started;  ///< when, by collective
  int64_t messages = 0, memory = -1;
};

std::string TraceText::begin(const std::vector<ClockOffset> &clocks) const {
  int64_t uncertainty = 0;
  for (const ClockOffset &clock : clocks)
    uncertainty = std::max(uncertainty, clock.uncertainty);
  std::string text = "{\"displayTimeUnit\":\"ms\",\n\"otherData\":{"
                     "\"tessera_trace\":1,\"model\":" +
                     quote(run.model) +
                     ",\"device\":" + (run.isOnDevice ? "true" : "false");
  text += format(
      ",\"world\":%d,\"stage\":%d,\"threads\":%d,\"micro_batches\":%" PRId64
      ",\"reserved_bytes\":%" PRId64
      ",\"clock_uncertainty_us\":%.3f},\n\"traceEvents\":[\n",
      run.world, run.stage, run.threads, run.microBatches, run.reservedMemory,
      double(uncertainty) * 1e-3);
  return text;
}

std::string TraceText::rank(int number, const std::vector<Span> &spans,
                            const ClockOffset &clock) const {
  return Writer(*this, number, clock).write(spans);
}

} // namespace tessera::runtime
